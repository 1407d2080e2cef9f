import { createRequire } from 'node:module';
import { z } from 'zod';

/** Of this package: package.json stands two folders above this file, in `src` as in `dist`. */
export const { version } = z.object({ version: z.string() }).parse(createRequire(import.meta.url)('../../package.json'));

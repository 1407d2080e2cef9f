/**
 * Serves one of the pages that the build makes (`src/pages`), at `/`, under a policy that lets it load nothing from elsewhere and run
 * nothing that stands in its HTML.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import files from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { Refusal } from './problem.js';

/** The same from `src/` and from `dist/`. */
const built = fileURLToPath(new URL('../../dist/pages/', import.meta.url));

const headers = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(self), microphone=(self), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** @param name its folder. Without a build `/` says so (404 PAGE_NOT_BUILT). */
export async function servePage(app: FastifyInstance, name: 'messenger' | 'console'): Promise<void> {
  if (!existsSync(`${built}${name}/index.html`)) {
    app.get('/', () => {
      throw new Refusal(404, 'PAGE_NOT_BUILT', 'The page has not been built: run `npm run build`, and start again.');
    });
    return;
  }
  await app.register(files, {
    root: `${built}assets`,
    prefix: '/assets/',
    // Their names hold a hash of what they are.
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply) => {
      void reply.setHeader('x-content-type-options', 'nosniff');
    },
  });
  app.get('/', (_request, reply) => reply.headers(headers).sendFile('index.html', `${built}${name}`, { maxAge: 0, immutable: false }));
}

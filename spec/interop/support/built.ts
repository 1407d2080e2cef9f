/**
 * The package as it is built, for specs of what people run. One run of the specs builds it once, for the first that asks, and those after it find it.
 * vitest runs the set-up of this file before all specs: it makes the folder by which they know one another's run.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    runFolder: string;
  }
}

const root = fileURLToPath(new URL('../../../', import.meta.url));

export default function setUp(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'interop-run-'));
  project.provide('runFolder', folder);
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Resolves when `dist` is that of the sources. */
export async function built(): Promise<void> {
  const mark = join(inject('runFolder'), 'built');
  if (existsSync(mark)) return;
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: root });
  writeFileSync(mark, '');
}

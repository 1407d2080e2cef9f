/**
 * One process at a time in an embedded database's directory: PGlite takes no lock of its own, and two at once destroy it.
 * The lock is a file with the owner's pid and the time that process started, so that a pid used again (1, in every
 * container) is not taken for the one that died. A lock whose owner is gone is taken over.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExtensionError } from '../base/errors.js';

const fileName = 'extension.lock';

/** Directories that this very process holds: its pid alone does not tell that from a lock left by its forerunner. */
const held = new Set<string>();

/**
 * @param directory exists, an absolute path
 * @returns gives the lock back; idempotent
 * @throws ExtensionError DATABASE_UNAVAILABLE when a living process holds it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, fileName);
  if (held.has(directory)) throw inUse(directory, process.pid);
  held.add(directory);
  try {
    await take(directory, path);
  } catch (thrown) {
    held.delete(directory);
    throw thrown;
  }
  return async () => {
    if (held.delete(directory)) await rm(path, { force: true });
  };
}

async function take(directory: string, path: string): Promise<void> {
  const mine = `${process.pid} ${await startOf(process.pid)}\n`;
  if (await createExclusively(path, mine)) return;
  // Whoever finds a stale lock moves it aside before looking at it: of two finders one gets the file.
  const aside = `${path}.${randomUUID()}`;
  const content = await moveAside(path, aside);
  const owner = content === undefined ? undefined : await livingOwner(content);
  if (owner !== undefined) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  if (owner !== undefined) throw inUse(directory, owner);
  if (!(await createExclusively(path, mine))) throw inUse(directory, undefined);
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST')) return false;
    throw thrown;
  }
}

async function moveAside(path: string, aside: string): Promise<string | undefined> {
  try {
    await rename(path, aside);
    return await readFile(aside, 'utf8');
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** The pid in a lock, when the process that wrote it lives. */
async function livingOwner(content: string): Promise<number | undefined> {
  const [pidText = '', start = ''] = content.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  const startNow = await startOf(pid);
  if (start !== '' && startNow !== '') return start === startNow ? pid : undefined;
  // Without start times our own number means a forerunner: what this process holds, `held` knows.
  return pid === process.pid ? undefined : pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return isCode(thrown, 'EPERM');
  }
}

/** When a process started, in the kernel's clock ticks since boot (proc(5), stat field 22); empty where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name in parentheses, may hold spaces and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

function inUse(directory: string, pid: number | undefined): ExtensionError {
  const owner = pid === undefined ? 'another process' : pid === process.pid ? 'this process already' : `process ${pid}`;
  return new ExtensionError(
    'DATABASE_UNAVAILABLE',
    `The embedded database in ${directory} is in use by ${owner}: only one process at a time can open it. Stop that one first, or use PostgreSQL (services.postgresql.host).`,
  );
}

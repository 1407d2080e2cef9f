import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/mappings/database.js';
import { describeDatabaseError } from '../../src/base/database-errors.js';
import { lockDirectory } from '../../src/mappings/directory-lock.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dialog-sip-database-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('the embedded database', () => {
  it('keeps what was written, reads as PostgreSQL does, and lets one in at a time', async () => {
    const settings = { kind: 'embedded' as const, directory: join(directory, 'new', 'data') };
    const database = await openDatabase(settings);
    await expect(openDatabase(settings)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await database.knex.raw('create table t (big bigint, j jsonb); insert into t values (9007199254740993, \'{"a": [1]}\')');
    expect(await database.knex('t').where('big', '>', 1).update({ j: '{"a": 2}' })).toBe(1);
    await expect(
      database.knex.transaction(async (transaction) => {
        await transaction('t').delete();
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await database.close();
    await database.close();

    const again = await openDatabase(settings);
    expect(await again.knex('t').select()).toEqual([{ big: '9007199254740993', j: { a: 2 } }]);
    await again.close();
  }, 60_000);

  it('says it when its directory cannot be one', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(openDatabase({ kind: 'embedded', directory: file })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining(file) as unknown,
    });
  });
});

describe('the lock of a directory', () => {
  const lockFile = (): string => join(directory, 'extension.lock');

  async function livingProcess(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    return child;
  }

  it('is one at a time, and free again when it was given back', async () => {
    const unlock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(/in use by this process already/);
    await unlock();
    await unlock();
    const again = await lockDirectory(directory);
    await again();
    await expect(stat(lockFile())).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('of a living process keeps others out, and names it', async () => {
    const owner = await livingProcess();
    try {
      await writeFile(lockFile(), `${String(owner.pid)}\n`);
      await expect(lockDirectory(directory)).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        message: expect.stringContaining(`in use by process ${String(owner.pid)}`) as unknown,
      });
      expect(await readFile(lockFile(), 'utf8')).toBe(`${String(owner.pid)}\n`);
    } finally {
      owner.kill();
      await once(owner, 'exit');
    }
  });

  it('of a dead process is taken over', async () => {
    const owner = await livingProcess();
    await writeFile(lockFile(), `${String(owner.pid)}\n`);
    owner.kill();
    await once(owner, 'exit');
    const unlock = await lockDirectory(directory);
    expect(await readFile(lockFile(), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    await unlock();
  });

  it('of a dead process is taken over though its number is in use again', async () => {
    for (const pid of [process.pid, process.ppid]) {
      await writeFile(lockFile(), `${pid} 1\n`);
      const unlock = await lockDirectory(directory);
      await unlock();
    }
  });

  it('that is torn is taken over', async () => {
    await writeFile(lockFile(), '');
    const unlock = await lockDirectory(directory);
    await unlock();
  });
});

describe('a PostgreSQL server that is not there', () => {
  it('is named in the error, with the reason and without the password', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    const settings = {
      kind: 'postgresql' as const, host: '127.0.0.1', port, db: 'dialog', user: 'u', password: 'hush', ssl: false, statementTimeoutMs: 0, poolMax: 2,
    };
    await expect(openDatabase(settings)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      fault: 'upstream',
      message: `PostgreSQL at 127.0.0.1:${port} (database dialog, user u) cannot be used: nothing listens there.`,
    });
  });
});

describe('the words for an error of the driver', () => {
  it('leave out the statement that stands before it', () => {
    const thrown = new Error(`insert into t values ('hush - hush') - value too long for type character varying(3)`);
    expect(describeDatabaseError(thrown)).toBe('value too long for type character varying(3)');
  });
});

/**
 * A PostgreSQL server for specs: Debian's binaries in a temporary directory on 127.0.0.1, or the server that
 * TEST_DATABASE_URL names, where a database of our own is made and dropped again.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresqlSettings } from '../../../src/mappings/database.js';

export interface TestPostgres {
  /** A superuser's way to an empty database. */
  readonly settings: PostgresqlSettings;
  /** The same as `postgresql://...`. */
  readonly url: string;
  /** Ends the server, or drops the database that was made. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';

/** Why there is no server to be had, in one line; undefined when there is one. */
export async function whyNoPostgres(): Promise<string | undefined> {
  if (process.env.TEST_DATABASE_URL !== undefined) return undefined;
  if ((await binaries()) === undefined) return `no PostgreSQL in ${installed} and no TEST_DATABASE_URL`;
  return process.getuid?.() === 0 && (await postgresUser()) === undefined ? 'PostgreSQL does not run as root and there is no user postgres' : undefined;
}

export async function startPostgres(): Promise<TestPostgres> {
  const url = process.env.TEST_DATABASE_URL;
  return url === undefined ? startOwnServer() : createDatabaseAt(new URL(url));
}

async function createDatabaseAt(url: URL): Promise<TestPostgres> {
  const db = `dialog_sip_spec_${randomBytes(6).toString('hex')}`;
  await statement(url, `create database ${db}`);
  const port = url.port === '' ? 5432 : Number(url.port);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  return {
    ...ways({ host: url.hostname, port, db, user, password }),
    stop: () => statement(url, `drop database ${db}`),
  };
}

function ways(place: Pick<PostgresqlSettings, 'host' | 'port' | 'db' | 'user' | 'password'>): Omit<TestPostgres, 'stop'> {
  const login = `${encodeURIComponent(place.user)}:${encodeURIComponent(place.password)}`;
  return {
    settings: { kind: 'postgresql', ...place, ssl: false, statementTimeoutMs: 10_000, poolMax: 4 },
    url: `postgresql://${login}@${place.host}:${place.port}/${place.db}`,
  };
}

async function statement(url: URL, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function startOwnServer(): Promise<TestPostgres> {
  const bin = await binaries();
  if (bin === undefined) throw new Error(await whyNoPostgres());
  const owner = process.getuid?.() === 0 ? await postgresUser() : undefined;
  const directory = await mkdtemp(join(tmpdir(), 'dialog-sip-postgres-'));
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner !== undefined) {
    await chown(directory, owner.uid, owner.gid);
    await chown(passwordFile, owner.uid, owner.gid);
  }
  const as = { ...owner, cwd: directory };
  const data = join(directory, 'data');
  await run(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'spec', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '--locale=C', '--encoding=UTF8'],
    as,
  );
  const { server, port } = await launch(join(bin, 'postgres'), data, as);
  const killAtExit = (): void => {
    server.kill('SIGQUIT');
  };
  process.once('exit', killAtExit);
  return {
    ...ways({ host: '127.0.0.1', port, db: 'postgres', user: 'spec', password }),
    stop: async () => {
      process.off('exit', killAtExit);
      const ended = once(server, 'exit');
      // Fast shutdown: sessions are ended, data is written.
      if (server.kill('SIGINT')) await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Between finding a free port and taking it somebody else may: then another one. */
async function launch(
  postgres: string,
  data: string,
  as: { uid?: number; gid?: number; cwd: string },
): Promise<{ server: ChildProcess; port: number }> {
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const server = spawn(
      postgres,
      ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
      { ...as, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    said = '';
    for await (const line of createInterface({ input: server.stderr })) {
      said += `${line}\n`;
      if (line.includes('database system is ready to accept connections')) {
        server.stderr.resume();
        return { server, port };
      }
    }
  }
  throw new Error(`PostgreSQL did not start:\n${said}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** The newest version there is. */
async function binaries(): Promise<string | undefined> {
  const versions = await readdir(installed).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(installed, newest, 'bin');
}

async function postgresUser(): Promise<{ uid: number; gid: number } | undefined> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

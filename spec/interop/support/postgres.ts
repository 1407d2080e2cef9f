/**
 * A PostgreSQL server for specs: Debian's binaries in a temporary directory on 127.0.0.1, or the server that
 * TEST_DATABASE_URL names, where a database of our own is made and dropped again.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import type { PostgresqlSettings } from '../../../src/mappings/database.js';
import { freePort } from '../../support/ports.js';

export interface TestPostgres {
  /** A superuser's way to an empty database. */
  readonly settings: PostgresqlSettings;
  /** The same as `postgresql://...`. */
  readonly url: string;
  /** Ends the server, or drops the database that was made. */
  stop(): Promise<void>;
}

/** A server that is ours to break. */
export interface OwnPostgres extends TestPostgres {
  /** As a power cut does it: every session is gone at once. */
  crash(): Promise<void>;
  /** On the same port, with the same data. */
  startAgain(): Promise<void>;
}

const run = promisify(execFile);
const installed = '/usr/lib/postgresql';

/** Why there is no server to be had, in one line; undefined when there is one. */
export async function whyNoPostgres(): Promise<string | undefined> {
  if (process.env.TEST_DATABASE_URL !== undefined) return undefined;
  const why = await whyNoOwnPostgres();
  return why === undefined ? undefined : `${why} and no TEST_DATABASE_URL`;
}

export async function whyNoOwnPostgres(): Promise<string | undefined> {
  if ((await binaries()) === undefined) return `no PostgreSQL in ${installed}`;
  return process.getuid?.() === 0 && (await postgresUser()) === undefined ? 'PostgreSQL does not run as root and there is no user postgres' : undefined;
}

export async function startPostgres(): Promise<TestPostgres> {
  const url = process.env.TEST_DATABASE_URL;
  return url === undefined ? startOwnPostgres() : createDatabaseAt(new URL(url));
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

function ways(place: Pick<PostgresqlSettings, 'host' | 'port' | 'db' | 'user' | 'password'>): Pick<TestPostgres, 'settings' | 'url'> {
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

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const bin = await binaries();
  if (bin === undefined) throw new Error(await whyNoOwnPostgres());
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
  const port = await freePort();
  const start = (): Promise<ChildProcess> => launch(join(bin, 'postgres'), data, port, as);
  let server = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    if (server.kill(signal)) await ended;
  };
  const killAtExit = (): void => {
    server.kill('SIGQUIT');
  };
  process.once('exit', killAtExit);
  return {
    ...ways({ host: '127.0.0.1', port, db: 'postgres', user: 'spec', password }),
    crash: () => end('SIGQUIT'),
    startAgain: async () => {
      server = await start();
    },
    stop: async () => {
      process.off('exit', killAtExit);
      // Fast shutdown: sessions are ended, data is written.
      await end('SIGINT');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(postgres: string, data: string, port: number, as: { uid?: number; gid?: number; cwd: string }): Promise<ChildProcess> {
  const server = spawn(
    postgres,
    ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    { ...as, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  for await (const line of createInterface({ input: server.stderr })) {
    said += `${line}\n`;
    if (line.includes('database system is ready to accept connections')) {
      server.stderr.resume();
      return server;
    }
  }
  throw new Error(`PostgreSQL did not start:\n${said}`);
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

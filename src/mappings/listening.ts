/**
 * One session that listens (LISTEN) for what `schema/004_tell_of_changes.sql` tells, over whatever knex stands on: for PostgreSQL a
 * connection of its own beside the pool, made as the pool makes its; for PGlite its own `listen`.
 */
import type { Knex } from 'knex';
// knex loads its driver at its first connection, 40 ms in which nothing else happens: it is loaded with the rest of the program.
import 'pg';
import type { Client, Notification } from 'pg';
import { ExtensionError, messageOf } from '../base/errors.js';
import { askDatabase, bareCause, databaseError, describeDatabaseError } from '../base/database-errors.js';

const changesChannel = 'sip_user_mappings';

export interface ListeningEvents {
  /** Ids with commas between, or "all". */
  heard(payload: string): void;
  /** Nothing more is heard. Once, and never after `close`. @param why a sentence */
  lost(why: string): void;
}

export interface Listening {
  /** Asks for a sign of life. @throws ExtensionError */
  probe(): Promise<void>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

/** @throws ExtensionError DATABASE_UNAVAILABLE, DATABASE_FAILED */
export type OpenListening = (events: ListeningEvents) => Promise<Listening>;

/** knex's client, as far as it is needed here; its own types leave it open. */
interface PostgresDialect {
  acquireRawConnection(): Promise<Client>;
}

/** Of `pglite-dialect.ts`. */
interface EmbeddedDialect {
  listenTo(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
}

/** @returns undefined when there is no way to listen over this pool */
export function listeningOver(knex: Knex): OpenListening | undefined {
  const dialect: unknown = knex.client;
  if (typeof dialect !== 'object' || dialect === null) return undefined;
  if (isEmbedded(dialect)) return (events) => listenEmbedded(dialect, events);
  return isPostgres(dialect) ? (events) => listenPostgres(dialect, events) : undefined;
}

function isEmbedded(dialect: object): dialect is EmbeddedDialect {
  return typeof Reflect.get(dialect, 'listenTo') === 'function';
}

/** Over a pool of `pg` that the host made by itself knex knows no settings, and would connect to wherever pg's defaults lead. */
function isPostgres(dialect: object): dialect is PostgresDialect {
  const settings: unknown = Reflect.get(dialect, 'connectionSettings');
  const isKnown = typeof settings === 'object' && settings !== null && Object.keys(settings).length > 0;
  return isKnown && Reflect.get(dialect, 'dialect') === 'postgresql' && typeof Reflect.get(dialect, 'acquireRawConnection') === 'function';
}

async function listenPostgres(dialect: PostgresDialect, events: ListeningEvents): Promise<Listening> {
  let client: Client | undefined;
  let isOver = false;
  const lose = (why: string): void => {
    if (isOver) return;
    isOver = true;
    events.lost(why);
  };
  const close = async (): Promise<void> => {
    isOver = true;
    // What does not end in order is closed all the same.
    await client?.end().catch(() => undefined);
  };
  try {
    client = await dialect.acquireRawConnection();
    client.on('error', (thrown) => {
      lose(`${describeDatabaseError(thrown)}.`);
    });
    client.on('end', () => {
      lose('the connection was closed.');
    });
    client.on('notification', ({ channel, payload = '' }: Notification) => {
      if (channel === changesChannel && !isOver) events.heard(payload);
    });
    await client.query(`listen ${changesChannel}`);
  } catch (thrown) {
    await close();
    throw databaseError(thrown, 'Listening for changes');
  }
  const session = client;
  return {
    close,
    probe: async () => {
      await askDatabase('Listening for changes', () => session.query('select 1'));
    },
  };
}

async function listenEmbedded(dialect: EmbeddedDialect, events: ListeningEvents): Promise<Listening> {
  try {
    const unlisten = await dialect.listenTo(changesChannel, (payload) => {
      events.heard(payload);
    });
    return {
      probe: () => Promise.resolve(),
      // A database that is closed already has nothing to unlisten.
      close: () => unlisten().catch(() => undefined),
    };
  } catch (thrown) {
    throw new ExtensionError('DATABASE_FAILED', `Listening for changes failed: ${messageOf(thrown)}`, { cause: bareCause(thrown) });
  }
}

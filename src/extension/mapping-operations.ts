/**
 * What an operator does to the mappings from a command line, as operations on the database that a server.conf names:
 * migrate, list, add, set, remove, import, export. Everything shown is without passwords, but for an export that asks for them.
 */
import type { Knex } from 'knex';
import { ExtensionError, MappingError } from '../base/errors.js';
import type { Peer } from '../host/contract.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig, type SipConfig } from '../config/schema.js';
import { formatMappingsCsv, parseMappingsCsv } from '../mappings/csv.js';
import { openDatabase, sayDatabase, type DatabaseSettings } from '../mappings/database.js';
import { MappingReader } from '../mappings/mapping-reader.js';
import { MappingWriter } from '../mappings/mapping-writer.js';
import { sayAccount, toColumns, type Mapping } from '../mappings/mapping.js';
import type { RejectedRow } from '../mappings/parse-mapping.js';
import { migrate } from '../mappings/migrate.js';
import { Secrets } from '../mappings/secrets.js';
import { addTyped, changeTyped, type TypedMapping } from './typed-mapping.js';

export type { TypedMapping } from './typed-mapping.js';

/** A mapping as it is shown. */
export interface ShownMapping {
  id: number;
  /** `434@example.com:5060` */
  account: string;
  transport: string;
  peer: Peer;
  register: boolean;
  canCall: boolean;
  canBeCalled: boolean;
  /** All of it by the names of the columns, with `has_password` in the place of the password. */
  columns: Record<string, unknown>;
}

export interface ImportReport {
  /** Rows that are in the table now, or with `dryRun` would be. */
  imported: number;
  /** "line 3: sip_port 70000 is not a port (0 to 65535)", in the order of the file. */
  problems: string[];
}

export interface MigrationSummary {
  /** "PostgreSQL at db.example:5432, database dialog" */
  database: string;
  /** The steps that ran now. */
  applied: string[];
}

/** Brings the database of that server.conf to this version. @throws ConfigError, ExtensionError DATABASE_* */
export async function migrateDatabase(configFile: string): Promise<MigrationSummary> {
  const settings = databaseOf(toSipConfig(await readServerConf(configFile)), configFile);
  const database = await openDatabase(settings);
  try {
    const { applied } = await migrate(database.knex);
    return { database: sayDatabase(settings), applied };
  } finally {
    await database.close();
  }
}

/**
 * Opens the database of that server.conf. The caller closes what it gets.
 * @throws ConfigError, ExtensionError DATABASE_UNAVAILABLE
 */
export async function openMappingOperations(configFile: string): Promise<MappingOperations> {
  const config = toSipConfig(await readServerConf(configFile));
  const database = await openDatabase(databaseOf(config, configFile));
  return new MappingOperations(database.knex, new Secrets(config.secrets), () => database.close());
}

/** @throws ExtensionError CONFIG_INVALID when it names none */
export function databaseOf({ database }: SipConfig, configFile: string): DatabaseSettings {
  if (database !== undefined) return database;
  throw new ExtensionError(
    'CONFIG_INVALID',
    `${configFile} names no database: set services.postgresql.host, or services.postgresql.embedded to a directory.`,
  );
}

export class MappingOperations {
  readonly #reader: MappingReader;
  readonly #writer: MappingWriter;

  constructor(
    knex: Knex,
    secrets: Secrets,
    readonly close: () => Promise<void>,
  ) {
    this.#reader = new MappingReader(knex);
    this.#writer = new MappingWriter(knex, secrets);
  }

  async *list(): AsyncGenerator<{ mappings: ShownMapping[]; rejected: RejectedRow[] }, void, undefined> {
    for await (const { mappings, rejected } of this.#reader.pages()) {
      yield { mappings: mappings.map(show), rejected };
    }
  }

  /** @throws MappingError MAPPING_INVALID, MAPPING_CONFLICT */
  async add(typed: TypedMapping): Promise<ShownMapping> {
    return show(await addTyped(this.#writer, typed));
  }

  /** A row that cannot be used can be set right so. @throws MappingError MAPPING_NOT_FOUND, MAPPING_INVALID, MAPPING_CONFLICT */
  async set(id: number, typed: TypedMapping): Promise<ShownMapping> {
    return show(await changeTyped(this.#reader, this.#writer, id, typed));
  }

  /** @throws MappingError MAPPING_NOT_FOUND */
  async remove(id: number): Promise<void> {
    if (!(await this.#writer.remove(id))) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${id}.`);
  }

  /**
   * Adds the rows of a CSV file; a row that is in the table already is a problem of that row. With any problem nothing is
   * written, unless `skipInvalid`. An empty cell takes the column's default.
   * @throws MappingError MAPPING_INVALID when the file as a whole cannot be read
   */
  async importCsv(text: string, options: { skipInvalid?: boolean; dryRun?: boolean } = {}): Promise<ImportReport> {
    const { rows, rejected } = parseMappingsCsv(text);
    const { skipInvalid = false } = options;
    const dryRun = options.dryRun === true || (rejected.length > 0 && !skipInvalid);
    const drafts = rows.map((row) => row.draft);
    const { inserted, conflicts } = await this.#writer.insertAll(drafts, { skipConflicts: skipInvalid, dryRun });
    const problems = [
      ...rejected,
      ...conflicts.map(({ index, problem }) => ({ line: rows[index]?.line ?? 0, problem })),
    ];
    problems.sort((a, b) => a.line - b.line);
    const wouldImport = skipInvalid || problems.length === 0 ? rows.length - conflicts.length : 0;
    return {
      imported: options.dryRun === true ? wouldImport : inserted,
      problems: problems.map(({ line, problem }) => `line ${line}: ${problem}`),
    };
  }

  /**
   * The usable mappings as CSV, text by text.
   * @param options.onRejected told of each row that is left out, for it cannot be used
   */
  exportCsv(options: { withPasswords: boolean; onRejected: (row: RejectedRow) => void }): AsyncIterable<string> {
    return formatMappingsCsv(this.#usablePages(options.onRejected), options);
  }

  async *#usablePages(onRejected: (row: RejectedRow) => void): AsyncGenerator<Mapping[], void, undefined> {
    for await (const { mappings, rejected } of this.#reader.pages()) {
      rejected.forEach(onRejected);
      yield mappings;
    }
  }
}

function show(mapping: Mapping): ShownMapping {
  const row = toColumns(mapping);
  const { sip_parameters, sip_headers } = row;
  const columns = {
    ...row,
    sip_parameters: JSON.parse(String(sip_parameters)) as unknown,
    sip_headers: JSON.parse(String(sip_headers)) as unknown,
  };
  const shown = Object.entries(columns).map(([column, value]) =>
    column === 'sip_password' ? ['has_password', value !== ''] : [column, value],
  );
  return {
    id: mapping.id,
    account: sayAccount(mapping),
    transport: mapping.transport,
    peer: mapping.peer,
    register: mapping.register,
    canCall: mapping.canCall,
    canBeCalled: mapping.canBeCalled,
    columns: { id: mapping.id, ...(Object.fromEntries(shown) as Record<string, unknown>) },
  };
}

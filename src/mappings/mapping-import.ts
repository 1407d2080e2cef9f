/**
 * A CSV file into the table, all of it or nothing: rows that are new are added, rows whose SIP user, host and peer are there already change
 * that mapping in the columns that the file names. A file of hundreds of thousands is read some hundreds at a time, and the event loop has
 * its turn between them.
 */
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { Knex } from 'knex';
import { readMappingsCsv, type CsvProblem, type CsvRow } from './csv.js';
import { askTable, claimAll, rowsOf, table } from './mapping-table.js';
import { mappingColumns, toColumns, type ColumnValue, type Mapping, type MappingColumn, type MappingDraft } from './mapping.js';
import { parseMappingColumns, parseMappingRows } from './parse-mapping.js';
import type { Secrets } from './secrets.js';
import { twinKey } from './sifting.js';

/** Of a file of nothing but errors the first are told; all are counted. */
const mostTold = 1_000;

export interface ImportOutcome {
  /** Those of the file, with errors or without. */
  rows: number;
  /** What was done; with `dryRun` or with errors, what would have been. */
  inserted: number;
  updated: number;
  unchanged: number;
  errorCount: number;
  /** The first thousand, in the order of the file. */
  errors: CsvProblem[];
}

/** Ends a transaction of which nothing is to stay. */
class Undone extends Error {}

export class MappingImport {
  constructor(
    private readonly knex: Knex,
    private readonly secrets: Pick<Secrets, 'seal' | 'open'>,
  ) {}

  /** @throws MappingError MAPPING_INVALID when the file as a whole cannot be read, MAPPING_CONFLICT; ExtensionError DATABASE_* */
  async run(file: Buffer, { dryRun }: { dryRun: boolean }): Promise<ImportOutcome> {
    const outcome: ImportOutcome = { rows: 0, inserted: 0, updated: 0, unchanged: 0, errorCount: 0, errors: [] };
    await askTable('Importing mappings', async () => {
      try {
        await this.knex.transaction(async (transaction) => {
          if (!dryRun) await claimAll(transaction);
          await this.#take(transaction, file, dryRun, outcome);
          if (dryRun || outcome.errorCount > 0) throw new Undone();
        });
      } catch (thrown) {
        if (!(thrown instanceof Undone)) throw thrown;
      }
    });
    return outcome;
  }

  async #take(transaction: Knex.Transaction, file: Buffer, dryRun: boolean, outcome: ImportOutcome): Promise<void> {
    /** The line on which a mapping stands in the file. */
    const seen = new Map<string, number>();
    for await (const { columns, rows, rejected } of readMappingsCsv(file)) {
      const { fresh, twice } = siftSeen(rows, seen);
      note(outcome, [...rejected, ...twice]);
      outcome.rows += rows.length + rejected.length;
      const holders = await holdersOf(transaction, fresh);
      const named = mappingColumns.filter((column) => columns.has(column));
      const added = fresh.filter(({ draft }) => !holders.has(twinKey(draft)));
      const changed: { id: number; changes: Changes }[] = [];
      for (const { draft } of fresh) {
        const holder = holders.get(twinKey(draft));
        if (holder === undefined) continue;
        const changes = this.#changes(holder, draft, named);
        if (changes === undefined) outcome.unchanged += 1;
        else changed.push({ id: holder.id, changes });
      }
      outcome.inserted += added.length;
      outcome.updated += changed.length;
      if (!dryRun && outcome.errorCount === 0) await this.#write(transaction, added, changed);
      await turnOfLoop();
    }
  }

  async #write(transaction: Knex.Transaction, added: readonly CsvRow[], changed: readonly { id: number; changes: Changes }[]): Promise<void> {
    if (added.length > 0) await transaction(table).insert(added.map(({ draft }) => toColumns({ ...draft, sipPassword: this.secrets.seal(draft.sipPassword) })));
    for (const { id, changes } of changed) await transaction(table).where('id', id).update(changes);
  }

  /** What of the holder is to be another; undefined when nothing is. */
  #changes(holder: Mapping, draft: MappingDraft, named: readonly MappingColumn[]): Changes | undefined {
    const present = toColumns(holder);
    const typed = toColumns(draft);
    const other = named.filter((column) => (column === 'sip_password' ? this.#isOtherPassword(holder, draft) : typed[column] !== present[column]));
    if (other.length === 0) return undefined;
    const changed = parseMappingColumns({ ...present, ...pick(typed, other) });
    const columns = toColumns({ ...changed, sipPassword: this.secrets.seal(changed.sipPassword) });
    // Transport and handshake are written together: what the row holds for another transport was judged by nobody.
    return pick(columns, other.some((column) => reach.includes(column)) ? [...other, ...reach] : other);
  }

  /** An empty cell leaves the password: a file that an operator exported has none. */
  #isOtherPassword({ sipPassword: present }: Mapping, { sipPassword: typed }: MappingDraft): boolean {
    if (typed === '' || typed === present) return false;
    try {
      return JSON.stringify(this.secrets.open(present)) !== JSON.stringify(this.secrets.open(typed));
    } catch {
      // One that cannot be read any more is no better than another.
      return true;
    }
  }
}

type Changes = Partial<Record<MappingColumn, ColumnValue>>;

const reach: readonly MappingColumn[] = ['sip_parameters', 'sip_headers'];

function pick(columns: Record<MappingColumn, ColumnValue>, names: readonly MappingColumn[]): Changes {
  return Object.fromEntries(names.map((name) => [name, columns[name]]));
}

/** Which rows of the file are there for the first time. */
function siftSeen(rows: readonly CsvRow[], seen: Map<string, number>): { fresh: CsvRow[]; twice: CsvProblem[] } {
  const fresh: CsvRow[] = [];
  const twice: CsvProblem[] = [];
  for (const row of rows) {
    const key = twinKey(row.draft);
    const before = seen.get(key);
    if (before === undefined) fresh.push(row);
    else twice.push({ line: row.line, column: 'sip_user', problem: `this SIP user, host and peer stand on line ${before} already` });
    seen.set(key, before ?? row.line);
  }
  return { fresh, twice };
}

/** The mappings that are there already, by what tells them apart. */
async function holdersOf(transaction: Knex.Transaction, rows: readonly CsvRow[]): Promise<Map<string, Mapping>> {
  const users = [...new Set(rows.map(({ draft }) => draft.sipUser))];
  const { mappings } = parseMappingRows(await rowsOf(transaction).whereIn('sip_user', users).orderBy('id', 'desc'));
  return new Map(mappings.map((mapping) => [twinKey(mapping), mapping]));
}

function note(outcome: ImportOutcome, problems: readonly CsvProblem[]): void {
  outcome.errorCount += problems.length;
  const sorted = [...problems].sort((one, other) => one.line - other.line);
  outcome.errors.push(...sorted.slice(0, mostTold - outcome.errors.length));
}

/**
 * What is read of the table `sip_user_mappings`: rows as they stand, rows judged one by one, and the stamps by which a changed row is known.
 * Every method throws ExtensionError DATABASE_FAILED or DATABASE_UNAVAILABLE.
 */
import type { Knex } from 'knex';
import { askTable, columns, rowsOf, table, type Row } from './mapping-table.js';
import { mappingColumns, type Mapping } from './mapping.js';
import { parseMappingRow, parseMappingRows, type RejectedRow } from './parse-mapping.js';

type RawStamp = { id: string | number; hash: number };

/** The server hashes: a comparison of all rows carries numbers alone, and no password. */
const stampOfRow = `hashtext(row(${mappingColumns.join(', ')})::text) as hash`;

const rowHasText = 'sip_user ilike :part or sip_host ilike :part or display_name ilike :part or cast(peer_id as text) = :text';

export interface MappingPage {
  mappings: Mapping[];
  rejected: RejectedRow[];
}

export interface RowSearch {
  readonly text?: string;
  readonly afterId: number;
  readonly limit: number;
}

/** Which row, and a 32-bit hash of the columns that are judged: as long as it is the same, so is the mapping. */
export interface RowStamp {
  /** NaN for an id that is no number here (2^53 and more). */
  id: number;
  hash: number;
}

/** A row with its stamp, judged. */
export interface StampedRow extends RowStamp {
  judged: { mapping: Mapping } | { rejected: RejectedRow };
}

export class MappingReader {
  constructor(private readonly knex: Knex) {}

  /** Every row, by ascending id, `size` at a time. Rows that come or go meanwhile may be seen or not. */
  async *pages(size = 1000): AsyncGenerator<MappingPage, void, undefined> {
    for await (const rows of this.#walk(() => rowsOf(this.knex), size)) yield parseMappingRows(rows);
  }

  /** As `pages`, each row with its stamp. */
  async *stampedPages(size = 200): AsyncGenerator<StampedRow[], void, undefined> {
    for await (const rows of this.#walk(() => this.#stampedRows(), size)) yield rows.map(judgeStamped);
  }

  /** The stamps of all rows, by ascending id. */
  async *stampPages(size = 2000): AsyncGenerator<RowStamp[], void, undefined> {
    const select = (): Knex.QueryBuilder<RawStamp, RawStamp[]> =>
      this.knex<RawStamp, RawStamp[]>(table).select<RawStamp[]>('id', this.knex.raw(stampOfRow));
    for await (const rows of this.#walk(select, size)) yield rows.map(({ id, hash }) => ({ id: toId(id), hash }));
  }

  /** Those of these rows that there are; some hundreds at most. */
  async stampedRows(ids: readonly number[]): Promise<StampedRow[]> {
    const rows = await askTable('Reading changed mappings', () => this.#stampedRows().whereIn('id', [...ids]));
    return rows.map(judgeStamped);
  }

  /**
   * At most `limit` rows as they stand, judged by nobody, by ascending id from the first above `afterId`.
   * @param query text: only those whose SIP user, host or display name it is a part of, in any case, or whose peer has that number
   */
  async search({ text, afterId, limit }: RowSearch): Promise<Row[]> {
    return askTable('Searching the mappings', async () => {
      const query = rowsOf(this.knex).where('id', '>', afterId).orderBy('id').limit(limit);
      return text === undefined ? query : query.andWhereRaw(`(${rowHasText})`, { part: `%${text.replace(/[\\%_]/g, '\\$&')}%`, text });
    });
  }

  /** One row as it stands, judged by nobody. */
  async row(id: number): Promise<Row | undefined> {
    return askTable(`Reading mapping ${id}`, () => rowsOf(this.knex).where('id', id).first());
  }

  /** All rows of that query, by ascending id, `size` at a time. */
  async *#walk<R extends { id: string | number }>(select: () => Knex.QueryBuilder<R, R[]>, size: number): AsyncGenerator<R[], void, undefined> {
    let after: string | number | undefined;
    for (;;) {
      const start = after;
      const rows = await askTable('Reading the mappings', async (): Promise<R[]> => {
        const query = select().orderBy('id').limit(size);
        return (await (start === undefined ? query : query.where('id', '>', start))) as R[];
      });
      if (rows.length > 0) yield rows;
      if (rows.length < size) return;
      after = rows.at(-1)?.id;
    }
  }

  #stampedRows(): Knex.QueryBuilder<Row & RawStamp, (Row & RawStamp)[]> {
    return this.knex<Row & RawStamp, (Row & RawStamp)[]>(table).select<(Row & RawStamp)[]>([...columns, this.knex.raw(stampOfRow)]);
  }
}

/** int8 is text. */
function toId(id: string | number): number {
  const number = Number(id);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

function judgeStamped(row: Row & RawStamp): StampedRow {
  return { id: toId(row.id), hash: row.hash, judged: parseMappingRow(row) };
}

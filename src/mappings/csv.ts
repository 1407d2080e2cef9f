/**
 * Mappings as CSV (RFC 4180): a header with the names of the guide's columns, then a row per mapping, the JSON columns as
 * JSON text. Reading judges each row alone and says the line of those that cannot be used; no message quotes a cell that
 * could be a password.
 */
import { Readable } from 'node:stream';
import { CsvError as StreamError, parse as parseStream } from 'csv-parse';
import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { MappingError } from '../base/errors.js';
import { mappingColumns, toColumns, type Mapping, type MappingColumn, type MappingDraft } from './mapping.js';
import { parseMappingColumns } from './parse-mapping.js';

export interface CsvRow {
  /** 1-based; of a row that spans lines the last one. */
  line: number;
  draft: MappingDraft;
}

export interface CsvProblem {
  line: number;
  /** The first column at fault. */
  column?: string;
  /** "sip_port 70000 is not a port (0 to 65535)" */
  problem: string;
}

/** Some rows of a long file. */
export interface CsvBatch {
  /** Those that the header names. */
  columns: ReadonlySet<string>;
  rows: CsvRow[];
  rejected: CsvProblem[];
}

/** Columns of the table that a dump has and an import has no use for. */
const ignoredColumns: readonly string[] = ['id', 'created_at', 'updated_at'];
const requiredColumns: readonly MappingColumn[] = ['sip_user', 'sip_host', 'peer_id'];

/** One row, bytes: an unclosed quote must not swallow a file. */
const largestRow = 64 * 1024;
/** What is split at once, bytes. */
const sliceBytes = 32 * 1024;

/**
 * @throws MappingError MAPPING_INVALID when the header is not one, or the quotes are such that rows cannot be told apart
 */
export function parseMappingsCsv(text: string): Omit<CsvBatch, 'columns'> {
  const [first, ...records] = splitRecords(text);
  return judgeRecords(readHeader(first), records);
}

/**
 * As `parseMappingsCsv`, some hundreds of rows at a time, so that a long file can be read beside other work.
 * @throws as it does, when it comes to the place
 */
export async function* readMappingsCsv(file: Buffer, size = 200): AsyncGenerator<CsvBatch, void, undefined> {
  let header: readonly string[] | undefined;
  let records: CsvRecord[] = [];
  const batch = (names: readonly string[]): CsvBatch => {
    const judged = judgeRecords(names, records);
    records = [];
    return { columns: new Set(names), ...judged };
  };
  try {
    const parser: AsyncIterable<ParsedRecord> = Readable.from(slices(file), { objectMode: false }).pipe(parseStream(csvOptions));
    for await (const parsed of parser) {
      const record = toRecord(parsed);
      if (header === undefined) header = readHeader(record);
      else if (records.push(record) === size) yield batch(header);
    }
  } catch (thrown) {
    throw sayCsvError(thrown);
  }
  yield batch(header ?? readHeader(undefined));
}

/**
 * The header, then a text per page.
 * @param options.withPasswords else the column sip_password is there and empty
 */
export async function* formatMappingsCsv(
  pages: AsyncIterable<readonly Mapping[]>,
  options: { withPasswords: boolean },
): AsyncGenerator<string, void, undefined> {
  yield stringify([mappingColumns]);
  for await (const mappings of pages) {
    yield stringify(
      mappings.map((mapping) => {
        const row = toColumns(options.withPasswords ? mapping : { ...mapping, sipPassword: '' });
        // The writer would make "1" and "" of true and false.
        return mappingColumns.map((column) => (typeof row[column] === 'boolean' ? String(row[column]) : row[column]));
      }),
    );
  }
}

export interface CsvRecord {
  cells: string[];
  /** As of a `CsvRow`. */
  line: number;
}

/** Every row, the header among them. @throws MappingError MAPPING_INVALID when the quotes are such that rows cannot be told apart */
export function splitRecords(text: string): CsvRecord[] {
  try {
    return (parse(text, csvOptions) as unknown as ParsedRecord[]).map(toRecord);
  } catch (thrown) {
    throw sayCsvError(thrown);
  }
}

const csvOptions = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, max_record_size: largestRow } as const;

interface ParsedRecord {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

function toRecord({ record, info }: ParsedRecord): CsvRecord {
  return { cells: record, line: info.lines };
}

function sayCsvError(thrown: unknown): unknown {
  if (!(thrown instanceof CsvError || thrown instanceof StreamError)) return thrown;
  const line = typeof thrown.lines === 'number' ? thrown.lines : 1;
  // Its own message quotes the cell.
  return new MappingError('MAPPING_INVALID', `line ${line}: the quotes do not match, or the row is longer than ${largestRow} bytes (${thrown.code}).`);
}

function* slices(file: Buffer): Generator<Buffer, void, undefined> {
  for (let start = 0; start < file.length; start += sliceBytes) yield file.subarray(start, start + sliceBytes);
}

function judgeRecords(header: readonly string[], records: readonly CsvRecord[]): Omit<CsvBatch, 'columns'> {
  const rows: CsvRow[] = [];
  const rejected: CsvProblem[] = [];
  for (const { cells, line } of records) {
    if (cells.length !== header.length) {
      rejected.push({ line, problem: `${cells.length} cells, the header has ${header.length}` });
      continue;
    }
    try {
      rows.push({ line, draft: parseMappingColumns(nameCells(header, cells)) });
    } catch (thrown) {
      if (!(thrown instanceof MappingError)) throw thrown;
      rejected.push({ line, column: thrown.fields[0], problem: thrown.message });
    }
  }
  return { rows, rejected };
}

/** The names of the columns, lower case. @throws MappingError MAPPING_INVALID */
function readHeader(first: CsvRecord | undefined): readonly string[] {
  if (first === undefined) throw new MappingError('MAPPING_INVALID', `The file is empty: its first line names the columns, ${mappingColumns.join(', ')}.`);
  const header = first.cells.map((name) => name.trim().toLowerCase());
  checkHeader(header);
  return header;
}

function checkHeader(header: readonly string[]): void {
  const known: readonly string[] = mappingColumns;
  const unknown = header.filter((name) => !known.includes(name) && !ignoredColumns.includes(name));
  const twice = header.filter((name, index) => header.indexOf(name) !== index);
  const missing = requiredColumns.filter((name) => !header.includes(name));
  const problems = [
    unknown.length > 0 ? `there is no column ${unknown.map((name) => JSON.stringify(name)).join(', ')}` : '',
    twice.length > 0 ? `${twice.join(', ')} stands there twice` : '',
    missing.length > 0 ? `${missing.join(', ')} must be there` : '',
  ].filter((problem) => problem !== '');
  if (problems.length === 0) return;
  throw new MappingError('MAPPING_INVALID', `line 1, the header: ${problems.join('; ')}. The columns are ${known.join(', ')}.`, { fields: missing });
}

/** An empty cell takes the column's default. */
function nameCells(header: readonly string[], cells: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  header.forEach((name, index) => {
    const cell = cells[index];
    if (cell !== undefined && cell !== '') named[name] = cell;
  });
  return named;
}

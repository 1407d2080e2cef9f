/**
 * Users that a messaging server has already, from a file: CSV (RFC 4180) whose first line names the columns, or a JSON object on each line.
 * `id` must be there; `name`, `nick` and `disabled` count, everything else is passed over. Each line is judged alone.
 */
import { z } from 'zod';
import { MappingError } from '../base/errors.js';
import type { HostUser } from '../host/contract.js';
import { splitRecords } from '../mappings/csv.js';

/** A line of the file, 1-based: a user, or what is wrong with it. */
export type ListedUser = { line: number } & ({ user: HostUser } | { problem: string });

const yesAndNo: Readonly<Record<string, boolean>> = { true: true, t: true, yes: true, '1': true, false: false, f: false, no: false, '0': false };

const someText = z.preprocess((value) => value ?? undefined, z.string({ error: 'is not a text' }).optional());
const wholeNumber = { error: 'is not a whole number above 0' };
const listedUser = z.object(
  {
    id: z.preprocess((value) => (typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value), z.int(wholeNumber).positive(wholeNumber)),
    name: someText,
    nick: someText,
    disabled: z.preprocess(
      (value) => (typeof value === 'string' ? (yesAndNo[value.trim().toLowerCase()] ?? value) : (value ?? undefined)),
      z.boolean({ error: 'is neither true nor false' }).optional(),
    ),
  },
  { error: 'is no JSON object' },
);

/** @throws MappingError MAPPING_INVALID when the file as a whole cannot be read */
export function parseUserList(text: string): ListedUser[] {
  const content = text.replace(/^\uFEFF/, '');
  return content.trimStart().startsWith('{') ? parseJsonLines(content) : parseCsv(content);
}

function parseJsonLines(text: string): ListedUser[] {
  return text
    .split('\n')
    .map((content, index) => ({ content: content.trim(), line: index + 1 }))
    .filter(({ content }) => content !== '')
    .map(({ content, line }) => judge(line, readJson(content)));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseCsv(text: string): ListedUser[] {
  const [first, ...records] = splitRecords(text);
  const header = (first?.cells ?? []).map((name) => name.trim().toLowerCase());
  if (!header.includes('id')) {
    throw new MappingError('MAPPING_INVALID', 'line 1 names no column id: want a CSV file that begins with a line like "id,name,nick", or a JSON object on each line.');
  }
  return records.map(({ cells, line }) =>
    cells.length === header.length
      ? judge(line, Object.fromEntries(header.map((name, index) => [name, cells[index] === '' ? undefined : cells[index]])))
      : { line, problem: `line ${line}: ${cells.length} cells, the header has ${header.length}` },
  );
}

function judge(line: number, value: unknown): ListedUser {
  const read = listedUser.safeParse(value);
  if (read.success) return { line, user: read.data };
  return { line, problem: `line ${line}: ${read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ')}` };
}

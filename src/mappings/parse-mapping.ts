/**
 * Rows are judged one by one, whether they come from the table, a CSV file, the command line or autocreate. A row that cannot be used is told
 * in words and harms no other. Passwords never stand in those words.
 */
import { MappingError } from '../base/errors.js';
import { mappingSchema, rowId } from './mapping-schema.js';
import type { Mapping, MappingColumn, MappingDraft } from './mapping.js';
import { ordinaryMapping } from './ordinary-row.js';

/** A row that cannot be used, and why: "row 7: sip_port 70000 is not a port (0 to 65535)". */
export interface RejectedRow {
  /** Absent when even the id cannot be read. */
  id?: number;
  problem: string;
}

/** One row of the table. Never throws. */
export function parseMappingRow(row: unknown): { mapping: Mapping } | { rejected: RejectedRow } {
  const ordinary = ordinaryMapping(row);
  if (ordinary !== undefined) return { mapping: ordinary };
  const numbered = rowId.safeParse(row);
  if (!numbered.success) return { rejected: { problem: 'a row without a usable id' } };
  const { id } = numbered.data;
  const judged = judge(row);
  if ('draft' in judged) return { mapping: { id, ...judged.draft } };
  return { rejected: { id, problem: `row ${id}: ${judged.problem}` } };
}

/** @throws MappingError MAPPING_INVALID when it cannot be used */
export function usableMapping(row: unknown): Mapping {
  const parsed = parseMappingRow(row);
  if ('mapping' in parsed) return parsed.mapping;
  throw new MappingError('MAPPING_INVALID', `${sayUnusable(parsed.rejected)}.`);
}

export function sayUnusable({ problem }: RejectedRow): string {
  return `The mapping cannot be used: ${problem}`;
}

/** Many rows, each judged alone. Never throws. */
export function parseMappingRows(rows: readonly unknown[]): { mappings: Mapping[]; rejected: RejectedRow[] } {
  const mappings: Mapping[] = [];
  const rejected: RejectedRow[] = [];
  for (const row of rows) {
    const parsed = parseMappingRow(row);
    if ('mapping' in parsed) mappings.push(parsed.mapping);
    else rejected.push(parsed.rejected);
  }
  return { mappings, rejected };
}

/**
 * A mapping that is not in the table yet, by the names of its columns; what is absent takes the table's default.
 * @throws MappingError MAPPING_INVALID that names every column at fault
 */
export function parseMappingColumns(row: Partial<Record<MappingColumn, unknown>>): MappingDraft {
  const judged = judge(row);
  if ('draft' in judged) return judged.draft;
  throw new MappingError('MAPPING_INVALID', judged.problem, { fields: judged.fields });
}

type Judged = { draft: MappingDraft } | { problem: string; fields: string[] };

function judge(row: unknown): Judged {
  const parsed = mappingSchema.safeParse(row);
  if (parsed.success) return { draft: parsed.data };
  return {
    problem: parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim()).join('; '),
    fields: [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))],
  };
}

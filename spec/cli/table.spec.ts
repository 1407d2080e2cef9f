import { describe, expect, it } from 'vitest';
import { liveCallTable, recordTable } from '../../src/cli/call-table.js';
import { mappingTable } from '../../src/cli/mapping-table.js';
import { registrationTable } from '../../src/cli/registration-table.js';
import { table, widthFor } from '../../src/cli/table.js';

const columns = [
  { title: 'id', width: 4, right: true, cell: ([id = '']: string[]) => id },
  { title: 'name', width: 10, stretches: true, cell: ([, name = '']: string[]) => name },
  { title: 'place', width: 62, stretches: true, cell: ([, , place = '']: string[]) => place },
];
const long = 'x'.repeat(100);

describe('a table', () => {
  it('is 80 wide where there is no terminal, and cuts the middle out of what is longer', () => {
    const { header, line } = table(columns, widthFor(undefined));
    expect(header()).toBe(`  id  name        place\n`);
    expect(line(['7', 'anna-berta-carla', long])).toBe(`   7  anna-…arla  ${'x'.repeat(31)}…${'x'.repeat(30)}\n`);
  });

  it('gives those that stretch what a terminal is wider', () => {
    expect(table(columns, widthFor(100)).line(['7', 'anna-berta-carla', long])).toBe(`   7  anna-berta-carla      ${'x'.repeat(36)}…${'x'.repeat(35)}\n`);
  });

  it('gets no wider than a row can be followed, and no narrower than a sentence can be read', () => {
    expect([widthFor(400), widthFor(0)]).toEqual([160, 40]);
  });

  it('takes from those that stretch on a narrow terminal, as far as they can be read', () => {
    expect(table(columns, widthFor(60)).line(['7', 'anna-berta-carla', long])).toHaveLength(4 + 2 + 8 + 2 + 52 + 1);
  });
});

describe.each([
  ['mappings', (width: number) => mappingTable(width).header()],
  ['registrations', (width: number) => registrationTable(0, width).header()],
  ['calls that are over', (width: number) => recordTable(width).header()],
  ['calls that go on', (width: number) => liveCallTable(0, width).header()],
])('the table of %s', (_what, headerAt) => {
  it('fits 80 columns, and grows with the terminal', () => {
    expect(headerAt(80).trimEnd().length).toBeLessThanOrEqual(80);
    const grown = headerAt(120).trimEnd().length - headerAt(80).trimEnd().length;
    expect(grown).toBe(40);
  });
});

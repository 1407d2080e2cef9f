import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transitions } from '../../src/registrar/transitions.js';

const page = fileURLToPath(new URL('../../docs/registrations.md', import.meta.url));

/** The table as Markdown, one line a row. */
function printTransitions(): string {
  const lines = ['| state | what happens | becomes | what is done |', '| --- | --- | --- | --- |'];
  for (const [state, events] of Object.entries(transitions)) {
    for (const [event, { next, actions }] of Object.entries(events)) {
      lines.push(`| \`${state}\` | ${event} | \`${next}\` | ${actions.join(', ')} |`);
    }
  }
  return lines.join('\n');
}

describe('docs/registrations.md', () => {
  /** `-u` writes the page anew. */
  it('shows the table that the program works by', async () => {
    const text = await readFile(page, 'utf8');
    const between = /(?<=<!-- transitions:[^\n]*-->\n)[^]*(?=<!-- \/transitions -->)/;
    const printed = text.replace(between, () => `${printTransitions()}\n`);
    expect(printed).toContain(printTransitions());
    await expect(printed).toMatchFileSnapshot(page);
  });
});

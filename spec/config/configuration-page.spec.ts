import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printConfiguration } from '../support/configuration-page.js';
import { root } from '../support/pages.js';

describe('docs/configuration.md', () => {
  /** `-u` writes the page anew. */
  it('shows every key, what it may be and its default, as server.conf is read', async () => {
    const page = join(root, 'docs/configuration.md');
    const between = /(?<=<!-- keys:[^\n]*-->\n)[^]*(?=<!-- \/keys -->)/;
    const printed = (await readFile(page, 'utf8')).replace(between, () => `\n${printConfiguration()}\n\n`);
    expect(printed).toContain(printConfiguration());
    await expect(printed).toMatchFileSnapshot(page);
  });

  it('says of each key what is accepted, in the words in which it is refused otherwise', () => {
    const text = printConfiguration();
    expect(text).toContain('| `trace-level` (guide) | one of 0, 2, 4, 8, 16, 32 | `0` |');
    expect(text).toContain('| `expires` (guide) | a duration from 1 minute to 1 day | `30 minutes` |');
    expect(text).toContain('| `trusted` | a list of: an IP address or a block like 10.0.0.0/8 |');
    expect(text).toContain('| `rewrite[].match` | a regular expression |');
    expect(text).toContain('one that ends in \\* for all that begin so, +49\\*;');
  });
});

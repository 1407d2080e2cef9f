import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { corrections, installCorrections } from '../../src/sip/corrections/index.js';
import { correct } from '../../src/sip/corrections/pin.js';

const page = fileURLToPath(new URL('../../docs/sip-stack.md', import.meta.url));

/** The corrections as Markdown, one line each. */
function printCorrections(): string {
  const rows = corrections.map(({ member, why }) => `| \`${member}\` | ${why.replaceAll('|', '\\|')} |`);
  return ['| what is replaced | what the RFC says, and what SIP.js does |', '| --- | --- |', ...rows].join('\n');
}

describe('a correction', () => {
  it('replaces what it was written against, and nothing else', () => {
    class Stock {
      greet(): string {
        return 'stock';
      }
    }
    const wrongPin = correct(Stock.prototype, 'greet', '00000000', 'RFC 0', () => 'corrected');
    expect(() => {
      wrongPin.install();
    }).toThrow(/Stock\.greet is [0-9a-f]{8}, not 00000000/);
    expect(new Stock().greet()).toBe('stock');
    expect(() => {
      correct(Stock.prototype, 'gone', '00000000', 'RFC 0', () => 'corrected').install();
    }).toThrow(/Stock\.gone is nothing/);
  });

  it('is made to the SIP.js that is installed, once or again', () => {
    installCorrections();
    installCorrections();
    expect(new Set(corrections.map(({ member }) => member)).size).toBe(corrections.length);
  });
});

describe('docs/sip-stack.md', () => {
  /** `-u` writes the page anew. */
  it('shows every correction', async () => {
    const text = await readFile(page, 'utf8');
    const between = /(?<=<!-- corrections:[^\n]*-->\n)[^]*(?=<!-- \/corrections -->)/;
    const printed = text.replace(between, () => `${printCorrections()}\n`);
    expect(printed).toContain(printCorrections());
    await expect(printed).toMatchFileSnapshot(page);
  });
});

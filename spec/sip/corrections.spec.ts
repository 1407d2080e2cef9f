import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { corrections, installCorrections } from '../../src/sip/corrections/index.js';
import { correct, measured } from '../../src/sip/corrections/pin.js';

const page = fileURLToPath(new URL('../../docs/sip-stack.md', import.meta.url));

/** The corrections as Markdown, one line each. */
function printCorrections(): string {
  const rows = corrections.map(({ member, why, spec }) => `| \`${member}\` | ${why.replaceAll('|', '\\|')} | ${spec} |`);
  return ['| what is replaced | what the RFC says, and what SIP.js does | what fails without it |', '| --- | --- | --- |', ...rows].join('\n');
}

describe('a correction', () => {
  it('replaces what it was written against, and nothing else', () => {
    class Stock {
      greet(): string {
        return 'stock';
      }
    }
    const wrongPin = correct(Stock.prototype, 'greet', '00000000', 'RFC 0', 'a spec', () => 'corrected');
    expect(() => {
      wrongPin.install();
    }).toThrow(/Stock\.greet is [0-9a-f]{8}, not 00000000/);
    expect(new Stock().greet()).toBe('stock');
    expect(() => {
      correct(Stock.prototype, 'gone', '00000000', 'RFC 0', 'a spec', () => 'corrected').install();
    }).toThrow(/Stock\.gone is nothing/);
  });

  it('is made to the SIP.js that is installed, once or again', () => {
    installCorrections();
    installCorrections();
    expect(new Set(corrections.map(({ member }) => member)).size).toBe(corrections.length);
  });
});

describe('the spec that fails without a correction', () => {
  it('is there', async () => {
    const here = fileURLToPath(new URL('.', import.meta.url));
    const files = (await readdir(here, { recursive: true })).filter((name) => name.endsWith('.spec.ts'));
    const all = (await Promise.all(files.map((name) => readFile(join(here, name), 'utf8')))).join();
    for (const { member, spec } of corrections.filter((correction) => correction.spec !== measured)) expect(all.includes(`it('${spec}', `), `${member}: ${spec}`).toBe(true);
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

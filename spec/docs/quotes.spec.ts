import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pages, root } from '../support/pages.js';

/** All of `src` but its comments, with texts that are joined by `+` over several lines made whole. */
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n')
  .replaceAll(/^ *(?:\/\*[^]*?\*\/|\/\/.*)$/gm, '')
  .replaceAll(/'\s*\+\s*'/g, '')
  .replaceAll(String.raw`\``, '`');

/** `…` stands for what the program puts in; a full stop may come from elsewhere. */
function isSaid(quote: string): boolean {
  const parts = quote.replace(/\.$/, '').split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[^\\n]*')).test(source);
}

describe('docs/troubleshooting.md', () => {
  const quotes = pages.find(({ path }) => path === 'docs/troubleshooting.md')?.prose.flatMap((line) => /^> (.+)$/.exec(line)?.[1] ?? []) ?? [];

  it('quotes sentences that the program says', () => {
    expect(quotes.length).toBeGreaterThan(20);
    expect(quotes.filter((quote) => !isSaid(quote))).toEqual([]);
    expect(isSaid('The registrar refused the passwort')).toBe(false);
  });
});

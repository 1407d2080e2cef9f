import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, linksOf, pages, readPage, resolveLink, root, type Page } from '../support/pages.js';

/** What is wrong with the links of a page, one line each. */
function brokenLinks(page: Page): string[] {
  return linksOf(page).flatMap(({ line, target }) => {
    const to = resolveLink(page, target);
    if (to === undefined) return [];
    if (!existsSync(join(root, to.path))) return [`${page.path}:${line}: ${target}: there is no ${to.path}`];
    const other = pages.find(({ path }) => path === to.path);
    if (to.anchor === '' || other === undefined) return [];
    return anchorsOf(other).has(to.anchor) ? [] : [`${page.path}:${line}: ${target}: no heading of ${to.path} is called so`];
  });
}

/** What the npm package holds: what it says, and what npm takes in any case. */
const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
const packed = [...files, 'README.md', 'LICENSE', 'package.json'];
const isPacked = (path: string): boolean => packed.some((file) => path === file || path.startsWith(`${file}/`));

describe('the links of the pages', () => {
  it.each(pages.map((page) => [page.path, page] as const))('lead somewhere: %s', (_path, page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it.each(pages.filter(({ path }) => isPacked(path)).map((page) => [page.path, page] as const))('lead to what the package holds: %s', (_path, page) => {
    const targets = linksOf(page).map(({ target }) => resolveLink(page, target)?.path);
    expect(targets.filter((path) => path !== undefined && !isPacked(path))).toEqual([]);
  });

  it('reach every page of docs/ from its index, or from the README', () => {
    const reached = pages.filter(({ path }) => path.endsWith('README.md')).flatMap((page) => linksOf(page).map(({ target }) => resolveLink(page, target)?.path));
    const missing = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== 'docs/README.md' && !reached.includes(path));
    expect(missing).toEqual([]);
  });

  it('are told when they lead nowhere', () => {
    const text = '# A `b`\n\n[gone](nowhere.md) [`x`](calls.md#no-such) [well](calls.md#records) `[code](gone.md)`\n[far](https://example.com)\n\n    [block](gone.md)\n';
    expect(brokenLinks(readPage('docs/x.md', text))).toEqual([
      'docs/x.md:3: nowhere.md: there is no docs/nowhere.md',
      'docs/x.md:3: calls.md#no-such: no heading of docs/calls.md is called so',
    ]);
    expect([...anchorsOf(readPage('docs/x.md', '# Who may: `modules.sip`, and why?\n## A\n## A\n'))]).toEqual(['who-may-modulessip-and-why', 'a', 'a-1']);
  });
});

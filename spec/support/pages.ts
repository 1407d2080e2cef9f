/** The Markdown pages of the project, as the specs of `spec/docs` read them: prose, headings, links and blocks of code. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Block {
  /** The first line of its text, from 1. */
  line: number;
  /** `hocon`; empty for an indented block, or a fence without a word. */
  language: string;
  text: string;
}

export interface Page {
  /** From the root of the project. */
  path: string;
  /** The lines of the file, those of blocks blank. */
  prose: string[];
  blocks: Block[];
}

export const pages: readonly Page[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
].map((path) => readPage(path, readFileSync(join(root, path), 'utf8')));

/** Fences, and what is indented by four blanks behind an empty line and is not in a list. */
export function readPage(path: string, text: string): Page {
  const prose: string[] = [];
  const blocks: Block[] = [];
  let fence: { mark: string; block: Block } | undefined;
  let indented: Block | undefined;
  text.split('\n').forEach((line, index) => {
    const [, mark = '', language = ''] = /^(`{3,})([\w-]*)\s*$/.exec(line) ?? [];
    const before = prose.at(-1) ?? '';
    prose.push('');
    if (fence !== undefined) {
      if (mark === fence.mark && language === '') fence = undefined;
      else fence.block.text += `${line}\n`;
      return;
    }
    if (mark !== '') {
      fence = { mark, block: { line: index + 2, language, text: '' } };
      blocks.push(fence.block);
      return;
    }
    if (line.startsWith('    ') && (indented !== undefined || before.trim() === '')) {
      if (indented === undefined) blocks.push((indented = { line: index + 1, language: '', text: '' }));
      indented.text += `${line.slice(4)}\n`;
      return;
    }
    if (line.trim() === '' && indented !== undefined) {
      indented.text += '\n';
      return;
    }
    indented = undefined;
    prose[index] = line;
  });
  return { path, prose, blocks };
}

/** The names that GitHub gives to the headings of a page, for `#...` in a link to it. */
export function anchorsOf({ prose }: Page): Set<string> {
  const seen = new Map<string, number>();
  const headings = prose.flatMap((line) => /^#{1,6} +(.*?)\s*$/.exec(line)?.[1] ?? []);
  return new Set(
    headings.map((heading) => {
      const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
      const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** Where the links of a page lead, as they are written, with the line of each; links in code are none. */
export function linksOf({ prose }: Page): { line: number; target: string }[] {
  return prose.flatMap((text, index) => {
    const plain = text.replaceAll(/(?<=[^`]|^)(`[^`]+`)(?=\]\()/g, 'code').replaceAll(/`[^`]*`/g, '');
    return [...plain.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => ({ line: index + 1, target }));
  });
}

/** The file that a link of that page leads to, from the root of the project, and the anchor in it; undefined for one that leads elsewhere. */
export function resolveLink(page: Page, target: string): { path: string; anchor: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [file = '', anchor = ''] = target.split('#');
  return { path: file === '' ? page.path : join(dirname(page.path), file), anchor };
}

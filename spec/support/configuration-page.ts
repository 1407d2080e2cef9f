/** The tables of docs/configuration.md, from the schema of server.conf and from what the reader says when it is given something else. */
import { serverConfJsonSchema } from '../../src/config/json-schema.js';
import { toSipConfig } from '../../src/config/schema.js';
import { isRecord } from '../../src/config/values.js';
import { ConfigError } from '../../src/base/errors.js';

interface Key {
  path: readonly string[];
  schema: Record<string, unknown>;
}

/** The sections, each with its keys, as Markdown. */
export function printConfiguration(): string {
  const roots = [['modules', 'sip'], ['services', 'postgresql']];
  return roots.flatMap((path) => printSection({ path, schema: schemaAt(path) })).join('\n\n');
}

function printSection(section: Key): string[] {
  const keys = keysOf(section);
  const isSection = (key: Key): boolean => keysOf(key).length > 0;
  const rows = keys.filter((key) => !isSection(key)).flatMap((key) => [key, ...elementKeys(key)].map(printKey));
  const head = `### \`${section.path.join('.')}\`\n\n${prose(textOf(section, 'description'))}`;
  const table = ['| key | accepted | default | what it is |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return [rows.length === 0 ? head : `${head}\n\n${table}`, ...keys.filter(isSection).flatMap(printSection)];
}

function printKey(key: Key): string {
  const shown = showDefault(key.schema.default);
  const said = textOf(key, 'description');
  // What the column before it says already.
  const description = shown === '' ? said : said.replace(` Default ${shown}.`, '');
  const isGuide = description.startsWith('(guide) ');
  const name = key.path.at(-2) === '0' ? key.path.slice(-3).join('.').replace('.0.', '[].') : key.path.at(-1);
  return `| \`${name ?? ''}\`${isGuide ? ' (guide)' : ''} | ${prose(acceptedBy(key.path))} | ${shown === '' ? '' : `\`${shown}\``} | ${prose(description.replace('(guide) ', ''))} |`;
}

/** The keys of an object that stands in a list. */
function elementKeys({ path, schema }: Key): Key[] {
  return isRecord(schema.items) ? keysOf({ path: [...path, '0'], schema: schema.items }) : [];
}

function keysOf({ path, schema }: Key): Key[] {
  const { properties } = schema;
  return isRecord(properties) ? Object.entries(properties).flatMap(([name, child]) => (isRecord(child) ? [{ path: [...path, name], schema: child }] : [])) : [];
}

function schemaAt(path: readonly string[]): Record<string, unknown> {
  return path.reduce((schema, name) => keysOf({ path: [], schema }).find((key) => key.path[0] === name)?.schema ?? {}, serverConfJsonSchema());
}

function textOf({ schema }: Key, name: string): string {
  const text = schema[name];
  return typeof text === 'string' ? text : '';
}

function showDefault(value: unknown): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** In the reader's own words: what it wants when it finds something else there, in a list and in its elements. */
function acceptedBy(path: readonly string[]): string {
  const wanted = wantsAt(path, {});
  if (!wanted.startsWith('a list')) return wanted;
  const element = wantsAt([...path, '0'], path.includes('rewrite') ? '' : {});
  return `a list of: ${element}`;
}

function wantsAt(path: readonly string[], nonsense: unknown): string {
  const tree = path.reduceRight<unknown>((value, name) => (name === '0' ? [value] : { [name]: value }), nonsense);
  try {
    toSipConfig({ tree: isRecord(tree) ? tree : {} });
  } catch (thrown) {
    const messages = thrown instanceof ConfigError ? thrown.issues.filter(({ key }) => key === path.join('.')).map(({ message }) => message) : [];
    for (const message of messages) {
      const [, wanted] = /\bwant ([^]*)/.exec(message) ?? [];
      if (wanted !== undefined) return wanted.replace(/ \(a bare number is milliseconds\)$/, '').replace(/, like "30 \w+" or PT30[SM]$/, '');
    }
  }
  throw new Error(`${path.join('.')} takes everything`);
}

/** Text in a cell: nothing of it is Markdown but what stands in backticks. */
function prose(text: string): string {
  return text.split(/(`[^`]*`)/).map((part) => (part.startsWith('`') ? part.replaceAll('|', '\\|') : part.replaceAll(/[\\*|<>[]/g, '\\$&'))).join('');
}

/**
 * The third stage of reading server.conf: the document as written becomes the tree as meant. Values are looked at
 * only when needed, as HOCON asks ("Substitution", "Self-referential substitutions"): a value hidden by a later one
 * is never resolved, and `bar { foo = 1, baz = ${bar.foo} }` is no cycle.
 *
 * Vocabulary. A *layer* is one assignment to a key, in the order of the text; a key's layers lie over one another, and
 * objects shine through objects alone. A *shape* is what a stack of layers is on the outside (a scalar, a list of
 * element layers, a merged object of child layers), with nothing inside it resolved yet. A substitution that names its own
 * key or an object round it sees the layers below its own.
 */
import { ConfigError } from '../base/errors.js';
import type { ConfigIssue } from '../base/errors.js';
import { compileDocument } from './layers.js';
import type { Children, Content, Layer } from './layers.js';
import { showText } from './lexer.js';
import type { Position } from './lexer.js';
import type { PieceMark } from './marks.js';
import type { ObjectLiteral } from './structure.js';

type Substitution = Extract<PieceMark, { kind: 'substitution' }>;

type Shape = { at: Position } & (
  | { kind: 'scalar'; text: string; quoted: boolean }
  | { kind: 'array'; elements: Layer[] }
  /** Lowest first. */
  | { kind: 'object'; sources: Children[] }
  /** Already told as an issue: what leads here is not told again. */
  | { kind: 'broken' }
);

/** Substitutions that lead to substitutions, and objects reached through them. */
const deepestResolving = 500;
/** Values in the whole tree: a small file can name the same list again and again. */
const mostValues = 100_000;
/** Characters of a joined text. */
const longestJoin = 64 * 1024;
const mostIssues = 50;

/** The names a substitution may fall back to, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

export class Resolver {
  readonly #root: Layer[];
  readonly #issues = new Map<string, ConfigIssue>();
  readonly #shapes = new Map<string, Shape | undefined>();
  readonly #values = new Map<string, unknown>();
  /** What is being worked out now; meeting it again means that it goes round. */
  readonly #busy = new Set<string>();
  #depth = 0;

  constructor(
    document: ObjectLiteral,
    file: string,
    private readonly env: Environment,
  ) {
    this.#root = [compileDocument(document, file)];
  }

  /**
   * The whole tree, every substitution resolved.
   * @throws ConfigError with all that could not be resolved
   */
  resolve(): Record<string, unknown> {
    const value = this.#value(this.#root);
    if (this.#issues.size > 0) throw new ConfigError([...this.#issues.values()].slice(0, mostIssues));
    // A value named twice was worked out once; each place gets its own, so that no reader changes another's.
    let count = 0;
    const copy = (original: unknown): unknown => {
      count += 1;
      if (count > mostValues) throw new ConfigError([{ message: `the configuration holds more than ${mostValues} values` }]);
      if (Array.isArray(original)) return original.map(copy);
      if (!isRecord(original)) return original;
      return Object.fromEntries(Object.entries(original).map(([key, child]) => [key, copy(child)]));
    };
    const tree = copy(value);
    return isRecord(tree) ? tree : {};
  }

  /** Where the value at that path was set last; elements of lists by their index. Undefined when it was not. */
  position(path: readonly string[]): Position | undefined {
    let layers = this.#root;
    for (const part of path) {
      const shape = this.#shape(layers);
      if (shape?.kind === 'object') layers = childLayers(shape.sources, part);
      else if (shape?.kind === 'array') layers = shape.elements.slice(Number(part), Number(part) + 1);
      else return undefined;
    }
    return this.#shape(layers)?.at;
  }

  #value(layers: Layer[]): unknown {
    const key = keyOf(layers);
    if (this.#values.has(key)) return this.#values.get(key);
    const value = this.#once<unknown>(`value ${key}`, layers, () => undefined, () => {
      const shape = this.#shape(layers);
      if (shape === undefined || shape.kind === 'broken') return undefined;
      if (shape.kind === 'scalar') return scalarValue(shape.text, shape.quoted);
      if (shape.kind === 'array') {
        return shape.elements.map((element) => this.#value([element])).filter((element) => element !== undefined);
      }
      const entries: [string, unknown][] = [];
      for (const name of new Set(shape.sources.flatMap((source) => [...source.keys()]))) {
        const child = this.#value(childLayers(shape.sources, name));
        if (child !== undefined) entries.push([name, child]);
      }
      return Object.fromEntries(entries);
    });
    this.#values.set(key, value);
    return value;
  }

  #shape(layers: Layer[]): Shape | undefined {
    const key = keyOf(layers);
    if (this.#shapes.has(key)) return this.#shapes.get(key);
    const shape = this.#once<Shape | undefined>(`shape ${key}`, layers, (broken) => broken, () => this.#stack(layers));
    this.#shapes.set(key, shape);
    return shape;
  }

  /** Later layers hide earlier ones, but objects let objects shine through. */
  #stack(layers: Layer[]): Shape | undefined {
    let merged: { kind: 'object'; sources: Children[]; at: Position } | undefined;
    for (const layer of layers.toReversed()) {
      const shape = this.#join(layer);
      if (shape === undefined) continue;
      if (shape.kind !== 'object') return merged ?? shape;
      merged = { ...shape, sources: [...shape.sources, ...(merged?.sources ?? [])], at: merged?.at ?? layer.at };
    }
    return merged;
  }

  /** HOCON "Value concatenation": objects merge, lists append, all else becomes one text. */
  #join(layer: Layer): Shape | undefined {
    const shapes = layer.contents.map((content) => ({ shape: this.#shapeOf(content, layer), content }));
    const present = shapes.flatMap(({ shape }) => (shape === undefined ? [] : [shape]));
    const [first, ...rest] = present;
    const broken = present.find((shape) => shape.kind === 'broken');
    if (first === undefined || broken !== undefined) return broken;
    if (layer.contents.length === 1) return { ...first, at: layer.at };
    if (present.every((shape) => shape.kind === 'object')) {
      return { kind: 'object', sources: present.flatMap((shape) => shape.sources), at: layer.at };
    }
    if (present.every((shape) => shape.kind === 'array')) {
      return { kind: 'array', elements: present.flatMap((shape) => shape.elements), at: layer.at };
    }
    const odd = rest.find((shape) => shape.kind !== first.kind);
    if (odd !== undefined) {
      return this.#fail(layer.at, layer, `${sayKind(first.kind)} and ${sayKind(odd.kind)} stand side by side and cannot be joined`);
    }
    const text = shapes
      .map(({ shape, content }, index) => {
        const space = index > 0 && 'space' in content ? content.space : '';
        return space + (shape?.kind === 'scalar' ? shape.text : '');
      })
      .join('');
    if (text.length > longestJoin) return this.#fail(layer.at, layer, `the joined text is longer than ${longestJoin} characters`);
    return { kind: 'scalar', text, quoted: true, at: layer.at };
  }

  #shapeOf(content: Content, layer: Layer): Shape | undefined {
    switch (content.kind) {
      case 'scalar':
        return { kind: 'scalar', text: content.text, quoted: content.quoted, at: content.at };
      case 'array':
        return { kind: 'array', elements: content.elements, at: layer.at };
      case 'object':
        return { kind: 'object', sources: [content.children], at: layer.at };
      case 'substitution':
        return this.#substitute(content, layer);
    }
  }

  /** Inside an included file the path counts from where the file was included, then from the root. */
  #substitute(content: Substitution, layer: Layer): Shape | undefined {
    const found =
      (layer.includedAt.length === 0 ? undefined : this.#lookUp([...layer.includedAt, ...content.path], layer)) ??
      this.#lookUp(content.path, layer);
    if (found !== undefined) return found;
    const name = content.path.join('.');
    const text = Object.hasOwn(this.env, name) ? this.env[name] : undefined;
    if (text !== undefined) return { kind: 'scalar', text, quoted: true, at: content.at };
    if (content.optional) return undefined;
    return this.#fail(
      content.at,
      layer,
      `${showText(`\${${content.expression}}`)} names nothing: no such key${isOwn(content.path, layer) ? ' before it' : ''}, no such environment variable`,
    );
  }

  #lookUp(path: readonly string[], from: Layer): Shape | undefined {
    const owners = ownersOf(from);
    const own = owners[0];
    let layers = this.#root;
    for (const [index, part] of path.entries()) {
      const shape = this.#shape(layers);
      if (shape?.kind === 'broken') return shape;
      if (shape?.kind !== 'object') return undefined;
      layers = childLayers(shape.sources, part);
      const here = path.slice(0, index + 1);
      const isEnd = here.length === path.length;
      const self = isEnd ? owners.find((owner) => isSame(owner.path, here)) : own && isSame(own.path, here) ? own : undefined;
      if (self !== undefined && layers.includes(self)) layers = layers.slice(0, layers.indexOf(self));
    }
    return this.#shape(layers);
  }

  /** Runs `work` unless it is running already further up: then the configuration goes round, and `otherwise` is the result. */
  #once<T>(key: string, layers: Layer[], otherwise: (broken: Shape) => T, work: () => T): T | undefined {
    const layer = layers[layers.length - 1];
    if (layer === undefined) return undefined;
    if (this.#busy.has(key)) return otherwise(this.#fail(layer.at, layer, 'the substitutions here go round in a circle'));
    if (this.#depth >= deepestResolving) {
      return otherwise(this.#fail(layer.at, layer, `substitutions lead to substitutions more than ${deepestResolving} times`));
    }
    this.#busy.add(key);
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
      this.#busy.delete(key);
    }
  }

  #fail(at: Position, layer: Layer, message: string): Shape {
    const path = ownersOf(layer)[0]?.path.join('.');
    const key = path === undefined || path === '' ? {} : { key: path };
    this.#issues.set(`${at.file}:${at.line}:${at.column}:${message}`, { ...key, ...at, message });
    return { kind: 'broken', at };
  }
}

/** The layer, and those round it, that have a path: what stands in a list has none of its own. */
function ownersOf(layer: Layer): (Layer & { path: readonly string[] })[] {
  const owners: (Layer & { path: readonly string[] })[] = [];
  for (let each: Layer | undefined = layer; each !== undefined; each = each.parent) {
    if (hasPath(each)) owners.push(each);
  }
  return owners;
}

function hasPath(layer: Layer): layer is Layer & { path: readonly string[] } {
  return layer.path !== undefined;
}

function isOwn(path: readonly string[], layer: Layer): boolean {
  return ownersOf(layer).some((owner) => isSame(owner.path, path));
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((part, index) => part === other[index]);
}

function childLayers(sources: readonly Children[], name: string): Layer[] {
  return sources.flatMap((source) => source.get(name) ?? []);
}

function keyOf(layers: readonly Layer[]): string {
  return layers.map((layer) => layer.id).join(',');
}

function sayKind(kind: Shape['kind']): string {
  return { scalar: 'a text', array: 'a list', object: 'an object', broken: 'what is broken' }[kind];
}

/**
 * Unquoted `true`, `false`, `null` and numbers are what JSON makes of them. A number that JavaScript would write
 * in another way (`1.10`, 20 digits) stays a text, since it may be a password; the schema reads numbers from texts too.
 */
function scalarValue(text: string, quoted: boolean): string | number | boolean | null {
  if (quoted) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return /^-?\d/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The document as layers: `a.b = 1` becomes an assignment to `a` that holds an assignment to `b`, `+=` becomes
 * `${?a} [x]` as the HOCON specification says, and the fields of an included file take the place of its `include`.
 * Pure rearrangement; the resolver gives it meaning.
 */
import type { Position } from './lexer.js';
import type { PieceMark } from './marks.js';
import type { Entry, ObjectLiteral, Piece } from './structure.js';

/** The assignments to each key of one object, in the order of the text. */
export type Children = Map<string, Layer[]>;

/** One assignment to one key, or one element of a list. */
export interface Layer {
  /** Unique within the document. */
  id: number;
  at: Position;
  /** From the root; absent inside a list, where nothing can be named. */
  path?: readonly string[];
  /** The assignment whose value this one is part of. */
  parent?: Layer;
  /** Where the file that holds it was included: its substitutions count from there first. */
  includedAt: readonly string[];
  contents: Content[];
}

export type Content =
  | PieceMark
  | { kind: 'array'; elements: Layer[] }
  | { kind: 'object'; children: Children };

/** The layer of the root, whose one content is the whole document. */
export function compileDocument(document: ObjectLiteral, file: string): Layer {
  return new Compiler().root(document, { file, line: 1, column: 1 });
}

/** Hands out the ids. */
class Compiler {
  #next = 0;

  root(document: ObjectLiteral, at: Position): Layer {
    const root = this.#layer({ at, path: [], includedAt: [] });
    root.contents.push({ kind: 'object', children: this.#children(document.entries, root, root.includedAt) });
    return root;
  }

  #layer(fields: Omit<Layer, 'id' | 'contents'>): Layer {
    return { ...fields, id: this.#next++, contents: [] };
  }

  #children(entries: readonly Entry[], parent: Layer, includedAt: readonly string[]): Children {
    const children: Children = new Map();
    this.#assignAll(entries, parent, includedAt, children);
    return children;
  }

  #assignAll(entries: readonly Entry[], parent: Layer, includedAt: readonly string[], children: Children): void {
    for (const entry of entries) {
      // What a list holds cannot be named, so there an included file counts from the root alone.
      if (entry.kind === 'include') this.#assignAll(entry.entries, parent, parent.path ?? [], children);
      else this.#assign(entry, entry.path, parent, includedAt, children);
    }
  }

  #assign(
    entry: Extract<Entry, { kind: 'field' }>,
    [name = '', ...rest]: readonly string[],
    parent: Layer,
    includedAt: readonly string[],
    children: Children,
  ): void {
    const path = parent.path === undefined ? {} : { path: [...parent.path, name] };
    const layer = this.#layer({ ...path, at: entry.at, parent, includedAt });
    const layers = children.get(name);
    if (layers === undefined) children.set(name, [layer]);
    else layers.push(layer);
    if (rest.length > 0) {
      const inner: Children = new Map();
      layer.contents.push({ kind: 'object', children: inner });
      this.#assign(entry, rest, layer, includedAt, inner);
    } else if (entry.append) {
      layer.contents.push(this.#lookBack(layer), { kind: 'array', elements: [this.#element(entry.value, layer)] });
    } else {
      layer.contents.push(...this.#contents(entry.value, layer));
    }
  }

  #contents(pieces: readonly Piece[], layer: Layer): Content[] {
    return pieces.map((piece): Content => {
      if (piece.kind === 'object') {
        return { kind: 'object', children: this.#children(piece.entries, layer, layer.includedAt) };
      }
      if (piece.kind === 'array') {
        return { kind: 'array', elements: piece.elements.map((element) => this.#element(element, layer)) };
      }
      return piece;
    });
  }

  #element(pieces: readonly Piece[], parent: Layer): Layer {
    const [first] = pieces;
    const at = first !== undefined && 'at' in first ? first.at : parent.at;
    const element = this.#layer({ at, parent, includedAt: parent.includedAt });
    element.contents.push(...this.#contents(pieces, element));
    return element;
  }

  /** The `${?a}` of `a += x`. It reaches what lies below by the path from the root, whatever file it stands in. */
  #lookBack(layer: Layer): Content {
    const path = [...(layer.path ?? [])];
    return { kind: 'substitution', path, expression: path.join('.'), optional: true, space: '', at: layer.at };
  }
}

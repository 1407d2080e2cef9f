/**
 * The second stage of reading server.conf, inbound half: hocon-parser builds the structure from the skeleton, and
 * the placeholders in it are turned back into fields and pieces. The result is the document as written: nothing is
 * merged, substituted or joined yet.
 */
import parseHocon from 'hocon-parser';
import { ExtensionError } from '../base/errors.js';
import type { FieldMark, PieceMark } from './marks.js';
import type { Legend, Skeleton } from './skeleton.js';

/** An object literal: its entries in the order of the text. */
export interface ObjectLiteral {
  kind: 'object';
  entries: Entry[];
}

export type Entry = (FieldMark & { kind: 'field'; value: Piece[] }) | { kind: 'include'; entries: Entry[] };

export interface ArrayLiteral {
  kind: 'array';
  elements: Piece[][];
}

/** One of the things that stand side by side as a value. */
export type Piece = PieceMark | ObjectLiteral | ArrayLiteral;

/**
 * Runs hocon-parser over the skeleton.
 * @throws ExtensionError `CONFIG_INVALID` if hocon-parser does not build what the skeleton says: a fault of ours
 */
export function buildStructure(skeleton: Skeleton): ObjectLiteral {
  let built: unknown;
  try {
    built = parseHocon(skeleton.text);
  } catch (thrown) {
    throw unexpected(thrown);
  }
  return { kind: 'object', entries: readEntries(built, skeleton.legend) };
}

function readEntries(built: unknown, legend: Legend): Entry[] {
  if (!isRecord(built)) throw unexpected(built);
  return Object.entries(built).map(([placeholder, pieces]): Entry => {
    if (placeholder.startsWith('i')) {
      return { kind: 'include', entries: readEntries(asList(pieces)[0], legend) };
    }
    const mark = legend.fields[numberOf(placeholder)];
    if (!placeholder.startsWith('f') || mark === undefined) throw unexpected(placeholder);
    return { kind: 'field', ...mark, value: readPieces(pieces, legend) };
  });
}

function readPieces(built: unknown, legend: Legend): Piece[] {
  return asList(built).map((piece): Piece => {
    if (typeof piece === 'string') {
      const mark = legend.pieces[numberOf(piece)];
      if (!piece.startsWith('p') || mark === undefined) throw unexpected(piece);
      return mark;
    }
    if (isRecord(piece) && Object.hasOwn(piece, 'a')) {
      return { kind: 'array', elements: asList(piece.a).map((element) => readPieces(element, legend)) };
    }
    return { kind: 'object', entries: readEntries(piece, legend) };
  });
}

function numberOf(placeholder: string): number {
  return Number(placeholder.slice(1));
}

function asList(built: unknown): unknown[] {
  if (!Array.isArray(built)) throw unexpected(built);
  return built;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unexpected(cause: unknown): ExtensionError {
  return new ExtensionError('CONFIG_INVALID', 'hocon-parser did not build the structure that it was given.', { cause });
}

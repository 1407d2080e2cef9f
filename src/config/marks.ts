/** What the placeholders of a skeleton stand for, read off their tokens: the path of a field, a piece of a value. */
import type { ConfigError } from '../base/errors.js';
import { readTokens, showText, syntaxError } from './lexer.js';
import type { Position, Token } from './lexer.js';

/** What a field's placeholder stands for. */
export interface FieldMark {
  path: string[];
  append: boolean;
  at: Position;
}

/** A piece of a value that is not an object or array. `space`: the blanks before it. */
export type PieceMark =
  | { kind: 'scalar'; text: string; quoted: boolean; space: string; at: Position }
  | { kind: 'substitution'; path: string[]; expression: string; optional: boolean; space: string; at: Position };

/** Names that reach an object's prototype instead of its content. */
const forbiddenKeys = new Set(['__proto__', 'prototype', 'constructor']);

/** @param token one that a value may have, and no bracket */
export function readPiece(token: Token): PieceMark {
  const { at, space } = token;
  if (token.kind === 'substitution') {
    const { expression, optional } = token;
    return { kind: 'substitution', path: readExpression(expression, at), expression, optional, space, at };
  }
  return { kind: 'scalar', text: tokenText(token), quoted: token.kind === 'quoted', space, at };
}

/** What stands in `${...}` follows the rules of keys; its errors are told where the `${` stands. */
function readExpression(expression: string, at: Position): string[] {
  const wrong = (cause?: unknown): ConfigError =>
    syntaxError(at, `${showText(`\${${expression}}`)} is no substitution; want a path like \${a.b} or \${?a.b}`, cause);
  let tokens: Token[];
  try {
    tokens = readTokens(expression, at.file).filter((token) => token.kind !== 'end');
  } catch (thrown) {
    throw wrong(thrown);
  }
  if (tokens.length === 0 || !tokens.every((token) => token.kind === 'quoted' || token.kind === 'unquoted')) throw wrong();
  return readPath(tokens, at);
}

/** HOCON "Paths as keys": unquoted dots part the elements, quoted text and blanks belong to them. */
export function readPath(tokens: readonly Token[], at: Position): string[] {
  const elements: { text: string; quoted: boolean }[] = [{ text: '', quoted: false }];
  tokens.forEach((token, index) => {
    let last = elements[elements.length - 1] ?? { text: '', quoted: false };
    if (index > 0) last.text += token.space;
    if (token.kind === 'quoted') {
      last.text += token.text;
      last.quoted = true;
      return;
    }
    tokenText(token).split('.').forEach((part, partIndex) => {
      if (partIndex > 0) elements.push((last = { text: '', quoted: false }));
      last.text += part;
    });
  });
  return elements.map(({ text, quoted }) => {
    const name = quoted ? text : text.trim();
    if (name === '' && !quoted) throw syntaxError(at, 'a key has an empty part: dots must stand between names');
    if (forbiddenKeys.has(name)) throw syntaxError(at, `the key ${showText(name)} is not allowed`);
    return name;
  });
}

export function tokenText(token: Token): string {
  return 'text' in token ? token.text : '';
}

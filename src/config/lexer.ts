/**
 * The first stage of reading server.conf: text to tokens, each knowing its line and column. What the tokens mean
 * together is the next stage's business; here live the rules on characters: comments, quotes, escapes, which
 * characters an unquoted text may hold (HOCON specification, "Unquoted strings"), and the size cap.
 */
import { ConfigError } from '../base/errors.js';
import type { ConfigIssue } from '../base/errors.js';

/** A place in a configuration file; line and column are 1-based. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

export type Punctuation = '{' | '}' | '[' | ']' | ',' | ':' | '=' | '+=';

export type Token = {
  at: Position;
  /** The blanks between the token before and this one, as written: they count when values are joined. */
  space: string;
} & (
  | { kind: 'punctuation'; text: Punctuation }
  | { kind: 'newline' }
  | { kind: 'quoted'; text: string }
  | { kind: 'unquoted'; text: string }
  /** `${a.b}` or `${?a.b}`; `expression` is `a.b`. */
  | { kind: 'substitution'; expression: string; optional: boolean }
  | { kind: 'end' }
);

/** No file is larger, characters: server.conf is written by people. */
export const largestFile = 1024 * 1024;

const blank = /[^\S\n]|\uFEFF/;
/** HOCON specification: characters that end an unquoted text. */
const forbiddenUnquoted = new Set('$"{}[]:=,+#`^?!@*&\\\n');
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** An error of syntax at one place. */
export function syntaxError(at: Position, message: string, cause?: unknown): ConfigError {
  const issue: ConfigIssue = { file: at.file, line: at.line, column: at.column, message };
  return new ConfigError([issue], { cause });
}

/** A piece of the file as it may stand in a message: quoted, on one line, not longer than a glance. */
export function showText(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

/**
 * All tokens of one file, ending in `end`.
 * @throws ConfigError on a character or a quote that HOCON does not allow, or a file over the size cap
 */
export function readTokens(text: string, file: string): Token[] {
  if (text.length > largestFile) {
    throw syntaxError({ file, line: 1, column: 1 }, `the file is larger than ${largestFile} characters`);
  }
  return new Lexer(text, file).tokens();
}

/** One pass over one text. `#index` only moves forward, and only through `#advance`, which counts lines. */
class Lexer {
  #index = 0;
  #line = 1;
  #lineStart = 0;

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {}

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      const space = this.#skipBlanks();
      const token = this.#next(space);
      tokens.push(token);
      if (token.kind === 'end') return tokens;
    }
  }

  #next(space: string): Token {
    const at = this.#position();
    const character = this.text[this.#index];
    if (character === undefined) return { kind: 'end', at, space };
    switch (character) {
      case '\n':
        this.#advance(1);
        return { kind: 'newline', at, space };
      case '{':
      case '}':
      case '[':
      case ']':
      case ',':
      case ':':
      case '=':
        this.#advance(1);
        return { kind: 'punctuation', text: character, at, space };
      case '"':
        return { kind: 'quoted', text: this.#quoted(at), at, space };
      case '$':
        return { ...this.#substitution(at), at, space };
      default:
    }
    if (this.text.startsWith('+=', this.#index)) {
      this.#advance(2);
      return { kind: 'punctuation', text: '+=', at, space };
    }
    if (forbiddenUnquoted.has(character)) {
      throw syntaxError(at, `${showText(character)} may only stand inside quotes`);
    }
    return { kind: 'unquoted', text: this.#unquoted(), at, space };
  }

  /** Blanks and comments; a comment ends before its newline, which is a token. */
  #skipBlanks(): string {
    const start = this.#index;
    while (blank.test(this.text[this.#index] ?? '\n')) this.#advance(1);
    const space = this.text.slice(start, this.#index);
    if (this.text[this.#index] === '#' || this.text.startsWith('//', this.#index)) {
      const end = this.text.indexOf('\n', this.#index);
      this.#advance((end === -1 ? this.text.length : end) - this.#index);
    }
    return space;
  }

  #unquoted(): string {
    const start = this.#index;
    for (let character = this.text[this.#index]; character !== undefined; character = this.text[this.#index]) {
      const exponent = character === '+' && /^-?[\d.]+[eE]$/.test(this.text.slice(start, this.#index));
      if (!exponent && (forbiddenUnquoted.has(character) || blank.test(character))) break;
      if (this.text.startsWith('//', this.#index)) break;
      this.#advance(1);
    }
    return this.text.slice(start, this.#index);
  }

  #quoted(at: Position): string {
    if (this.text.startsWith('"""', this.#index)) return this.#tripleQuoted(at);
    this.#advance(1);
    let value = '';
    for (;;) {
      const character = this.text[this.#index];
      if (character === undefined || character === '\n') {
        throw syntaxError(at, 'the quote that opens here is not closed on its line; """ may span lines');
      }
      if (character === '"') {
        this.#advance(1);
        return value;
      }
      value += character === '\\' ? this.#escape() : this.#take();
    }
  }

  /** HOCON: no escapes inside; of more than three closing quotes the last three close. */
  #tripleQuoted(at: Position): string {
    const start = this.#index + 3;
    let end = this.text.indexOf('"""', start);
    if (end === -1) throw syntaxError(at, 'the """ that opens here is never closed');
    while (this.text[end + 3] === '"') end += 1;
    this.#advance(end + 3 - this.#index);
    return this.text.slice(start, end);
  }

  #escape(): string {
    const at = this.#position();
    const letter = this.text[this.#index + 1] ?? '';
    if (letter === 'u') {
      const digits = /^[0-9a-fA-F]{4}$/.exec(this.text.slice(this.#index + 2, this.#index + 6))?.[0];
      if (digits === undefined) throw syntaxError(at, '\\u wants four hexadecimal digits');
      this.#advance(6);
      return String.fromCharCode(parseInt(digits, 16));
    }
    const value = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (value === undefined) {
      throw syntaxError(at, `${showText(`\\${letter}`)} is no escape; want one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX`);
    }
    this.#advance(2);
    return value;
  }

  #substitution(at: Position): { kind: 'substitution'; expression: string; optional: boolean } {
    if (this.text[this.#index + 1] !== '{') throw syntaxError(at, '"$" begins a substitution, ${path}; else put it in quotes');
    this.#advance(2);
    const optional = this.text[this.#index] === '?';
    if (optional) this.#advance(1);
    const start = this.#index;
    let inQuotes = false;
    for (let character = this.text[this.#index]; ; character = this.text[this.#index]) {
      if (character === undefined || character === '\n') throw syntaxError(at, 'the ${ that opens here is not closed on its line');
      if (character === '}' && !inQuotes) break;
      if (character === '\\' && inQuotes) this.#advance(1);
      if (character === '"') inQuotes = !inQuotes;
      this.#advance(1);
    }
    const expression = this.text.slice(start, this.#index);
    this.#advance(1);
    return { kind: 'substitution', expression, optional };
  }

  #take(): string {
    const character = this.text[this.#index] ?? '';
    this.#advance(1);
    return character;
  }

  #position(): Position {
    return { file: this.file, line: this.#line, column: this.#index - this.#lineStart + 1 };
  }

  #advance(count: number): void {
    const end = Math.min(this.#index + count, this.text.length);
    for (; this.#index < end; this.#index += 1) {
      if (this.text[this.#index] !== '\n') continue;
      this.#line += 1;
      this.#lineStart = this.#index + 1;
    }
  }
}

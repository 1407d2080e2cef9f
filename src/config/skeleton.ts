/**
 * The second stage of reading server.conf, outbound half: tokens to a skeleton that is safe to hand to hocon-parser,
 * which evaluates substitutions as JavaScript, follows `__proto__`, and throws bare strings. The skeleton is made of
 * `{ } [ ] : ,` and placeholders alone; what each placeholder stands for is kept in the `Legend`:
 *
 *     a.b = 30 minutes   ->   {f0:[p0,p1]}      f0: the path a.b, `=`, its position; p0, p1: the two scalars
 *     a += [1, ${x}]     ->   {f1:[{a2:[[p2],[p3]]}]}      a2: an array literal; p3: a substitution
 *     include "x"        ->   {i3:[{...}]}      the fields of the included file
 *
 * A value is always a list of pieces, since HOCON joins what stands side by side. Grammar is checked here, so that
 * errors have a line; hocon-parser then only ever sees text it reads right.
 */
import { readTokens, showText, syntaxError } from './lexer.js';
import type { Position, Punctuation, Token } from './lexer.js';
import { readPath, readPiece, tokenText } from './marks.js';
import type { FieldMark, PieceMark } from './marks.js';

/** What every placeholder of one skeleton stands for; the index is the placeholder's number. */
export interface Legend {
  fields: FieldMark[];
  pieces: PieceMark[];
}

export interface Skeleton {
  text: string;
  legend: Legend;
}

/** The text of an included file, or undefined when there is none and it was not required. */
export type ReadInclude = (request: {
  name: string;
  /** `file("x")` names it exactly; a bare name may lack its `.conf`. */
  exact: boolean;
  required: boolean;
  at: Position;
}) => { text: string; file: string } | undefined;

/** Objects, arrays and path elements inside one another. */
const deepestNesting = 64;
const deepestInclude = 8;
const mostIncludes = 64;

/**
 * The skeleton of a whole configuration, includes and all.
 * @throws ConfigError on the first error of syntax, of includes, or over a limit
 */
export function writeSkeleton(text: string, file: string, readInclude: ReadInclude): Skeleton {
  const legend: Legend = { fields: [], pieces: [] };
  const parts = new SkeletonWriter(legend, readInclude, { includes: 0 }).writeFile(text, file, []);
  return { text: parts, legend };
}

/** One file's tokens read left to right; an include starts another writer that shares legend and count. */
class SkeletonWriter {
  #tokens: Token[] = [];
  #next = 0;
  readonly #out: string[] = [];

  constructor(
    private readonly legend: Legend,
    private readonly readInclude: ReadInclude,
    private readonly total: { includes: number },
  ) {}

  /** @param chain the files that include this one, outermost first */
  writeFile(text: string, file: string, chain: readonly string[], depth = 0): string {
    const files = [...chain, file];
    this.#tokens = readTokens(text, file);
    this.#skipNewlines();
    const first = this.#peek();
    if (isPunctuation(first, '[')) throw syntaxError(first.at, 'the file must hold keys and values, not a list');
    this.#out.push('{');
    if (isPunctuation(first, '{')) {
      this.#take();
      this.#fields('}', first.at, files, depth + 1);
      this.#take();
      this.#skipNewlines();
      const after = this.#peek();
      if (after.kind !== 'end') throw syntaxError(after.at, `found ${showToken(after)} after the } that closes the file`);
    } else {
      this.#fields('end', first.at, files, depth + 1);
    }
    this.#out.push('}');
    return this.#out.join('');
  }

  /** Fields up to the closing token, which stays to be taken. */
  #fields(close: '}' | 'end', opened: Position, files: readonly string[], depth: number): void {
    this.#checkDepth(opened, depth);
    let isFirst = true;
    for (;;) {
      this.#skipNewlines();
      const token = this.#peek();
      if (close === 'end' ? token.kind === 'end' : isPunctuation(token, '}')) return;
      if (token.kind === 'end') throw syntaxError(opened, 'the { that opens here is never closed by }');
      if (isPunctuation(token, '}')) throw syntaxError(token.at, 'this } closes nothing');
      if (!isFirst) this.#out.push(',');
      isFirst = false;
      if (this.#isInclude(token)) this.#include(files, depth);
      else this.#field(files, depth);
      this.#separator(close === 'end' ? 'the end of the file' : '}');
    }
  }

  #field(files: readonly string[], depth: number): void {
    const at = this.#peek().at;
    const keyTokens: Token[] = [];
    for (let token = this.#peek(); token.kind === 'quoted' || token.kind === 'unquoted'; token = this.#peek()) {
      keyTokens.push(this.#take());
    }
    if (keyTokens.length === 0) throw syntaxError(at, `found ${showToken(this.#peek())}, want a key`);
    const path = readPath(keyTokens, at);
    this.#checkDepth(at, depth + path.length - 1);
    this.#skipNewlines();
    const separator = this.#peek();
    const append = isPunctuation(separator, '+=');
    if (append || isPunctuation(separator, '=') || isPunctuation(separator, ':')) {
      this.#take();
      this.#skipNewlines();
    } else if (!isPunctuation(separator, '{')) {
      // Of what stands before, only the first word is shown: the next may be a secret that lacks its `=`.
      const key = keyTokens[0]?.kind === 'unquoted' ? ` ${showText(keyTokens[0].text)}` : '';
      throw syntaxError(separator.at, `found ${showToken(separator)} after the key${key}, want = or : or {`);
    }
    this.#out.push(`f${String(this.legend.fields.push({ path, append, at }) - 1)}:[`);
    this.#value(files, depth + path.length - 1);
    this.#out.push(']');
  }

  /** The pieces of one value, up to a separator. */
  #value(files: readonly string[], depth: number): void {
    let isFirst = true;
    for (;;) {
      const token = this.#peek();
      if (!startsPiece(token)) {
        if (!isFirst) return;
        throw syntaxError(token.at, `found ${showToken(token)}, want a value`);
      }
      if (!isFirst) this.#out.push(',');
      isFirst = false;
      this.#take();
      if (isPunctuation(token, '{')) {
        this.#out.push('{');
        this.#fields('}', token.at, files, depth + 1);
        this.#take();
        this.#out.push('}');
      } else if (isPunctuation(token, '[')) {
        this.#out.push('{a:[');
        this.#elements(token.at, files, depth + 1);
        this.#out.push(']}');
      } else {
        this.#out.push(`p${String(this.legend.pieces.push(readPiece(token)) - 1)}`);
      }
    }
  }

  #elements(opened: Position, files: readonly string[], depth: number): void {
    this.#checkDepth(opened, depth);
    for (let isFirst = true; ; isFirst = false) {
      this.#skipNewlines();
      const token = this.#peek();
      if (isPunctuation(token, ']')) break;
      if (token.kind === 'end') throw syntaxError(opened, 'the [ that opens here is never closed by ]');
      this.#out.push(isFirst ? '[' : ',[');
      this.#value(files, depth);
      this.#out.push(']');
      this.#separator(']');
    }
    this.#take();
  }

  /** One comma or newlines must stand between two entries; a comma after the last is allowed. */
  #separator(close: string): void {
    const isNewline = this.#skipNewlines();
    const token = this.#peek();
    if (isPunctuation(token, ',')) {
      this.#take();
      this.#skipNewlines();
      return;
    }
    const closes = token.kind === 'end' || isPunctuation(token, '}') || isPunctuation(token, ']');
    if (!isNewline && !closes) throw syntaxError(token.at, `found ${showToken(token)}, want a comma, a new line or ${close}`);
  }

  /** `include` is a keyword only where a key could stand and when no separator follows it. */
  #isInclude(token: Token): boolean {
    if (token.kind !== 'unquoted' || token.text !== 'include') return false;
    const after = this.#tokens[this.#next + 1];
    return after?.kind === 'quoted' || (after?.kind === 'unquoted' && /^(?:required|file|url|classpath)\(/.test(after.text));
  }

  #include(files: readonly string[], depth: number): void {
    const at = this.#take().at;
    const { name, exact, required } = this.#includeName(at);
    this.total.includes += 1;
    if (files.length > deepestInclude) throw syntaxError(at, `includes go deeper than ${deepestInclude} files: ${files.join(' -> ')}`);
    if (this.total.includes > mostIncludes) throw syntaxError(at, `more than ${mostIncludes} includes`);
    const found = this.readInclude({ name, exact, required, at });
    if (found !== undefined && files.includes(found.file)) {
      throw syntaxError(at, `includes go round: ${[...files, found.file].join(' -> ')}`);
    }
    const inner =
      found === undefined
        ? '{}'
        : new SkeletonWriter(this.legend, this.readInclude, this.total).writeFile(found.text, found.file, files, depth);
    this.#out.push(`i${String(this.total.includes)}:[${inner}]`);
  }

  /** `"x"`, `file("x")`, `required("x")`, `required(file("x"))`. */
  #includeName(at: Position): { name: string; exact: boolean; required: boolean } {
    const opening = this.#peek().kind === 'unquoted' ? tokenText(this.#take()) : '';
    const nameToken = this.#take();
    const closing = opening === '' ? '' : tokenText(this.#take());
    const form = /^(required\()?(file\()?$/.exec(opening);
    const parentheses = (form?.[1] === undefined ? 0 : 1) + (form?.[2] === undefined ? 0 : 1);
    if (form === null || nameToken.kind !== 'quoted' || closing !== ')'.repeat(parentheses)) {
      throw syntaxError(at, 'want include "name", include file("name") or include required(file("name")); only files can be included');
    }
    return { name: nameToken.text, exact: form[2] !== undefined, required: form[1] !== undefined };
  }

  #checkDepth(at: Position, depth: number): void {
    if (depth > deepestNesting) throw syntaxError(at, `nested deeper than ${deepestNesting} levels`);
  }

  #skipNewlines(): boolean {
    const start = this.#next;
    while (this.#peek().kind === 'newline') this.#next += 1;
    return this.#next > start;
  }

  /** The `end` token is never passed. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) throw new RangeError('a token list always ends in `end`');
    return token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }
}

function startsPiece(token: Token): boolean {
  return (
    token.kind === 'quoted' ||
    token.kind === 'unquoted' ||
    token.kind === 'substitution' ||
    isPunctuation(token, '{') ||
    isPunctuation(token, '[')
  );
}

function isPunctuation(token: Token, text: Punctuation): boolean {
  return token.kind === 'punctuation' && token.text === text;
}

function showToken(token: Token): string {
  if (token.kind === 'newline') return 'the end of the line';
  if (token.kind === 'end') return 'the end of the file';
  if (token.kind === 'substitution') return 'a substitution';
  // A quoted text may be a secret.
  return token.kind === 'quoted' ? 'a quoted text' : showText(token.text);
}

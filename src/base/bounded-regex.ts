/**
 * Regular expressions that people write into a configuration, held against what strangers dial: one that could take long over any text is
 * refused when it is read, not when it hangs the process. Two bounds: the text is short, and the pattern can match it in few ways.
 */

/** A text that is longer must not be held against such an expression. */
export const longestSubject = 64;

const longestSource = 200;
/**
 * Ways in which a pattern may match a text, each some steps of backtracking: three unbounded repetitions from one start. A hundredth of a
 * second at the worst.
 */
const mostWays = (longestSubject + 1) ** 3;

export type BoundedRegex =
  | { readonly regex: RegExp; /** How many `(...)` it has. */ readonly groups: number }
  /** Ends a sentence that starts with the pattern: "is no ...". */
  | { readonly problem: string };

/** Reads a pattern, in the syntax of ECMAScript with the flag `u`. @param flags beside `u` */
export function readBoundedRegex(source: string, flags: '' | 'i' = ''): BoundedRegex {
  if (source.length > longestSource) return { problem: `is longer than ${longestSource} characters` };
  let groups: number;
  let regex: RegExp;
  try {
    regex = new RegExp(source, `${flags}u`);
    // With an empty alternative it matches anything, and tells its groups.
    groups = (new RegExp(`${source}|`, 'u').exec('')?.length ?? 1) - 1;
  } catch (thrown) {
    return { problem: `is no regular expression (${thrown instanceof Error ? thrown.message : String(thrown)})` };
  }
  const scan = new Scan(source);
  const ways = scan.ways();
  if (scan.forbidden !== undefined) return { problem: `uses ${scan.forbidden}, which is not taken here` };
  if (ways > mostWays) return { problem: 'could take too long: it repeats what repeats or has alternatives, or repeats too much' };
  return { regex, groups };
}

/** Counts the ways in which a pattern of valid syntax can match. */
class Scan {
  #at = 0;
  #isAnchored = false;
  /** What backtracking cannot be counted for. */
  forbidden: string | undefined;

  constructor(private readonly source: string) {}

  ways(): number {
    const ways = this.#alternatives(true);
    // From each place where it may start.
    return this.#isAnchored ? ways : ways * (longestSubject + 1);
  }

  #alternatives(isOutermost = false): number {
    let ways = this.#sequence();
    if (isOutermost) this.#isAnchored = this.source.startsWith('^') && this.source[this.#at] !== '|';
    while (this.source[this.#at] === '|') {
      this.#at += 1;
      ways += this.#sequence();
    }
    return ways;
  }

  #sequence(): number {
    let ways = 1;
    while (this.#at < this.source.length && this.source[this.#at] !== '|' && this.source[this.#at] !== ')') ways *= this.#repeated(this.#atom());
    return ways;
  }

  #atom(): number {
    const found = atom.exec(this.source.slice(this.#at))?.[0] ?? '';
    this.#at += Math.max(found.length, 1);
    if (/^\\[1-9k]/.test(found)) this.forbidden ??= 'a back-reference';
    if (/^\(\?<?[=!]/.test(found)) this.forbidden ??= 'a look-around';
    if (!found.startsWith('(')) return 1;
    const ways = this.#alternatives();
    this.#at += 1;
    return ways;
  }

  /** @param ways of the atom that stands before */
  #repeated(ways: number): number {
    const [whole, sign, least, comma, most] = quantifier.exec(this.source.slice(this.#at)) ?? [];
    if (whole === undefined) return ways;
    this.#at += whole.length;
    const unbounded = sign === '*' || sign === '+' || (comma !== undefined && most === '');
    const min = Math.min(least === undefined ? (sign === '+' ? 1 : 0) : Number(least), longestSubject);
    const max = unbounded ? longestSubject : Math.min(least === undefined ? 1 : Number(comma === undefined ? least : most), longestSubject);
    return (max - min + 1) * ways ** max;
  }
}

/** The opening of a group, an escape, a class, or one character. */
const atom = /^(?:\((?:\?(?::|<?[=!]|<[^>]*>))?|\\(?:[pPu]\{[^}]*\}|k<[^>]*>|[^])|\[(?:\\[^]|[^\]\\])*\]|[^])/;
const quantifier = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/;

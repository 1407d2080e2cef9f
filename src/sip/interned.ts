/** Above it all are forgotten, and found again one by one: a peer that always says something new makes nothing grow. */
const most = 1_000;

/**
 * One object for all values that look the same: what a hundred thousand accounts have in common is there once. Values are as JSON has
 * them; what comes back shares no text with the message that it was read from.
 */
export class Interned<Value extends object> {
  readonly #known = new Map<string, Value>();
  /** What came back last comes back most often: it is told by its members, without a text. */
  #last: Value | undefined;

  of(value: Value): Value {
    const last = this.#last;
    return last !== undefined && hasAll(value, last) && hasAll(last, value) ? last : (this.#last = this.#find(value));
  }

  #find(value: Value): Value {
    const key = JSON.stringify(value);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = JSON.parse(key) as Value;
      if (this.#known.size >= most) this.#known.clear();
      this.#known.set(key, known);
    }
    return known;
  }
}

/** A member that is undefined is none; one that is an object is never the same. */
function hasAll<Value extends object>(one: Value, other: Value): boolean {
  for (const name in other) if (one[name] !== other[name]) return false;
  return true;
}

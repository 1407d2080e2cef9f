/**
 * How many transactions a stack holds, over all accounts, and how many it may: one costs about 5 KB, and an INVITE that waits for an answer or
 * its ACK stays that long; once it has both it is none any more. Above the limit a new request is answered 503 of which nothing is kept, and a
 * new call of ours is not placed. Requests inside dialogs go through, re-INVITEs apart: a BYE makes room.
 */

/** For clients and for servers each. */
export const mostTransactions = 50_000;

export class TransactionCount {
  #held = 0;

  constructor(private readonly most: number) {}

  get isFull(): boolean {
    return this.#held >= this.most;
  }

  add(change: number): void {
    this.#held += change;
  }
}

/** The transactions of one core, by their keys: what comes and goes is counted. */
export class CountedMap<Value> extends Map<string, Value> {
  constructor(private readonly count: TransactionCount) {
    super();
  }

  override set(key: string, value: Value): this {
    const before = this.size;
    super.set(key, value);
    this.count.add(this.size - before);
    return this;
  }

  override delete(key: string): boolean {
    const isGone = super.delete(key);
    if (isGone) this.count.add(-1);
    return isGone;
  }

  override clear(): void {
    this.count.add(-this.size);
    super.clear();
  }
}

/** Who waits for a turn at one registrar: first come, first served, and anyone may leave. Every step is O(1). */
export class Queue<T> {
  /** A set keeps the order of arrival and lets anyone leave. */
  readonly #items = new Set<T>();
  /**
   * Where the head is. A set is asked for its first member by walking over the holes that were left at its front, which makes
   * draining it quadratic; an iterator that lives as long as the queue does walks over each hole once.
   */
  #head: IterableIterator<T> | undefined;

  get size(): number {
    return this.#items.size;
  }

  /** One that waits already keeps its place. */
  add(item: T): void {
    this.#items.add(item);
  }

  has(item: T): boolean {
    return this.#items.has(item);
  }

  /** Harmless for one that does not wait. */
  delete(item: T): void {
    this.#items.delete(item);
  }

  /** Takes the first out; undefined when nobody waits. */
  take(): T | undefined {
    this.#head ??= this.#items.values();
    const first = this.#head.next();
    if (first.done === true) {
      this.#head = undefined;
      return undefined;
    }
    this.#items.delete(first.value);
    return first.value;
  }
}

/**
 * In which order the servers of an SRV answer are tried: by priority, and at random by weight among those of one priority (RFC 2782).
 *
 * The order is drawn once for a set of records and kept as long as they stay the same: users share connections, and must not be
 * moved to another server whenever an answer is asked for again.
 */
import type { SrvRecord } from './name-service.js';

const maxNames = 1_024;

export class SrvOrder {
  readonly #drawn = new Map<string, { of: string; order: readonly SrvRecord[] }>();

  /** @param random a number in [0, 1) */
  constructor(private readonly random: () => number) {}

  of(name: string, records: readonly SrvRecord[]): readonly SrvRecord[] {
    const of = records
      .map((record) => `${record.priority} ${record.weight} ${record.port} ${record.name}`)
      .sort()
      .join();
    const drawn = this.#drawn.get(name);
    if (drawn?.of === of) return drawn.order;
    const order = drawOrder(records, this.random);
    if (this.#drawn.size >= maxNames) this.#drawn.clear();
    this.#drawn.set(name, { of, order });
    return order;
  }
}

export function drawOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) => byWeight(records.filter((record) => record.priority === priority), random));
}

/** RFC 2782: those of weight 0 stand first, so that they are chosen only when the number drawn is 0. */
function byWeight(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const left = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const order: SrvRecord[] = [];
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0);
    const drawn = Math.floor(random() * (sum + 1));
    let running = 0;
    const index = left.findIndex(({ weight }) => (running += weight) >= drawn);
    order.push(...left.splice(index, 1));
  }
  return order;
}

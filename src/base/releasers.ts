import { messageOf } from './errors.js';

type Release = () => void | Promise<void>;

/**
 * What was opened, to be closed last-in first-out. A release that throws does not keep the others from running.
 */
export class Releasers {
  readonly #stack: { name: string; release: Release }[] = [];

  constructor(private readonly report: (message: string) => void) {}

  add(name: string, release: Release): void {
    this.#stack.push({ name, release });
  }

  /** Idempotent. Never rejects: what could not be closed is reported. */
  async releaseAll(): Promise<void> {
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      try {
        await entry.release();
      } catch (thrown) {
        this.report(`Closing ${entry.name} failed: ${messageOf(thrown)}`);
      }
    }
  }
}

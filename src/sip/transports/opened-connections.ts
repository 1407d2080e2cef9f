/**
 * Connections that we opened, and how many accounts are reached over each. Those over which none is lead to far ends of calls, whose Contacts
 * say where: they are kept for what is still to come, but not more and more of them. Above a number the one that was silent longest is
 * closed; who has something to send there opens another.
 */
import type { ConnectionFlow } from './connection-flow.js';
import type { Flow } from './flow.js';

/** Connections over which no account is reached. */
export const mostUnheld = 1_000;

export class OpenedConnections {
  readonly #opened = new Map<Flow, { readonly connection: ConnectionFlow; accounts: number }>();
  readonly #unheld = new Set<ConnectionFlow>();

  constructor(private readonly most: number) {}

  /** Whoever opened it has something to send. */
  add(connection: ConnectionFlow): void {
    this.#opened.set(connection, { connection, accounts: 0 });
    this.#unheld.add(connection);
    while (this.#unheld.size > this.most) this.#closeSilentLongest(connection);
  }

  /** So many accounts more are reached over that flow; one that was not opened here is no affair of this. */
  hold(flow: Flow, more: 1 | -1): void {
    const opened = this.#opened.get(flow);
    if (opened === undefined) return;
    opened.accounts += more;
    if (opened.accounts > 0) this.#unheld.delete(opened.connection);
    else this.#unheld.add(opened.connection);
  }

  /** It is closed. */
  forget(connection: ConnectionFlow): void {
    this.#opened.delete(connection);
    this.#unheld.delete(connection);
  }

  #closeSilentLongest(newest: ConnectionFlow): void {
    let found = newest;
    for (const connection of this.#unheld) if (connection.usedAt < found.usedAt) found = connection;
    this.forget(found);
    found.close();
  }
}

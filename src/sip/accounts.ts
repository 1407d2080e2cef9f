/** The accounts of a stack, found by what stands in messages: the id in a branch, the token in a Request-URI, the AOR in a To. */
import { ExtensionError } from '../base/errors.js';
import type { Account } from './account.js';

export class Accounts {
  /** By id, those with a core: the others await no response. */
  readonly #active = new Map<number, Account>();
  /** Removed, but something of theirs goes on. */
  readonly #leaving = new Set<Account>();
  readonly #byToken = new Map<string, Account>();
  /** Most users have one account; then it stands here by itself. */
  readonly #byUser = new Map<string, Account | Account[]>();

  add(account: Account): void {
    const { token, user } = account.settings;
    if (this.#byToken.has(token)) {
      throw new ExtensionError('MAPPING_CONFLICT', `The SIP account ${user}@${account.settings.domain} exists already.`);
    }
    this.#byToken.set(token, account);
    const others = this.#byUser.get(user);
    this.#byUser.set(user, others === undefined ? account : [...[others].flat(), account]);
  }

  /** No new call finds it; what belongs to its dialogs and transactions still does while it is active. */
  hide(account: Account): void {
    if (this.#active.has(account.id)) this.#leaving.add(account);
    const { token, user } = account.settings;
    this.#byToken.delete(token);
    const others = [this.#byUser.get(user) ?? []].flat().filter((other) => other !== account);
    if (others.length === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, others.length === 1 && others[0] !== undefined ? others[0] : others);
  }

  /** It has a core: responses find it by its id. */
  activate(account: Account): void {
    this.#active.set(account.id, account);
    if (account.isRemoved) this.#leaving.add(account);
  }

  rest(account: Account): void {
    this.#active.delete(account.id);
    this.#leaving.delete(account);
  }

  /** Hidden ones included. */
  get active(): ReadonlyMap<number, Account> {
    return this.#active;
  }

  /** @param branch `z9hG4bK<id in base 36>.<random>` */
  byBranch(branch: string): Account | undefined {
    const dot = branch.indexOf('.', 7);
    return dot < 0 ? undefined : this.#active.get(Number.parseInt(branch.slice(7, dot), 36));
  }

  byToken(token: string | undefined): Account | undefined {
    return token === undefined ? undefined : this.#byToken.get(token);
  }

  /** The account of that AOR; when no domain fits, the only account of that user: a PBX may know us by another name. */
  byAor(user: string | undefined, domain: string): Account | undefined {
    const found = user === undefined ? undefined : this.#byUser.get(user);
    if (found === undefined || !Array.isArray(found)) return found;
    return found.find((account) => account.settings.domain.toLowerCase() === domain.toLowerCase());
  }

  /** Hidden ones that are active. */
  get leaving(): ReadonlySet<Account> {
    return this.#leaving;
  }

  /** Those that are leaving included. */
  get size(): number {
    return this.#byToken.size + this.#leaving.size;
  }

  /** Without hidden ones. */
  [Symbol.iterator](): Iterator<Account> {
    return this.#byToken.values();
  }
}

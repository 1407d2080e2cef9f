/**
 * The messenger's users, in memory. Each change is told to the extension before it is final: a user whom the extension
 * refused is not created.
 */
import type { HostExtension, HostUser } from '../index.js';
import { ApiError } from './api-error.js';

type UserHooks = Pick<HostExtension, 'onUserCreated' | 'onUserUpdated' | 'onUserDeleted'>;

export class Users {
  readonly #users = new Map<number, HostUser>();
  #lastId = 0;

  constructor(private readonly hooks: UserHooks) {}

  list(): HostUser[] {
    return [...this.#users.values()];
  }

  get(id: number): HostUser | undefined {
    return this.#users.get(id);
  }

  /** The contract's `users.find`. */
  find(id: number): Promise<HostUser | undefined> {
    return Promise.resolve(this.#users.get(id));
  }

  /** @throws ApiError `USER_NOT_FOUND` */
  require(id: number): HostUser {
    const user = this.#users.get(id);
    if (user === undefined) throw new ApiError('USER_NOT_FOUND', `There is no user ${id}.`);
    return user;
  }

  /**
   * @param user without `id` gets the next free one
   * @throws ApiError `USER_EXISTS`; what the extension throws
   */
  async create(user: Omit<HostUser, 'id'> & { id?: number }): Promise<HostUser> {
    const id = user.id ?? this.#lastId + 1;
    if (this.#users.has(id)) throw new ApiError('USER_EXISTS', `There is a user ${id} already.`);
    const created: HostUser = { ...user, id };
    // In place before the hook runs: the extension may look the user up from within.
    this.#users.set(id, created);
    try {
      await this.hooks.onUserCreated(created);
    } catch (thrown) {
      this.#users.delete(id);
      throw thrown;
    }
    this.#lastId = Math.max(this.#lastId, id);
    return created;
  }

  /** @throws ApiError `USER_NOT_FOUND`; what the extension throws */
  async update(id: number, change: Partial<Omit<HostUser, 'id'>>): Promise<HostUser> {
    const before = this.require(id);
    const after: HostUser = { ...before, ...change, id };
    this.#users.set(id, after);
    try {
      await this.hooks.onUserUpdated(after);
    } catch (thrown) {
      this.#users.set(id, before);
      throw thrown;
    }
    return after;
  }

  /** @throws ApiError `USER_NOT_FOUND`; what the extension throws */
  async delete(id: number): Promise<void> {
    this.require(id);
    await this.hooks.onUserDeleted({ id });
    this.#users.delete(id);
  }
}

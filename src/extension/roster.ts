/**
 * Who is on this node: takes a mapping into the directory, the stack and the registrar together, changes it there as far as its row
 * differs, and takes it out of them together. It alone writes the directory.
 *
 * The account of a mapping that is changed or removed leaves the stack at once, so that no call finds it any more; its dialogs go on,
 * and the registrar removes its binding with it.
 */
import { messageOf } from '../base/errors.js';
import type { MappingDirectory } from '../mappings/directory.js';
import type { MappingSink } from '../mappings/changes.js';
import { isSameMapping, type HeldMapping, type Mapping } from '../mappings/mapping.js';
import type { RejectedRow } from '../mappings/parse-mapping.js';
import { registrarKeyOf, type RegistrationEntry } from '../registrar/ports.js';
import type { Registrar } from '../registrar/registrar.js';
import type { SipAccount, SipTarget } from '../sip/types.js';
import { domainOf, type SipAccounts } from './sip-accounts.js';

export class Roster implements MappingSink {
  /** Users whom the host disabled: their mappings stay, un-registered. */
  readonly #disabled = new Set<number>();
  /** Mappings that a person un-registered: they stay so until a person asks otherwise, or their row changes. */
  readonly #held = new Set<number>();
  /** By id, or by the problem of a row without one. */
  readonly #rejected = new Map<number | string, RejectedRow>();
  /** The stack has one target for all accounts at a registrar, so the key of each is written once. */
  readonly #registrarKeys = new WeakMap<SipTarget, string>();

  constructor(
    private readonly directory: MappingDirectory,
    private readonly accounts: SipAccounts,
    private readonly registrar: Registrar,
    private readonly log: Record<'info' | 'error', (message: string, meta: Record<string, unknown>) => unknown>,
  ) {}

  /** Rows that cannot be used, and why. */
  get rejectedRows(): RejectedRow[] {
    return [...this.#rejected.values()];
  }

  /** Why that row cannot be used. */
  problemOf(id: number): string | undefined {
    return this.#rejected.get(id)?.problem;
  }

  *ids(): Generator<number, void, undefined> {
    for (const { id } of this.directory.values()) yield id;
    for (const key of this.#rejected.keys()) if (typeof key === 'number') yield key;
  }

  /**
   * Takes a mapping in, and registers it if its row says so; one that is there is changed. Only a change of what its account is made of
   * is worth a REGISTER; a password that was encrypted anew is none.
   */
  put(mapping: Mapping, when: 'start' | 'live' = 'live'): 'added' | 'changed' | 'same' | 'rejected' {
    const before = this.directory.get(mapping.id);
    let account: SipAccount | undefined;
    try {
      const isNewAccount = before === undefined || !this.accounts.has(mapping);
      if (!isNewAccount && isSameMapping(before, mapping)) return 'same';
      this.directory.put(mapping);
      if (isNewAccount) account = this.accounts.put(mapping);
    } catch (thrown) {
      // One row harms itself alone (behaviour 24).
      this.reject({ id: mapping.id, problem: `row ${mapping.id}: ${messageOf(thrown)}` });
      return 'rejected';
    }
    this.#rejected.delete(mapping.id);
    const wasRegistering = before !== undefined && this.offBy(before) === undefined;
    this.#held.delete(mapping.id);
    if (this.offBy(mapping) !== undefined) {
      if (wasRegistering) void this.registrar.remove(mapping.id);
    } else if (!wasRegistering) {
      this.#register(mapping, when, account);
    } else if (account !== undefined) {
      void this.registrar.change(this.#entryOf(mapping, account));
    }
    return before === undefined ? 'added' : 'changed';
  }

  /** Drops the mapping of before, and keeps the row among those that cannot be used. */
  reject(row: RejectedRow): void {
    if (row.id !== undefined && this.directory.get(row.id) !== undefined) void this.#drop(row.id);
    const key = row.id ?? row.problem;
    if (this.#rejected.get(key)?.problem === row.problem) return;
    this.#rejected.set(key, row);
    this.log.error(`A row of sip_user_mappings cannot be used: ${row.problem}`, { mappingId: row.id });
  }

  /** Un-registers a mapping and forgets it and its row. @returns whether there was one */
  remove(id: number): boolean {
    if (this.directory.get(id) === undefined) return this.#rejected.delete(id);
    void this.#drop(id);
    return true;
  }

  /** Un-registers a user's mappings, or registers them again. */
  setDisabled(userId: number, disabled: boolean): void {
    if (disabled === this.#disabled.has(userId)) return;
    if (disabled) this.#disabled.add(userId);
    else this.#disabled.delete(userId);
    for (const mapping of [...this.#mappingsOf(userId)]) {
      if (disabled) void this.registrar.remove(mapping.id);
      else if (this.offBy(mapping) === undefined) this.#register(mapping, 'live');
    }
  }

  /** Un-registers a mapping, and keeps it so. */
  hold(mappingId: number): void {
    this.#held.add(mappingId);
    void this.registrar.remove(mappingId);
  }

  /** Registers a mapping again that was held; others are as they were. */
  unhold(mappingId: number): void {
    const mapping = this.directory.get(mappingId);
    if (this.#held.delete(mappingId) && mapping !== undefined && this.offBy(mapping) === undefined) this.#register(mapping, 'live');
  }

  /** The mappings that are held. */
  get held(): ReadonlySet<number> {
    return this.#held;
  }

  /** What keeps this mapping from being registered: its row, its user, or a person's wish. Undefined: nothing. */
  offBy({ id, register, peer }: HeldMapping): 'row' | 'user' | 'person' | undefined {
    if (!register) return 'row';
    if (peer.type === 1 && this.#disabled.has(peer.id)) return 'user';
    return this.#held.has(id) ? 'person' : undefined;
  }

  /**
   * Un-registers a user's mappings and forgets them.
   * @param eraseRows takes them out of the table; when it rejects, they stay here too
   */
  async dismiss(userId: number, eraseRows: () => Promise<unknown>): Promise<void> {
    // Looked up first: what the table tells of the rows may be heard, and the mappings dropped, before this goes on.
    const mappings = [...this.#mappingsOf(userId)];
    await eraseRows();
    this.#disabled.delete(userId);
    await Promise.all(
      mappings.map(async ({ id, sipUser, sipHost }) => {
        await this.#drop(id);
        this.log.info(`User ${userId} was deleted, and with it mapping ${id} (${sipUser}@${sipHost}).`, { mappingId: id });
      }),
    );
  }

  #mappingsOf(userId: number): readonly HeldMapping[] {
    return this.directory.byPeer({ type: 1, id: userId });
  }

  /** @returns resolves when it is un-registered */
  #drop(id: number): Promise<void> {
    this.directory.delete(id);
    this.#held.delete(id);
    const left = this.registrar.remove(id);
    this.accounts.remove(id);
    return left;
  }

  /** A change that somebody waits for goes ahead of a start of thousands. */
  #register(mapping: HeldMapping, when: 'start' | 'live', account = this.accounts.accountOf(mapping.id)): void {
    if (account !== undefined) this.registrar.add(this.#entryOf(mapping, account), when === 'live' ? 'urgent' : 'ordinary');
  }

  #entryOf(mapping: HeldMapping, account: SipAccount): RegistrationEntry {
    const { target } = account.settings;
    let registrarKey = this.#registrarKeys.get(target);
    if (registrarKey === undefined) {
      registrarKey = registrarKeyOfMapping(mapping);
      this.#registrarKeys.set(target, registrarKey);
    }
    return { mappingId: mapping.id, registrarKey, account };
  }
}

/** `sip:434@example.com` */
export function aorOf(mapping: HeldMapping): string {
  return `sip:${mapping.sipUser}@${domainOf(mapping)}`;
}

export function registrarKeyOfMapping({ sipHost, sipPort, transport }: HeldMapping): string {
  return registrarKeyOf({ host: sipHost, port: sipPort, transport });
}

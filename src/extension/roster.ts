/**
 * Who is on this node: takes a mapping into the directory, the stack and the registrar together, and out of them together. It alone
 * writes the directory.
 */
import { messageOf } from '../base/errors.js';
import type { MappingDirectory } from '../mappings/directory.js';
import type { Mapping, RejectedRow } from '../mappings/mapping.js';
import { registrarKeyOf } from '../registrar/ports.js';
import type { Registrar } from '../registrar/registrar.js';
import type { SipAccounts } from './sip-accounts.js';

export class Roster {
  /** Users whom the host disabled: their mappings stay, un-registered. */
  readonly #disabled = new Set<number>();

  constructor(
    private readonly directory: MappingDirectory,
    private readonly accounts: SipAccounts,
    private readonly registrar: Registrar,
    private readonly log: Record<'info', (message: string, meta: Record<string, unknown>) => unknown>,
  ) {}

  /**
   * Takes a mapping in, and registers it if its row says so. One that is there already, as it is, is left alone.
   * @returns why it cannot be used, its password cannot be decrypted say; undefined when all is well
   */
  adopt(mapping: Mapping): RejectedRow | undefined {
    if (this.directory.get(mapping.id) !== undefined) return undefined;
    try {
      this.directory.put(mapping);
      this.accounts.put(mapping);
    } catch (thrown) {
      // One row harms itself alone (behaviour 24).
      this.directory.delete(mapping.id);
      return { id: mapping.id, problem: `row ${mapping.id}: ${messageOf(thrown)}` };
    }
    this.#register(mapping);
    return undefined;
  }

  /** Un-registers a user's mappings, or registers them again. */
  setDisabled(userId: number, disabled: boolean): void {
    if (disabled === this.#disabled.has(userId)) return;
    if (disabled) this.#disabled.add(userId);
    else this.#disabled.delete(userId);
    for (const mapping of [...this.#mappingsOf(userId)]) {
      if (disabled) void this.registrar.remove(mapping.id);
      else this.#register(mapping);
    }
  }

  /** Un-registers a user's mappings and forgets them. */
  async dismiss(userId: number): Promise<void> {
    this.#disabled.delete(userId);
    const mappings = [...this.#mappingsOf(userId)];
    for (const { id } of mappings) this.directory.delete(id);
    await Promise.all(
      mappings.map(async ({ id, sipUser, sipHost }) => {
        await this.registrar.remove(id);
        this.accounts.remove(id);
        this.log.info(`User ${userId} was deleted, and with it mapping ${id} (${sipUser}@${sipHost}).`, { mappingId: id });
      }),
    );
  }

  #mappingsOf(userId: number): readonly Mapping[] {
    return this.directory.byPeer({ type: 1, id: userId });
  }

  #register(mapping: Mapping): void {
    const account = this.accounts.accountOf(mapping.id);
    if (!mapping.register || account === undefined || this.#isDisabled(mapping)) return;
    this.registrar.add({
      mappingId: mapping.id,
      aor: `sip:${mapping.sipUser}@${mapping.sipHost}`,
      registrarKey: registrarKeyOf({ host: mapping.sipHost, port: mapping.sipPort, transport: mapping.transport }),
      account,
    });
  }

  #isDisabled({ peer }: Mapping): boolean {
    return peer.type === 1 && this.#disabled.has(peer.id);
  }
}

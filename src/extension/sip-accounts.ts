/** The SIP account of each mapping, both ways: calls ask for the account of a mapping and for the mapping of an account. */
import { hash } from 'node:crypto';
import type { Mapping } from '../mappings/mapping.js';
import type { Secrets } from '../mappings/secrets.js';
import type { AccountSettings, SipAccount, SipStack } from '../sip/types.js';

export class SipAccounts {
  readonly #byMapping = new Map<number, SipAccount>();
  readonly #mappingIds = new Map<SipAccount, number>();

  /** @param nodeId makes the tokens of two nodes differ: each keeps a binding of its own */
  constructor(
    private readonly stack: Pick<SipStack, 'addAccount'>,
    private readonly nodeId: string,
    private readonly secrets: Pick<Secrets, 'open'>,
  ) {}

  /**
   * Replaces the account of that mapping when there is one.
   * @throws MappingError MAPPING_INVALID when its password cannot be decrypted; what was there is gone then
   */
  put(mapping: Mapping): SipAccount {
    this.remove(mapping.id);
    const account = this.stack.addAccount(accountSettings(mapping, this.nodeId, this.secrets));
    this.#byMapping.set(mapping.id, account);
    this.#mappingIds.set(account, mapping.id);
    return account;
  }

  remove(mappingId: number): void {
    const account = this.#byMapping.get(mappingId);
    if (account === undefined) return;
    account.remove();
    this.#byMapping.delete(mappingId);
    this.#mappingIds.delete(account);
  }

  /** Whether the account that is there is the one that this row makes: then it serves on. @throws as `put` */
  has(mapping: Mapping): boolean {
    const account = this.#byMapping.get(mapping.id);
    return account !== undefined && JSON.stringify(account.settings) === JSON.stringify(accountSettings(mapping, this.nodeId, this.secrets));
  }

  accountOf(mappingId: number): SipAccount | undefined {
    return this.#byMapping.get(mappingId);
  }

  mappingIdOf(account: SipAccount): number | undefined {
    return this.#mappingIds.get(account);
  }
}

/** The user part of our Contact for that mapping: the same after a restart, another on each node. */
export function contactToken(mappingId: number, nodeId: string): string {
  return hash('sha256', `${nodeId} ${String(mappingId)}`, 'buffer').toString('hex', 0, 10);
}

/** A row as the stack needs it, its password decrypted: here alone it is in the clear. @throws MappingError MAPPING_INVALID when it cannot be */
export function accountSettings(mapping: Mapping, nodeId: string, secrets: Pick<Secrets, 'open'>): AccountSettings {
  return {
    token: contactToken(mapping.id, nodeId),
    user: mapping.sipUser,
    domain: mapping.sipHost.includes(':') ? `[${mapping.sipHost.replace(/^\[|\]$/g, '')}]` : mapping.sipHost,
    authUser: mapping.authUser,
    password: secrets.open(mapping.sipPassword),
    displayName: mapping.displayName,
    target: {
      transport: mapping.transport,
      host: mapping.sipHost.replace(/^\[|\]$/g, ''),
      port: mapping.sipPort,
      isTransportOpen: mapping.isTransportOpen,
      webSocket: mapping.webSocket,
    },
  };
}

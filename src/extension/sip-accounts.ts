/**
 * The SIP account of each mapping, both ways: calls ask for the account of a mapping and for the mapping of an account. The stack finds an
 * account by its token, which is made of the mapping's id: no table is kept here, which a hundred thousand would pay for twice.
 */
import { hash } from 'node:crypto';
import type { Mapping } from '../mappings/mapping.js';
import type { Secrets } from '../mappings/secrets.js';
import type { AccountSettings, SipAccount, SipStack } from '../sip/types.js';

/** Tokens that are remembered: a hash costs a fortieth of a call, and the same few thousand people call. */
const tokensKept = 4_096;

export class SipAccounts {
  readonly #tokens = new Map<number, string>();

  /** @param nodeId makes the tokens of two nodes differ: each keeps a binding of its own */
  constructor(
    private readonly stack: Pick<SipStack, 'addAccount' | 'accountOf'>,
    private readonly nodeId: string,
    private readonly secrets: Pick<Secrets, 'open'>,
  ) {}

  /**
   * Replaces the account of that mapping when there is one.
   * @throws MappingError MAPPING_INVALID when its password cannot be decrypted; what was there stays
   */
  put(mapping: Mapping): SipAccount {
    const settings = accountSettings(mapping, this.nodeId, this.secrets);
    this.stack.accountOf(settings.token)?.remove();
    return this.stack.addAccount(settings);
  }

  remove(mappingId: number): void {
    this.accountOf(mappingId)?.remove();
  }

  /** Whether the account that is there is the one that this row makes: then it serves on. @throws as `put` */
  has(mapping: Mapping): boolean {
    const account = this.accountOf(mapping.id);
    return account !== undefined && JSON.stringify(account.settings) === JSON.stringify(accountSettings(mapping, this.nodeId, this.secrets));
  }

  accountOf(mappingId: number): SipAccount | undefined {
    return this.stack.accountOf(this.#tokenOf(mappingId));
  }

  /** Undefined when the account's mapping is gone, or has another account by now. */
  mappingIdOf(account: SipAccount): number | undefined {
    const { token, ownerId } = account.settings;
    return this.stack.accountOf(token) === account ? ownerId : undefined;
  }

  #tokenOf(mappingId: number): string {
    const kept = this.#tokens.get(mappingId);
    if (kept !== undefined) return kept;
    if (this.#tokens.size >= tokensKept) this.#tokens.clear();
    const token = contactToken(mappingId, this.nodeId);
    this.#tokens.set(mappingId, token);
    return token;
  }
}

/** The user part of our Contact for that mapping: the same after a restart, another on each node. */
export function contactToken(mappingId: number, nodeId: string): string {
  return hash('sha256', `${nodeId} ${String(mappingId)}`, 'buffer').toString('hex', 0, 10);
}

/** The host of its AOR: an IPv6 address in brackets. */
export function domainOf({ sipHost }: Pick<Mapping, 'sipHost'>): string {
  return sipHost.includes(':') ? `[${sipHost.replace(/^\[|\]$/g, '')}]` : sipHost;
}

/** A row as the stack needs it, its password decrypted: here alone it is in the clear. @throws MappingError MAPPING_INVALID when it cannot be */
function accountSettings(mapping: Mapping, nodeId: string, secrets: Pick<Secrets, 'open'>): AccountSettings {
  const { authUser, displayName } = mapping;
  const settings = {
    token: contactToken(mapping.id, nodeId),
    ownerId: mapping.id,
    user: mapping.sipUser,
    domain: domainOf(mapping),
    password: secrets.open(mapping.sipPassword),
    displayName,
    target: {
      transport: mapping.transport,
      host: mapping.sipHost.replace(/^\[|\]$/g, ''),
      port: mapping.sipPort,
      isTransportOpen: mapping.isTransportOpen,
      webSocket: mapping.webSocket,
    },
  };
  // Few have one: the others need no room for it.
  return authUser === undefined ? settings : { ...settings, authUser };
}

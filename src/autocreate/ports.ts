/** What autocreate needs of the mappings, and no more: `MappingWriter` fits. */
import type { Peer } from '../host/contract.js';
import type { HeldMapping, Mapping, MappingDraft } from '../mappings/mapping.js';
import type { ProvisionReport } from '../mappings/mapping-writer.js';

export interface ProvisionedMappings {
  /** Atomic: of many calls for one peer and host, one makes the row and all get it. */
  insertIfAbsent(draft: MappingDraft): Promise<{ mapping: Mapping; created: boolean }>;
}

export interface BackfilledMappings {
  /** As `insertIfAbsent` for many, each draft judged alone. */
  insertAllIfAbsent(drafts: readonly MappingDraft[], options: { dryRun?: boolean }): Promise<ProvisionReport>;
}

/** An account: whose it is, and what it is called at which SIP server. */
export type Account = Pick<MappingDraft, 'peer' | 'sipUser' | 'sipHost'>;

export interface RenamedMappings {
  /** @returns the mappings of that account that had another display name, with the new one */
  rename(account: Account, displayName: string): Promise<Mapping[]>;
}

/** The mappings in memory: `MappingDirectory` fits. */
export interface KnownMappings {
  byPeer(peer: Peer): readonly HeldMapping[];
}

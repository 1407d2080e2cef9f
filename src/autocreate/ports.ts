/** What autocreate needs of the mappings, and no more: `MappingRepository` fits. */
import type { ProvisionReport } from '../mappings/repository.js';
import type { Mapping, MappingDraft } from '../mappings/mapping.js';

export interface ProvisionedMappings {
  /** Atomic: of many calls for one peer and host, one makes the row and all get it. */
  insertIfAbsent(draft: MappingDraft): Promise<{ mapping: Mapping; created: boolean }>;
}

export interface BackfilledMappings {
  /** As `insertIfAbsent` for many, each draft judged alone. */
  insertAllIfAbsent(drafts: readonly MappingDraft[], options: { dryRun?: boolean }): Promise<ProvisionReport>;
}

/** Gives a messenger user an account at the SIP server: one row, however often and from however many places it is asked for. */
import type { HostUser } from '../host/contract.js';
import type { Mapping } from '../mappings/mapping.js';
import type { ProvisionedMappings } from './ports.js';
import { templateOf, type AutocreateSettings } from './template.js';

/**
 * @returns the user's mapping at the configured host, made now or found; undefined while `modules.sip.autocreate.on` is false. Rejects with
 *   ExtensionError USER_INVALID, and with whatever the mappings reject with: MAPPING_CONFLICT, DATABASE_UNAVAILABLE
 */
export type Provision = (user: HostUser) => Promise<Mapping | undefined>;

export function createProvision(settings: AutocreateSettings, mappings: ProvisionedMappings): Provision {
  /** What is being made, by user: calls for one user that overlap share it. */
  const running = new Map<number, Promise<Mapping>>();

  async function make(user: HostUser): Promise<Mapping> {
    const { mapping } = await mappings.insertIfAbsent(templateOf(settings, user));
    return mapping;
  }

  return async (user) => {
    if (!settings.on) return undefined;
    const shared = running.get(user.id);
    if (shared !== undefined) return shared;
    const making = make(user).finally(() => running.delete(user.id));
    running.set(user.id, making);
    return making;
  };
}

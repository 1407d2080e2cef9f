/**
 * Lets the display name of an account follow the name of its user. Only of the account that autocreate makes by its rule: what somebody
 * called an account made by hand is his own affair.
 */
import type { HostUser } from '../host/contract.js';
import type { HeldMapping, Mapping } from '../mappings/mapping.js';
import type { Account, KnownMappings, RenamedMappings } from './ports.js';
import { templateOf, type AutocreateSettings } from './template.js';

/**
 * @returns the mappings that were changed in the table: none while `modules.sip.autocreate.on` is false, and none for a user without a name:
 *   hosts leave it out of an update that is about something else. Rejects with ExtensionError USER_INVALID, DATABASE_*
 */
export type Rename = (user: HostUser) => Promise<Mapping[]>;

/** @param known spares the database the question for a user whose name is the same, as most updates are */
export function createRename(settings: AutocreateSettings, mappings: RenamedMappings, known: KnownMappings): Rename {
  return async (user) => {
    if (!settings.on) return [];
    const { displayName, ...account } = templateOf(settings, user);
    if (displayName === undefined) return [];
    const own = known.byPeer(account.peer).filter((mapping) => isOf(account, mapping));
    const isKnown = own.length > 0 && own.every((mapping) => mapping.displayName === displayName);
    return isKnown ? [] : mappings.rename(account, displayName);
  };
}

function isOf({ sipUser, sipHost }: Account, mapping: HeldMapping): boolean {
  return mapping.sipUser === sipUser && mapping.sipHost.toLowerCase() === sipHost.toLowerCase();
}

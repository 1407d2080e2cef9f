/**
 * Registrations as the administration interface sees them: those of the registrar, and the mappings that have none because a person
 * holds them, or their row or user says so. Holds no state of its own.
 */
import type { AdminRegistrations } from '../admin/ports.js';
import type { ListedState, RegistrationsPage, ShownRegistration } from '../admin/shapes.js';
import { ExtensionError, MappingError } from '../base/errors.js';
import type { RegistrationStatus } from '../host/contract.js';
import type { MappingDirectory } from '../mappings/directory.js';
import type { HeldMapping } from '../mappings/mapping.js';
import { sayRegistrar } from '../registrar/ports.js';
import type { Registrar } from '../registrar/registrar.js';
import type { Found } from '../registrar/registrations.js';
import { aorOf, registrarKeyOfMapping, type Roster } from './roster.js';

type Off = NonNullable<ReturnType<Roster['offBy']>>;

const notes: Record<Off, string> = {
  row: 'Its row in sip_user_mappings says register = false.',
  user: 'Its user is disabled in the messenger.',
  person: 'A person un-registered it. It stays so until somebody asks to register it, its row changes, or the server restarts.',
};

export class RegistrationDesk implements AdminRegistrations {
  constructor(
    private readonly registrar: Pick<Registrar, 'list' | 'search' | 'find' | 'registerNow'>,
    private readonly roster: Pick<Roster, 'hold' | 'unhold' | 'held' | 'offBy'>,
    private readonly directory: Pick<MappingDirectory, 'get' | 'byPeer'>,
  ) {}

  page({ state, afterId, limit }: { state?: ListedState; afterId: number; limit: number }): ShownRegistration[] {
    const registrations = state === 'held' ? [] : this.registrar.list({ state, afterId, limit }).map((status) => this.#show(status));
    const held = state === undefined || state === 'held' ? this.#heldAfter(afterId, limit) : [];
    return merged(registrations, held).slice(0, limit);
  }

  search({ text, state, afterId, limit }: { text: string; state?: ListedState; afterId: number; limit: number }): RegistrationsPage {
    const { items, next = Infinity }: Found<RegistrationStatus> = state === 'held' ? { items: [] } : this.registrar.search({ text, state, afterId, limit });
    const held = state === undefined || state === 'held' ? this.#heldAfter(afterId, limit + 1, text) : [];
    // Those above where the search stopped have their turn when it goes on.
    const found = merged(items.map((status) => this.#show(status)), held.filter(({ mappingId }) => mappingId <= next));
    const shown = found.slice(0, limit);
    const goesOnAt = found.length > limit ? shown.at(-1)?.mappingId : next;
    return { items: shown, ...(goesOnAt === undefined || goesOnAt === Infinity ? {} : { next: goesOnAt }) };
  }

  ofUser(userId: number): ShownRegistration[] {
    return this.directory.byPeer({ type: 1, id: userId }).map(({ id }) => this.find(id));
  }

  find(mappingId: number): ShownRegistration {
    const status = this.registrar.find(mappingId);
    if (status !== undefined) return this.#show(status);
    const mapping = this.#mapping(mappingId);
    const off = this.roster.offBy(mapping);
    return {
      mappingId,
      aor: aorOf(mapping),
      state: off === 'person' ? 'held' : 'off',
      ...userOf(mapping),
      registrar: sayRegistrar(registrarKeyOfMapping(mapping)),
      ...(off === undefined ? {} : { note: notes[off] }),
    };
  }

  register(mappingId: number): ShownRegistration {
    this.#requireOn(mappingId);
    this.roster.unhold(mappingId);
    if (!this.registrar.registerNow(mappingId)) throw new ExtensionError('NOT_READY', `Mapping ${mappingId} is not registered now: the extension stops.`);
    return this.find(mappingId);
  }

  unregister(mappingId: number): ShownRegistration {
    this.#requireOn(mappingId);
    this.roster.hold(mappingId);
    return this.find(mappingId);
  }

  /** @param text a part of the address of record, in any case */
  #heldAfter(afterId: number, limit: number, text = ''): ShownRegistration[] {
    const part = text.toLowerCase();
    const isAsked = (id: number): boolean => id > afterId && aorOf(this.#mapping(id)).toLowerCase().includes(part) && this.registrar.find(id) === undefined;
    const ids = [...this.roster.held].filter(isAsked);
    return ids.sort((one, other) => one - other).slice(0, limit).map((id) => this.find(id));
  }

  #show(status: RegistrationStatus): ShownRegistration {
    return { ...status, ...userOf(this.directory.get(status.mappingId)) };
  }

  #mapping(mappingId: number): HeldMapping {
    const mapping = this.directory.get(mappingId);
    if (mapping === undefined) throw new MappingError('MAPPING_NOT_FOUND', `There is no mapping ${mappingId}, or its row cannot be used.`);
    return mapping;
  }

  /** A mapping that its row or its user keeps off is set right there. */
  #requireOn(mappingId: number): void {
    const off = this.roster.offBy(this.#mapping(mappingId));
    if (off === 'row' || off === 'user') throw new ExtensionError('REGISTRATION_OFF', `Mapping ${mappingId} is not to be registered: ${notes[off]}`);
  }
}

function merged(registrations: readonly ShownRegistration[], held: readonly ShownRegistration[]): ShownRegistration[] {
  return [...registrations, ...held].sort((one, other) => one.mappingId - other.mappingId);
}

function userOf(mapping: HeldMapping | undefined): { userId?: number } {
  return mapping?.peer.type === 1 ? { userId: mapping.peer.id } : {};
}

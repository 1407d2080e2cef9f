/**
 * The mappings as calls see them: an index in memory, by id, by peer and by SIP user, so that routing a call costs no
 * query. Written for 100,000 rows and more: an entry that is alone under its key is held without an array, and strings
 * that most rows share (the host, the WebSocket handshake) are held once. Whoever reads the table writes it; calls only read.
 */
import { IdTable } from '../base/id-table.js';
import type { Peer } from '../host/contract.js';
import type { HeldMapping, WebSocketHandshake } from './mapping.js';

/** One mapping, or several in ascending id. */
type Entry = HeldMapping | readonly HeldMapping[];

const none: readonly HeldMapping[] = [];

export class MappingDirectory {
  readonly #byId = new IdTable<HeldMapping>();
  /** Users, nearly all there is, by their number. */
  readonly #byUser = new IdTable<Entry>();
  /** The others, by a text. */
  readonly #byPeer = new Map<string, Entry>();
  readonly #bySipUser = new Map<string, Entry>();
  readonly #hosts = new Map<string, string>();
  readonly #handshakes = new Map<string, WebSocketHandshake>();

  get size(): number {
    return this.#byId.size;
  }

  /** Adds the mapping, or replaces the one with its id. What is held is a frozen copy without its password. */
  put(mapping: HeldMapping): void {
    this.delete(mapping.id);
    const held = this.#share(mapping);
    this.#byId.set(held.id, held);
    if (held.peer.type === 1) add(this.#byUser, held.peer.id, held);
    else add(this.#byPeer, peerKey(held.peer), held);
    add(this.#bySipUser, held.sipUser, held);
  }

  /** @returns whether there was one */
  delete(id: number): boolean {
    const held = this.#byId.get(id);
    if (held === undefined) return false;
    this.#byId.delete(id);
    if (held.peer.type === 1) remove(this.#byUser, held.peer.id, id);
    else remove(this.#byPeer, peerKey(held.peer), id);
    remove(this.#bySipUser, held.sipUser, id);
    return true;
  }

  get(id: number): HeldMapping | undefined {
    return this.#byId.get(id);
  }

  /** The mappings of that peer, ascending id. A SIP peer (type 4) is told by its address as well. */
  byPeer(peer: Peer): readonly HeldMapping[] {
    return list(peer.type === 1 ? this.#byUser.get(peer.id) : this.#byPeer.get(peerKey(peer)));
  }

  /**
   * The mappings with that SIP user, ascending id; with a host only those at that host. The user part is
   * case-sensitive, the host is not (RFC 3261 section 19.1.4).
   */
  bySipUser(user: string, host?: string): readonly HeldMapping[] {
    const found = list(this.#bySipUser.get(user));
    if (host === undefined) return found;
    const lowered = host.toLowerCase();
    return found.filter((mapping) => mapping.sipHost.toLowerCase() === lowered);
  }

  values(): Iterable<HeldMapping> {
    return this.#byId.values();
  }

  /** Written out field by field: a copy made by spreading takes four times the memory once it is frozen. */
  #share(mapping: HeldMapping): HeldMapping {
    const { id, sipUser, sipPort, transport, register, canCall, canBeCalled } = mapping;
    const sipHost = shared(this.#hosts, mapping.sipHost, mapping.sipHost);
    const peer = copyPeer(mapping.peer);
    const held: HeldMapping = { id, sipUser, sipHost, sipPort, transport, peer, register, canCall, canBeCalled };
    const { webSocket, authUser, displayName } = mapping;
    if (mapping.isTransportOpen === true) held.isTransportOpen = true;
    if (webSocket !== undefined) held.webSocket = shared(this.#handshakes, JSON.stringify(webSocket), Object.freeze({ ...webSocket }));
    if (authUser !== undefined) held.authUser = authUser;
    if (displayName !== undefined) held.displayName = displayName;
    return Object.freeze(held);
  }
}

function copyPeer({ type, id, strId }: Peer): Peer {
  return Object.freeze(strId === undefined ? { type, id } : { type, id, strId });
}

function peerKey(peer: Peer): string {
  return peer.type === 4 ? `4:${peer.id}:${peer.strId ?? ''}` : `${peer.type}:${peer.id}`;
}

function shared<T>(pool: Map<string, T>, key: string, value: T): T {
  const known = pool.get(key);
  if (known !== undefined) return known;
  pool.set(key, value);
  return value;
}

function isSeveral(entry: Entry): entry is readonly HeldMapping[] {
  return Array.isArray(entry);
}

function list(entry: Entry | undefined): readonly HeldMapping[] {
  if (entry === undefined) return none;
  return isSeveral(entry) ? entry : [entry];
}

type Index<K> = Pick<Map<K, Entry>, 'get' | 'delete'> & { set(key: K, entry: Entry): unknown };

function add<K>(index: Index<K>, key: K, mapping: HeldMapping): void {
  const present = index.get(key);
  index.set(key, present === undefined ? mapping : [...list(present), mapping].sort((a, b) => a.id - b.id));
}

function remove<K>(index: Index<K>, key: K, id: number): void {
  const left = list(index.get(key)).filter((mapping) => mapping.id !== id);
  const [only] = left;
  if (only === undefined) index.delete(key);
  else index.set(key, left.length === 1 ? only : left);
}

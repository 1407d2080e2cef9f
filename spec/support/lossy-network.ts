/**
 * A network in memory on a manual clock. Datagrams are lost, doubled and overtaken as a seeded random says; connections lose nothing
 * and keep the order, but can be cut. Everything that crossed is remembered with its fate.
 */
import type { Clock } from '../../src/base/clock.js';
import type { Endpoint } from '../../src/sip/transports/flow.js';

/** Rates are from 0 to 1, for each datagram on each leg. */
export interface NetworkFaults {
  readonly loss: number;
  readonly duplicate: number;
  /** How many are held up, for at most 4 s: others overtake them. */
  readonly reorder: number;
  /** Loses these, beside those that chance takes. */
  readonly loses?: (text: string) => boolean;
}

export interface Crossing {
  readonly sentAtMs: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  arrivedAtMs?: number;
  /** `on its way` becomes one of the others. */
  fate: 'on its way' | 'delivered' | 'lost' | 'nobody there' | 'cut';
}

/** One end of a connection. */
export interface ConnectionEnd {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  onText: (text: string) => void;
  /** Told once, for our own close too. */
  onClosed: () => void;
  send(text: string): void;
  close(): void;
}

const legMs = 10;
/** A datagram is held up so long at most. */
export const longestHoldUpMs = 4_000;

export const nameOf = ({ address, port }: Endpoint): string => `${address}:${port}`;

export class LossyNetwork {
  readonly crossings: Crossing[] = [];
  readonly #sockets = new Map<string, (from: Endpoint, text: string) => void>();
  readonly #listeners = new Map<string, (end: ConnectionEnd) => void>();
  readonly #connections = new Set<Connection>();
  #nextPort = 40_000;

  /** @param random from 0 to 1, the same in every run of a seed */
  constructor(
    readonly clock: Clock,
    private readonly random: () => number,
    readonly faults: NetworkFaults,
  ) {}

  /** Takes datagrams; undefined takes none any more. */
  bind(at: Endpoint, receive: ((from: Endpoint, text: string) => void) | undefined): void {
    if (receive === undefined) this.#sockets.delete(nameOf(at));
    else this.#sockets.set(nameOf(at), receive);
  }

  /** Takes connections; undefined takes none any more. */
  listen(at: Endpoint, accept: ((end: ConnectionEnd) => void) | undefined): void {
    if (accept === undefined) this.#listeners.delete(nameOf(at));
    else this.#listeners.set(nameOf(at), accept);
  }

  sendDatagram(from: Endpoint, to: Endpoint, text: string): void {
    const copies = this.random() < this.faults.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const crossing = this.#note(from, to, text);
      if (this.random() < this.faults.loss || this.faults.loses?.(text) === true) {
        crossing.fate = 'lost';
        continue;
      }
      const heldUpMs = this.random() < this.faults.reorder ? Math.floor(this.random() * longestHoldUpMs) : 0;
      this.clock.after(legMs + heldUpMs, () => {
        const receive = this.#sockets.get(nameOf(to));
        crossing.arrivedAtMs = this.clock.now();
        crossing.fate = receive === undefined ? 'nobody there' : 'delivered';
        receive?.(from, text);
      });
    }
  }

  /** `onOpen` with our end, or undefined when nobody takes connections there. */
  connect(fromAddress: string, to: Endpoint, onOpen: (end: ConnectionEnd | undefined) => void): void {
    this.clock.after(2 * legMs, () => {
      const accept = this.#listeners.get(nameOf(to));
      if (accept === undefined) {
        onOpen(undefined);
        return;
      }
      this.#nextPort += 1;
      const connection = new Connection({ address: fromAddress, port: this.#nextPort }, to, this.clock, this.#note, (gone) => {
        this.#connections.delete(gone);
      });
      this.#connections.add(connection);
      accept(connection.far);
      onOpen(connection.near);
    });
  }

  /** Cuts all connections of that address; what is on its way is gone. */
  cut(address: string): void {
    for (const connection of this.#connections) if (connection.touches(address)) connection.cut();
  }

  /** What crossed, one line a message: for a spec that failed. */
  ladder(names: ReadonlyMap<string, string>): string {
    const say = (place: string): string => names.get(place.slice(0, place.indexOf(':'))) ?? place;
    return this.crossings
      .map(({ sentAtMs, from, to, text, fate }) => {
        const line = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.slice(0, 20) ?? '';
        const first = text.slice(0, text.indexOf('\r\n'));
        return `${String(sentAtMs).padStart(8)} ms  ${say(from)} -> ${say(to)}  ${first}  [${line('CSeq')}, ${line('Call-ID').slice(0, 6)}]${fate === 'delivered' ? '' : `  ${fate.toUpperCase()}`}`;
      })
      .join('\n');
  }

  readonly #note = (from: Endpoint, to: Endpoint, text: string): Crossing => {
    const crossing: Crossing = { sentAtMs: this.clock.now(), from: nameOf(from), to: nameOf(to), text, fate: 'on its way' };
    this.crossings.push(crossing);
    return crossing;
  };
}

class Connection {
  readonly near: ConnectionEnd;
  readonly far: ConnectionEnd;
  #isOpen = true;

  constructor(
    from: Endpoint,
    to: Endpoint,
    private readonly clock: Clock,
    private readonly note: (from: Endpoint, to: Endpoint, text: string) => Crossing,
    private readonly gone: (connection: Connection) => void,
  ) {
    this.near = this.#end(from, to, () => this.far);
    this.far = this.#end(to, from, () => this.near);
  }

  touches(address: string): boolean {
    return this.near.local.address === address || this.far.local.address === address;
  }

  cut(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.gone(this);
    this.near.onClosed();
    this.far.onClosed();
  }

  #end(local: Endpoint, remote: Endpoint, other: () => ConnectionEnd): ConnectionEnd {
    return {
      local,
      remote,
      onText: () => undefined,
      onClosed: () => undefined,
      send: (text) => {
        const crossing = this.note(local, remote, text);
        this.clock.after(legMs, () => {
          crossing.arrivedAtMs = this.clock.now();
          crossing.fate = this.#isOpen ? 'delivered' : 'cut';
          if (this.#isOpen) other().onText(text);
        });
      },
      close: () => { this.cut(); },
    };
  }
}

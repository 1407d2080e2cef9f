/**
 * Where targets are: what steps.ts found, remembered for as long as it is good for, with servers that failed put last.
 *
 * What was found before is used on when no name server answers (RFC 8767): a fault of DNS ends no call.
 */
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.js';
import { transportError } from '../transports/transport-fault.js';
import type { SipTarget, SipTransport } from '../types.js';
import type { NameService } from './name-service.js';
import { PassedOver } from './passed-over.js';
import { SrvOrder } from './srv-order.js';
import { brieflyMs, locate, type Located, type Place, placeOf, saysNone } from './steps.js';

type Found = { readonly places: readonly Place[] } | { readonly fault: unknown };

interface Entry {
  readonly port: number;
  readonly transport: SipTransport;
  readonly isTransportOpen: boolean;
  found: Found;
  until: number;
}

const maxHosts = 4_096;
const maxTargetsAHost = 64;

export class Locator {
  readonly #byHost = new Map<string, Entry[]>();
  readonly #running = new Map<string, Promise<readonly Place[]>>();
  readonly #passedOver: PassedOver;
  readonly #order: SrvOrder;

  /**
   * @param random a number in [0, 1)
   * @param objection why a place cannot be used from here; undefined when it can
   */
  constructor(
    private readonly clock: Clock,
    private readonly names: NameService,
    random: () => number,
    private readonly objection: (place: Place) => string | undefined,
  ) {
    this.#passedOver = new PassedOver(clock);
    this.#order = new SrvOrder(random);
  }

  /** The place to use now, when nobody need be asked. */
  chosen(target: SipTarget): Place | undefined {
    const found = this.#known(target)?.found;
    if (found === undefined || 'fault' in found) return undefined;
    return found.places.find((place) => !this.#passedOver.has(place)) ?? found.places[0];
  }

  /**
   * All places, in the order in which to try them; those that failed lately come last. Rejects when there is none: with the
   * resolver's own error, or SIP_TRANSPORT.
   */
  async candidates(target: SipTarget): Promise<readonly Place[]> {
    const found = this.#known(target)?.found;
    if (found !== undefined && 'fault' in found) throw found.fault;
    const places = found?.places ?? (await this.#askOnce(target));
    return [...places].sort((a, b) => Number(this.#passedOver.has(a)) - Number(this.#passedOver.has(b)));
  }

  /** @param leastMs how long it wants to be left alone, milliseconds */
  failed(place: Place, leastMs?: number): void {
    this.#passedOver.add(place, leastMs);
  }

  isPassedOver(place: Place): boolean {
    return this.#passedOver.has(place);
  }

  /** How SIP travels to a target whose transport DNS decides: as it did last. */
  transportOf(target: SipTarget): SipTransport {
    const found = this.#entry(target)?.found;
    return (found !== undefined && 'places' in found ? found.places[0]?.transport : undefined) ?? target.transport;
  }

  close(): void {
    this.names.close();
  }

  #entry({ host, port, transport, isTransportOpen = false }: SipTarget): Entry | undefined {
    const entries = this.#byHost.get(host);
    if (entries === undefined) return undefined;
    for (const entry of entries) {
      if (entry.port === port && entry.transport === transport && entry.isTransportOpen === isTransportOpen) return entry;
    }
    return undefined;
  }

  #known(target: SipTarget): Entry | undefined {
    const entry = this.#entry(target);
    if (entry !== undefined && entry.until > this.clock.now()) return entry;
    if (isIP(target.host) === 0) return undefined;
    return this.#remember(target, this.#usable([placeOf(target)]), Infinity);
  }

  #askOnce(target: SipTarget): Promise<readonly Place[]> {
    const key = `${target.host} ${target.port} ${target.transport} ${target.isTransportOpen ?? false}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#ask(target).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #ask(target: SipTarget): Promise<readonly Place[]> {
    const { found } = this.#keep(target, await this.#locate(target));
    if ('fault' in found) throw found.fault;
    return found.places;
  }

  async #locate(target: SipTarget): Promise<Located | { fault: unknown }> {
    try {
      return await locate(target, this.names, this.#order);
    } catch (thrown) {
      return { fault: thrown };
    }
  }

  #keep(target: SipTarget, located: Located | { fault: unknown }): Entry {
    if ('places' in located) return this.#remember(target, this.#usable(located.places), this.clock.now() + located.keepMs);
    const before = this.#entry(target)?.found;
    const isStillGood = before !== undefined && 'places' in before && !saysNone(located.fault);
    return this.#remember(target, isStillGood ? before : located, this.clock.now() + brieflyMs);
  }

  #usable(places: readonly Place[]): Found {
    const usable = places.filter((place) => this.objection(place) === undefined);
    const [first] = places;
    if (usable.length > 0 || first === undefined) return { places: usable };
    return { fault: transportError(this.objection(first) ?? '') };
  }

  #remember(target: SipTarget, found: Found, until: number): Entry {
    const known = this.#entry(target);
    if (known !== undefined) return Object.assign(known, { found, until });
    const { host, port, transport, isTransportOpen = false } = target;
    const entry: Entry = { port, transport, isTransportOpen, found, until };
    let entries = this.#byHost.get(host);
    if (entries === undefined) {
      const [oldest] = this.#byHost.keys();
      if (oldest !== undefined && this.#byHost.size >= maxHosts) this.#byHost.delete(oldest);
      entries = [];
      this.#byHost.set(host, entries);
    }
    if (entries.length >= maxTargetsAHost) entries.shift();
    entries.push(entry);
    return entry;
  }
}

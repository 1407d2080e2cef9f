/** What is known of one call: noted by its session while it lives, read for the list of live calls and for the record at its end. */
import type { Clock } from '../base/clock.js';
import type { CallTarget, Peer } from '../host/contract.js';
import { usedCodecs } from '../sdp/media.js';
import { escapeUser, sipUri } from './address.js';
import type { CallEnding, CallFacts, CallParties, RoutableMapping } from './ports.js';
import type { Termination } from './termination.js';

/** When what happened; what happens again is not noted again. */
export class CallTimes {
  readonly startedAt: Date;
  #rangAt: Date | undefined;
  #answeredAt: Date | undefined;
  #codecs: readonly string[] = [];

  constructor(private readonly clock: Pick<Clock, 'date'>) {
    this.startedAt = clock.date();
  }

  rang(): void {
    this.#rangAt ??= this.clock.date();
  }

  /** @param answer which is of no use to the call any more, so that what is told of it is read at once */
  answered(answer: string | undefined): void {
    this.#answeredAt ??= this.clock.date();
    if (answer !== undefined) this.#codecs = usedCodecs(answer);
  }

  facts(callId: string, direction: CallFacts['direction'], parties: CallParties): CallFacts {
    const { mappingId, peer, from, to } = parties;
    // Written out: spread, and with these behind it, it takes 5 us where this takes 0.05, and an operator may look at thousands.
    return { mappingId, peer, from, to, callId, direction, startedAt: this.startedAt, rangAt: this.#rangAt, answeredAt: this.#answeredAt, codecs: this.#codecs };
  }
}

/** The record of a call that is over before it began. */
export function endedAtOnce(facts: CallFacts, { reason, class: owner, message }: Termination, status?: number): CallEnding {
  return { ...facts, endedAt: facts.startedAt, reason, class: owner, message, status };
}

/** The SIP address of a mapping, `sip:434@pbx.example.com`. */
export function addressOf({ sipUser, sipHost }: Pick<RoutableMapping, 'sipUser' | 'sipHost'>): string {
  return sipUri(escapeUser(sipUser), sipHost);
}

/** Peer types by the guide; the words are those that `dialog-sip explain` takes. */
const peerWords: Readonly<Record<number, string>> = { 1: 'user', 2: 'group' };

/** `user:434`, `group:7`; a SIP peer by its own name. */
export function writePeer({ type, id, strId }: Peer): string {
  const word = peerWords[type];
  return word === undefined ? (strId ?? String(id)) : `${word}:${id}`;
}

/** What was asked for. */
export function writeTarget(to: CallTarget): string {
  return 'peer' in to ? writePeer(to.peer) : to.address;
}

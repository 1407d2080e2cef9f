/**
 * Offers and answers in a call that talks, as a table beside the call's own (RFC 3264, RFC 3261 14). Pure data, printed in docs/calls.md.
 * One offer at most is under way, and no state but `stable` is without a guard.
 */
import type { StateTable } from './state-machine.js';

/**
 * `candidates`: what is still to come is waited for. `reply`: how long the host may take to answer. `glare`: the wait of RFC 3261 14.1.
 * `net`: under the SIP stack's own limits.
 */
export type NegotiationGuard = 'candidates' | 'reply' | 'glare' | 'net';

export type NegotiationState =
  | 'stable'
  | 'gathering' // the host offers, candidates are still to come
  | 'offering' // re-INVITE sent
  | 'waiting' // both sides offered at once; ours is sent again by and by
  | 'offered' // the host has the far end's offer
  | 'answering' // the host answered, candidates are still to come
  | 'asking' // the far end is asked for an offer
  | 'over'; // the call has ended

export type NegotiationEvent =
  | 'offer' // the host's, whole
  | 'offerPartial' // the host's, candidates are still to come
  | 'answer' // the host's, whole
  | 'answerPartial'
  | 'gathered'
  | 'answered' // 2xx
  | 'rejected' // 300 to 699
  | 'glare' // 491
  | 'remoteOffer'
  | 'unfit' // what the host answered cannot be sent
  | 'withdrawn' // the far end took its offer back
  | 'ask' // the host offers nothing, and the far end is to
  | 'unasked' // the far end offers nothing either
  | 'replaced' // the host goes on with another far end
  | 'ended'
  | 'timeout';

export type NegotiationAction =
  | 'send'
  | 'ask'
  | 'accept'
  | 'refuse'
  | 'refuseGlare'
  | 'tellOffer'
  | 'tellAnswer'
  | 'tellRejected'
  | 'tellGivenWay'
  | 'agree' // an offer has its answer: who waits for that is told
  | 'miss'; // it has none

const ended = { ended: { next: 'over', actions: [] } } as const;
/** The host takes its offer back, and may offer to whoever it is now. */
const givesWay = { ...ended, replaced: { next: 'over', actions: ['tellGivenWay'] } } as const;
const refuses = { ...ended, replaced: { next: 'over', actions: ['refuseGlare'] } } as const;
const lapses = { ...ended, replaced: { next: 'over', actions: [] } } as const;

export const negotiationTable: StateTable<NegotiationState, NegotiationEvent, NegotiationAction, NegotiationGuard> = {
  initial: 'stable',
  guards: {
    stable: 'none',
    gathering: 'candidates',
    offering: 'net',
    waiting: 'glare',
    offered: 'reply',
    answering: 'candidates',
    asking: 'net',
    over: 'none',
  },
  steps: {
    stable: {
      offer: { next: 'offering', actions: ['send'] },
      offerPartial: { next: 'gathering', actions: [] },
      remoteOffer: { next: 'offered', actions: ['tellOffer'] },
      ask: { next: 'asking', actions: ['ask'] },
      ...lapses,
    },
    gathering: {
      gathered: { next: 'offering', actions: ['send'] },
      timeout: { next: 'offering', actions: ['send'] },
      remoteOffer: { next: 'gathering', actions: ['refuseGlare'] },
      ...givesWay,
    },
    offering: {
      answered: { next: 'stable', actions: ['tellAnswer', 'agree'] },
      rejected: { next: 'stable', actions: ['tellRejected', 'miss'] },
      glare: { next: 'waiting', actions: [] },
      remoteOffer: { next: 'offering', actions: ['refuseGlare'] },
      timeout: { next: 'stable', actions: ['tellRejected', 'miss'] },
      ...givesWay,
    },
    waiting: {
      timeout: { next: 'offering', actions: ['send'] },
      // The far end's wait was the shorter one: the host has to take its own offer back to answer.
      remoteOffer: { next: 'offered', actions: ['tellGivenWay', 'tellOffer'] },
      ...givesWay,
    },
    offered: {
      answer: { next: 'stable', actions: ['accept', 'agree'] },
      answerPartial: { next: 'answering', actions: [] },
      unfit: { next: 'stable', actions: ['refuse', 'miss'] },
      withdrawn: { next: 'stable', actions: [] },
      timeout: { next: 'stable', actions: ['refuse', 'miss'] },
      ...refuses,
    },
    answering: {
      gathered: { next: 'stable', actions: ['accept', 'agree'] },
      withdrawn: { next: 'stable', actions: [] },
      timeout: { next: 'stable', actions: ['accept', 'agree'] },
      ...refuses,
    },
    asking: {
      remoteOffer: { next: 'offered', actions: ['tellOffer'] },
      unasked: { next: 'stable', actions: ['miss'] },
      timeout: { next: 'stable', actions: ['miss'] },
      ...lapses,
    },
    over: {},
  },
};

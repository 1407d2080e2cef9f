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
  | 'ended'
  | 'timeout';

export type NegotiationAction = 'send' | 'accept' | 'refuse' | 'refuseGlare' | 'tellOffer' | 'tellAnswer' | 'tellRejected' | 'tellGivenWay';

const ended = { ended: { next: 'over', actions: [] } } as const;

export const negotiationTable: StateTable<NegotiationState, NegotiationEvent, NegotiationAction, NegotiationGuard> = {
  initial: 'stable',
  guards: {
    stable: 'none',
    gathering: 'candidates',
    offering: 'net',
    waiting: 'glare',
    offered: 'reply',
    answering: 'candidates',
    over: 'none',
  },
  steps: {
    stable: {
      offer: { next: 'offering', actions: ['send'] },
      offerPartial: { next: 'gathering', actions: [] },
      remoteOffer: { next: 'offered', actions: ['tellOffer'] },
      ...ended,
    },
    gathering: {
      gathered: { next: 'offering', actions: ['send'] },
      timeout: { next: 'offering', actions: ['send'] },
      remoteOffer: { next: 'gathering', actions: ['refuseGlare'] },
      ...ended,
    },
    offering: {
      answered: { next: 'stable', actions: ['tellAnswer'] },
      rejected: { next: 'stable', actions: ['tellRejected'] },
      glare: { next: 'waiting', actions: [] },
      remoteOffer: { next: 'offering', actions: ['refuseGlare'] },
      timeout: { next: 'stable', actions: ['tellRejected'] },
      ...ended,
    },
    waiting: {
      timeout: { next: 'offering', actions: ['send'] },
      // The far end's wait was the shorter one: the host has to take its own offer back to answer.
      remoteOffer: { next: 'offered', actions: ['tellGivenWay', 'tellOffer'] },
      ...ended,
    },
    offered: {
      answer: { next: 'stable', actions: ['accept'] },
      answerPartial: { next: 'answering', actions: [] },
      unfit: { next: 'stable', actions: ['refuse'] },
      withdrawn: { next: 'stable', actions: [] },
      timeout: { next: 'stable', actions: ['refuse'] },
      ...ended,
    },
    answering: {
      gathered: { next: 'stable', actions: ['accept'] },
      withdrawn: { next: 'stable', actions: [] },
      timeout: { next: 'stable', actions: ['accept'] },
      ...ended,
    },
    over: {},
  },
};

/**
 * The life of a call as two tables: state x event -> next state and what to do. Pure data, printed in docs/calls.md.
 * Only a session changes a call's state, and only along these tables; an event without a row changes nothing.
 * Every state but `talking` and `ended` has a guard: a timer that raises `timeout`, so no call is ever forgotten.
 */
import type { StateTable, Step } from './state-machine.js';

/** Which limit guards a state. None is only for `talking`, which people end, and for `ended`. */
export type Guard = 'lookup' | 'candidates' | 'setup' | 'ring' | 'confirm' | 'close';

export type CallStateTable<State extends string, Event extends string, Action extends string> = StateTable<State, Event, Action, Guard>;

// ---- outgoing: messenger -> SIP -----------------------------------------------------------------

export type OutgoingState =
  | 'routing' // the host is asked whether the users are enabled
  | 'gathering' // waits for candidates
  | 'inviting' // INVITE sent, nothing but 100 came back
  | 'proceeding' // 181, 182 or the like: somebody works on it
  | 'ringing' // 180
  | 'early' // 183, or early media
  | 'talking' // 2xx
  | 'cancelling' // the host has its `ended`; the CANCEL is under way
  | 'ended';

export type OutgoingEvent =
  | 'routed' // a way was found, the offer is whole
  | 'routedPartial' // a way was found, candidates are still to come
  | 'unroutable'
  | 'gathered'
  | 'proceeding' // 1xx other than 180 and 183, without SDP
  | 'ringing' // 180 without SDP
  | 'progress' // 183 without SDP
  | 'media' // any 1xx with SDP not told yet
  | 'accepted' // 2xx
  | 'acceptedBare' // 2xx, and no SDP that can be used came in it or before it
  | 'refused' // 300 to 699, or its local stand-in
  | 'lost' // the far end is gone
  | 'bye'
  | 'hangup'
  | 'timeout';

export type OutgoingAction =
  | 'route'
  | 'invite'
  | 'cancel'
  | 'bye'
  | 'tellTrying'
  | 'tellRinging'
  | 'tellProgress'
  | 'tellTalking'
  | 'tellEnded';

/** 1xx may come in any order and be lost; what was told is never taken back: no ringing after early media. */
const answers = {
  accepted: { next: 'talking', actions: ['tellTalking'] },
  acceptedBare: { next: 'ended', actions: ['bye', 'tellEnded'] },
  refused: { next: 'ended', actions: ['tellEnded'] },
  hangup: { next: 'cancelling', actions: ['cancel', 'tellEnded'] },
  timeout: { next: 'cancelling', actions: ['cancel', 'tellEnded'] },
} as const satisfies Partial<Record<OutgoingEvent, Step<OutgoingState, OutgoingAction>>>;

export const outgoingTable: CallStateTable<OutgoingState, OutgoingEvent, OutgoingAction> = {
  initial: 'routing',
  guards: {
    routing: 'lookup',
    gathering: 'candidates',
    inviting: 'setup',
    proceeding: 'ring',
    ringing: 'ring',
    early: 'ring',
    talking: 'none',
    cancelling: 'close',
    ended: 'none',
  },
  steps: {
    routing: {
      routed: { next: 'inviting', actions: ['invite', 'tellTrying'] },
      routedPartial: { next: 'gathering', actions: ['tellTrying'] },
      unroutable: { next: 'ended', actions: ['tellEnded'] },
      hangup: { next: 'ended', actions: ['tellEnded'] },
      timeout: { next: 'routing', actions: ['route'] },
    },
    gathering: {
      gathered: { next: 'inviting', actions: ['invite'] },
      hangup: { next: 'ended', actions: ['tellEnded'] },
      timeout: { next: 'inviting', actions: ['invite'] },
    },
    inviting: {
      proceeding: { next: 'proceeding', actions: [] },
      ringing: { next: 'ringing', actions: ['tellRinging'] },
      progress: { next: 'early', actions: ['tellProgress'] },
      media: { next: 'early', actions: ['tellProgress'] },
      ...answers,
    },
    proceeding: {
      ringing: { next: 'ringing', actions: ['tellRinging'] },
      progress: { next: 'early', actions: ['tellProgress'] },
      media: { next: 'early', actions: ['tellProgress'] },
      ...answers,
    },
    ringing: {
      media: { next: 'early', actions: ['tellProgress'] },
      ...answers,
    },
    early: {
      media: { next: 'early', actions: ['tellProgress'] },
      ...answers,
    },
    talking: {
      lost: { next: 'ended', actions: ['tellEnded'] },
      bye: { next: 'ended', actions: ['tellEnded'] },
      hangup: { next: 'ended', actions: ['bye', 'tellEnded'] },
    },
    cancelling: {
      accepted: { next: 'ended', actions: ['bye'] },
      acceptedBare: { next: 'ended', actions: ['bye'] },
      refused: { next: 'ended', actions: [] },
      timeout: { next: 'ended', actions: [] },
    },
    ended: {},
  },
};

// ---- incoming: SIP -> messenger -----------------------------------------------------------------

export type IncomingState =
  | 'routing' // the host is asked whether the user is enabled; it does not know of the call yet
  | 'offered' // the host has the offer
  | 'ringing' // 180 sent
  | 'gathering' // the host answered, candidates are still to come
  | 'answering' // 200 sent, no ACK yet
  | 'talking'
  | 'ended';

export type IncomingEvent =
  | 'routed'
  | 'unroutable'
  | 'ring'
  | 'answer' // the answer is whole
  | 'answerPartial' // candidates are still to come
  | 'unfit' // the host's answer is no WebRTC
  | 'gathered'
  | 'confirmed' // ACK
  | 'lost' // no ACK within 64*T1, or the far end is gone
  | 'cancelled' // the caller gave up
  | 'bye'
  | 'hangup'
  | 'timeout';

export type IncomingAction =
  | 'route'
  | 'ring'
  | 'accept'
  | 'reject'
  | 'bye'
  | 'tellIncoming'
  | 'tellTalking'
  | 'tellEnded';

const decisions = {
  answer: { next: 'answering', actions: ['accept'] },
  answerPartial: { next: 'gathering', actions: [] },
  unfit: { next: 'ended', actions: ['reject', 'tellEnded'] },
  cancelled: { next: 'ended', actions: ['tellEnded'] },
  hangup: { next: 'ended', actions: ['reject', 'tellEnded'] },
  timeout: { next: 'ended', actions: ['reject', 'tellEnded'] },
} as const satisfies Partial<Record<IncomingEvent, Step<IncomingState, IncomingAction>>>;

export const incomingTable: CallStateTable<IncomingState, IncomingEvent, IncomingAction> = {
  initial: 'routing',
  guards: {
    routing: 'lookup',
    offered: 'ring',
    ringing: 'ring',
    gathering: 'candidates',
    answering: 'confirm',
    talking: 'none',
    ended: 'none',
  },
  steps: {
    // Until `tellIncoming` the host knows nothing of the call, so it is told nothing of its end either.
    routing: {
      routed: { next: 'offered', actions: ['tellIncoming'] },
      unroutable: { next: 'ended', actions: ['reject'] },
      cancelled: { next: 'ended', actions: [] },
      hangup: { next: 'ended', actions: ['reject'] },
      timeout: { next: 'routing', actions: ['route'] },
    },
    offered: {
      ring: { next: 'ringing', actions: ['ring'] },
      ...decisions,
    },
    ringing: {
      ring: { next: 'ringing', actions: [] },
      ...decisions,
    },
    gathering: {
      gathered: { next: 'answering', actions: ['accept'] },
      cancelled: { next: 'ended', actions: ['tellEnded'] },
      hangup: { next: 'ended', actions: ['reject', 'tellEnded'] },
      timeout: { next: 'answering', actions: ['accept'] },
    },
    answering: {
      confirmed: { next: 'talking', actions: ['tellTalking'] },
      lost: { next: 'ended', actions: ['tellEnded'] },
      bye: { next: 'ended', actions: ['tellEnded'] },
      hangup: { next: 'ended', actions: ['bye', 'tellEnded'] },
      timeout: { next: 'ended', actions: ['bye', 'tellEnded'] },
    },
    talking: {
      lost: { next: 'ended', actions: ['tellEnded'] },
      bye: { next: 'ended', actions: ['tellEnded'] },
      hangup: { next: 'ended', actions: ['bye', 'tellEnded'] },
    },
    ended: {},
  },
};

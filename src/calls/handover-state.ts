/**
 * The far end has its call go on with somebody else, as a table (REFER, RFC 3515, RFC 5589). Pure data, printed in docs/calls.md. The far end
 * may wait for what comes of it, or hang up at once: then the call is *alone* until the new party has taken it over.
 */
import type { StateTable } from './state-machine.js';

/** `ring`: how long the new party may ring. `offer`: how long the host may take to offer. `agree`: how long until both have agreed on their media. */
export type HandoverGuard = 'ring' | 'offer' | 'agree';

export type HandoverState =
  | 'calling' // the new party is called
  | 'joining' // it has answered; the host is told who it is, and may offer
  | 'asking' // it was asked for an offer, as the host made none
  | 'callingAlone'
  | 'joiningAlone'
  | 'askingAlone'
  | 'done' // the call goes on with the new party
  | 'over'; // it does not

export type HandoverEvent =
  | 'answered'
  | 'refused' // or hung up, before anything was agreed
  | 'agreed' // an offer has its answer
  | 'missed' // an offer has none
  | 'left' // the far end has hung up, or is gone
  | 'ended' // the call has ended on our side
  | 'timeout';

export type HandoverAction =
  | 'join' // the host has the new party before it
  | 'ask'
  | 'adopt' // the far end is told, and its dialog ended
  | 'report' // the far end is told that it came to nothing
  | 'goBack' // the host has the far end before it again
  | 'giveUp' // the new party is let go
  | 'end'; // nobody is left

const letsGo = { ended: { next: 'over', actions: ['giveUp'] } } as const;
const together = {
  agreed: { next: 'done', actions: ['adopt'] },
  refused: { next: 'over', actions: ['goBack', 'report'] },
  missed: { next: 'over', actions: ['giveUp', 'goBack', 'report'] },
  ...letsGo,
} as const;
const alone = {
  agreed: { next: 'done', actions: ['adopt'] },
  refused: { next: 'over', actions: ['end'] },
  missed: { next: 'over', actions: ['giveUp', 'end'] },
  ...letsGo,
} as const;

export const handoverTable: StateTable<HandoverState, HandoverEvent, HandoverAction, HandoverGuard> = {
  initial: 'calling',
  guards: {
    calling: 'ring',
    joining: 'offer',
    asking: 'agree',
    callingAlone: 'ring',
    joiningAlone: 'offer',
    askingAlone: 'agree',
    done: 'none',
    over: 'none',
  },
  steps: {
    calling: {
      answered: { next: 'joining', actions: ['join'] },
      refused: { next: 'over', actions: ['report'] },
      left: { next: 'callingAlone', actions: [] },
      timeout: { next: 'over', actions: ['giveUp', 'report'] },
      ...letsGo,
    },
    joining: {
      left: { next: 'joiningAlone', actions: [] },
      timeout: { next: 'asking', actions: ['ask'] },
      ...together,
    },
    asking: {
      left: { next: 'askingAlone', actions: [] },
      timeout: { next: 'over', actions: ['giveUp', 'goBack', 'report'] },
      ...together,
    },
    callingAlone: {
      answered: { next: 'joiningAlone', actions: ['join'] },
      refused: { next: 'over', actions: ['end'] },
      timeout: { next: 'over', actions: ['giveUp', 'end'] },
      ...letsGo,
    },
    joiningAlone: {
      timeout: { next: 'askingAlone', actions: ['ask'] },
      ...alone,
    },
    askingAlone: {
      timeout: { next: 'over', actions: ['giveUp', 'end'] },
      ...alone,
    },
    done: {},
    over: {},
  },
};

/** Corrections to SIP.js's timers: those that it shortens as if every transport were a connection. */
import { Timers } from 'sip.js/lib/core/timers.js';
import type { Correction } from './pin.js';

const { T4 } = Timers;

export const timersCorrection: Correction = {
  member: 'Timers.TIMER_I',
  why: 'RFC 3261 17.2.1, 8.2.2.2: a refused INVITE is known for T4 after its ACK, so that the same call by another way is answered 482; SIP.js forgets it at once.',
  spec: 'the same request by two ways is merged for T4 after its refusal was acknowledged',
  install: () => {
    Timers.TIMER_I = T4;
  },
};

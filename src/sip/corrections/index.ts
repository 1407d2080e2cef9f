/**
 * Every change that is made to SIP.js's classes, with its reason; `docs/sip-stack.md` shows them as a table. They change the classes of
 * the one `sip.js` that this package resolves to: a host that runs the same copy in the same process gets them too.
 */
import { grammarCorrections } from '../parser/grammar.js';
import { allowedMethodsCorrection } from './allowed-methods.js';
import { dialogCorrections } from './dialogs.js';
import type { Correction } from './pin.js';
import { timersCorrection } from './timers.js';
import { transactionCorrections } from './transactions.js';
import { userAgentCorrections } from './user-agents.js';

export const corrections: readonly Correction[] = [
  ...transactionCorrections,
  ...userAgentCorrections,
  ...dialogCorrections,
  ...grammarCorrections,
  allowedMethodsCorrection,
  timersCorrection,
];

/** Idempotent. Throws when SIP.js is not the version that is corrected here. */
export function installCorrections(): void {
  for (const correction of corrections) correction.install();
}

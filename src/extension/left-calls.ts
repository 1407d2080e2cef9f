/** Ends the calls that a run before left, each through the account of its mapping: some at a time, so that no far end is flooded. */
import { delay, type Clock } from '../base/clock.js';
import type { LeftCall } from '../records/live-call.js';
import { looseEnd } from '../sip/loose-end.js';
import type { SipAccounts } from './sip-accounts.js';

export interface LeftCallsPorts {
  readonly accounts: Pick<SipAccounts, 'accountOf'>;
  readonly clock: Clock;
  readonly log: { warn(message: string): unknown };
}

/** 4,000 a second. */
const atOnce = 100;
const pauseMs = 25;

/** Never rejects. */
export async function endLeftCalls(calls: readonly LeftCall[], { accounts, clock, log }: LeftCallsPorts): Promise<void> {
  let unended = 0;
  for (const [index, call] of calls.entries()) {
    if (index > 0 && index % atOnce === 0) await delay(clock, pauseMs);
    const end = looseEnd.safeParse(call.looseEnd);
    const account = call.mappingId === undefined ? undefined : accounts.accountOf(call.mappingId);
    if (account === undefined || !end.success) unended += 1;
    else account.endLeft(end.data);
  }
  if (unended > 0) log.warn(`${unended} of them cannot be ended from here: they had not gone out yet, or their mappings are gone.`);
}

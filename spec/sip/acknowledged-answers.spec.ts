/** What is kept of 2xx that we have acknowledged; what is done with it on the wire is a matter of conformance/transactions. */
import { expect, it } from 'vitest';
import { AcknowledgedAnswers, type AnsweredAccount } from '../../src/sip/acknowledged-answers.js';
import { ManualClock } from '../support/manual-clock.js';

it('acknowledged answers are kept up to a number, and forgotten after 64*T1', async () => {
  const clock = new ManualClock();
  const answers = new AcknowledgedAnswers(clock, 1);
  const account = {} as AnsweredAccount; // nothing is asked of it before a response comes
  const ack = { nextHop: undefined, toString: () => 'ACK sip:a SIP/2.0' };
  expect([answers.add(account, 'z9hG4bKa', ack), answers.add(account, 'z9hG4bKb', ack), answers.size]).toEqual([true, false, 1]);
  await clock.advance(31_000);
  expect([answers.add(account, 'z9hG4bKb', ack), answers.size]).toEqual([false, 1]);
  await clock.advance(2_000);
  expect([answers.size, answers.add(account, 'z9hG4bKb', ack)]).toEqual([0, true]);
  answers.close();
  expect(answers.size).toBe(0);
});

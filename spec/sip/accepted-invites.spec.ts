/** What is known of answered INVITEs. */
import { expect, it } from 'vitest';
import { AcceptedInvites } from '../../src/sip/accepted-invites.js';
import { ManualClock } from '../support/manual-clock.js';

const invite = (branch: string, cseq = 1): Parameters<AcceptedInvites['add']>[1] => ({ viaBranch: branch, callId: 'c', fromTag: 'f', cseq });

it('an answered INVITE is no loop for another account of ours, nor another request of its call', () => {
  const accepted = new AcceptedInvites(new ManualClock());
  expect(accepted.add('one', invite('z9hG4bKa'))).toBe(true);
  expect(accepted.isMerged('one', invite('z9hG4bKb'))).toBe(true);
  expect(accepted.isMerged('other', invite('z9hG4bKb'))).toBe(false);
  expect(accepted.isMerged('one', invite('z9hG4bKb', 2))).toBe(false);
});

it('answered INVITEs are kept up to a number, and forgotten after 64*T1', async () => {
  const clock = new ManualClock();
  const accepted = new AcceptedInvites(clock, 1);
  expect(accepted.add('one', invite('z9hG4bKa', 1))).toBe(true);
  expect(accepted.add('one', invite('z9hG4bKb', 2))).toBe(false);
  await clock.advance(31_000);
  expect(accepted.has('z9hG4bKa')).toBe(true);
  await clock.advance(2_000);
  expect([accepted.has('z9hG4bKa'), accepted.isMerged('one', invite('z9hG4bKc')), accepted.size]).toEqual([false, false, 0]);
});

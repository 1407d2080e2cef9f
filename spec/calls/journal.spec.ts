/** What calls tell the journal, by which the next start ends them after a crash. */
import { describe, expect, it } from 'vitest';
import { FakeIncomingCall } from '../support/fake-sip.js';
import type { JournaledCall } from '../../src/calls/ports.js';
import { answerSdp, offerSdp, world, type World, type WorldOptions } from './call-fixture.js';

function journaled(options: WorldOptions = {}): World & { noted: string[]; last: () => JournaledCall } {
  const noted: string[] = [];
  const calls: JournaledCall[] = [];
  const note = (what: string, call: JournaledCall): void => {
    noted.push(`${call.callId} ${what} ${call.facts.state} ${call.looseEnd?.kind ?? '-'}`);
    calls.push(call);
  };
  const journal = { changed: (call: JournaledCall) => { note('changed', call); }, over: (call: JournaledCall) => { note('over', call); } };
  return { ...world({ ...options, journal }), noted, last: () => calls.at(-1)! };
}

describe('the journal is told of a call to SIP', () => {
  it('when its INVITE goes out, when it is answered, when its far end changes it, and when it is over', async () => {
    const { create, account, noted, last } = journaled();
    await create();
    account.call.looseEnd = { kind: 'invite', requestUri: 'sip:600@pbx', via: '', from: '', to: '', callId: 'c', routes: [], cseq: 1 };
    expect(last().looseEnd?.kind).toBe('invite');
    account.call.accept(answerSdp);
    account.call.remoteOffer(offerSdp);
    account.call.remoteBye();
    expect(noted).toEqual(['out-1 changed inviting -', 'out-1 changed inviting dialog', 'out-1 changed talking dialog', 'out-1 over ended dialog']);
  });

  it('as over only when the SIP side is', async () => {
    const { create, account, noted, router } = journaled();
    await create();
    await router.onCall({ type: 'hangup', callId: 'out-1' });
    expect(noted).toHaveLength(1);
    account.call.refuse(487, 'Request Terminated');
    expect(noted.slice(1)).toEqual(['out-1 over ended -']);
  });
});

describe('the journal is told of a call from SIP', () => {
  it('when the host is, when it is answered, and when it is over', async () => {
    const { router, account, noted } = journaled();
    const call = new FakeIncomingCall(account);
    router.onIncoming(call);
    await router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp } });
    call.confirm();
    call.remoteBye();
    expect(noted).toEqual(['in-1 changed offered invited', 'in-1 changed answering dialog', 'in-1 over ended dialog']);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { Retransmission } from '../../src/sip/retransmission.js';
import type { Flow } from '../../src/sip/transports/flow.js';
import { ManualClock } from '../support/manual-clock.js';

const flow = (isReliable: boolean): Flow => ({
  transport: isReliable ? 'tcp' : 'udp',
  remote: { address: '127.0.0.1', port: 5060 },
  local: { address: '127.0.0.1', port: 5070 },
  isReliable,
  isOpen: true,
  send: () => undefined,
  close: () => undefined,
});

const ignore = (): void => undefined;
let clock: ManualClock;
let sent: { atMs: number; text: string }[];
let retransmission: Retransmission;

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  retransmission = new Retransmission(clock, (_flow, text) => sent.push({ atMs: clock.now(), text }));
});

/** Times at which it was sent, rounded to the tick. */
const times = (text: string): number[] => sent.filter((one) => one.text === text).map((one) => one.atMs);
const roughly = (expected: number[], actual: number[]): void => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((ms, index) => {
    expect(actual[index]).toBeGreaterThanOrEqual(ms);
    expect(actual[index]! - ms).toBeLessThanOrEqual(400);
  });
};

describe('over UDP', () => {
  it('repeats an INVITE at T1, doubling without a bound, until 64*T1 (timer A)', async () => {
    retransmission.sendRequest(flow(false), 'INVITE x', 'b1INVITE', true, ignore);
    await clock.advance(60_000);
    roughly([0, 500, 1500, 3500, 7500, 15_500, 31_500], times('INVITE x'));
    expect(retransmission.size).toBe(0);
  });

  it('repeats a REGISTER at T1, doubling to T2, until 64*T1 (timer E)', async () => {
    retransmission.sendRequest(flow(false), 'REGISTER x', 'b1REGISTER', false, ignore);
    await clock.advance(60_000);
    roughly([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500], times('REGISTER x'));
  });

  it('stops an INVITE at the first provisional response, and goes on with a REGISTER at T2', async () => {
    retransmission.sendRequest(flow(false), 'INVITE x', 'b1INVITE', true, ignore);
    retransmission.sendRequest(flow(false), 'REGISTER x', 'b2REGISTER', false, ignore);
    expect(retransmission.receiveResponse('b1INVITE', 100)).toBe(true);
    expect(retransmission.receiveResponse('b2REGISTER', 100)).toBe(true);
    await clock.advance(5_000);
    expect(times('INVITE x')).toHaveLength(1);
    roughly([0, 500, 4_500], times('REGISTER x'));
    expect(retransmission.receiveResponse('b2REGISTER', 200)).toBe(true);
    await clock.advance(60_000);
    expect(times('REGISTER x')).toHaveLength(3);
    expect(retransmission.size).toBe(0);
  });

  it('acknowledges a refusal that comes again, and tells the core of the first alone (timer D)', async () => {
    retransmission.sendRequest(flow(false), 'INVITE x', 'b1INVITE', true, ignore);
    expect(retransmission.receiveResponse('b1INVITE', 486)).toBe(true);
    retransmission.sendAck(flow(false), 'ACK x', 'b1INVITE', ignore);
    expect(retransmission.receiveResponse('b1INVITE', 486)).toBe(false);
    expect(times('ACK x')).toHaveLength(2);
    await clock.advance(40_000);
    expect(retransmission.size).toBe(0);
  });

  it('repeats a refusal of INVITE until the ACK comes (timer G), then absorbs the INVITE (timer I)', async () => {
    retransmission.sendFinal(flow(false), 'SIP/2.0 486 Busy', 's1', true, ignore);
    await clock.advance(8_000);
    roughly([0, 500, 1500, 3500, 7500], times('SIP/2.0 486 Busy'));
    expect(retransmission.receiveRequest('s1', 'INVITE')).toBe(false);
    expect(times('SIP/2.0 486 Busy')).toHaveLength(6);
    expect(retransmission.receiveRequest('s1', 'ACK')).toBe(true);
    await clock.advance(10_000);
    expect(retransmission.receiveRequest('s1', 'INVITE')).toBe(false);
    expect(times('SIP/2.0 486 Busy')).toHaveLength(6);
    await clock.advance(30_000);
    expect(retransmission.size).toBe(0);
    expect(retransmission.receiveRequest('s1', 'INVITE')).toBe(true);
  });

  it('gives a refusal up after 64*T1 without an ACK (timer H)', async () => {
    retransmission.sendFinal(flow(false), 'SIP/2.0 486 Busy', 's1', true, ignore);
    await clock.advance(200_000);
    expect(times('SIP/2.0 486 Busy')).toHaveLength(11);
    expect([retransmission.size, clock.pending]).toEqual([0, 0]);
  });

  it('answers a request that comes again with the response it had (timer J)', async () => {
    retransmission.sendFinal(flow(false), 'SIP/2.0 200 OK', 's1', false, ignore);
    expect(retransmission.receiveRequest('s1', 'BYE')).toBe(false);
    await clock.advance(31_000);
    expect(retransmission.receiveRequest('s1', 'BYE')).toBe(false);
    expect(times('SIP/2.0 200 OK')).toHaveLength(3);
    await clock.advance(5_000);
    expect(retransmission.receiveRequest('s1', 'BYE')).toBe(true);
  });
});

describe('above its bound', () => {
  it('sends what it cannot keep, once', async () => {
    const few = new Retransmission(clock, (_flow, text) => sent.push({ atMs: clock.now(), text }), 1);
    few.sendFinal(flow(false), 'SIP/2.0 486 kept', 's1', true, ignore);
    few.sendFinal(flow(false), 'SIP/2.0 486 sent', 's2', true, ignore);
    few.sendAck(flow(false), 'ACK kept', 'b1', ignore);
    few.sendAck(flow(false), 'ACK sent', 'b2', ignore);
    expect(few.size).toBe(2);
    await clock.advance(40_000);
    expect([times('SIP/2.0 486 sent').length, times('ACK sent').length]).toEqual([1, 1]);
    expect(times('SIP/2.0 486 kept').length).toBeGreaterThan(1);
    expect(few.size).toBe(0);
  });
});

describe('over a reliable transport', () => {
  it('sends each message once and remembers none', async () => {
    retransmission.sendRequest(flow(true), 'INVITE x', 'b1', true, ignore);
    retransmission.sendAck(flow(true), 'ACK x', 'b1', ignore);
    retransmission.sendFinal(flow(true), 'SIP/2.0 486 Busy', 's1', true, ignore);
    await clock.advance(60_000);
    expect(sent).toHaveLength(3);
    expect([retransmission.size, clock.pending]).toEqual([0, 0]);
  });
});

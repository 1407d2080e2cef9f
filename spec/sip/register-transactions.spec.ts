/** The client transactions of REGISTER, on the manual clock: each ends once, by its answer, by an error or by timer F. */
import { beforeEach, describe, expect, it } from 'vitest';
import { TransactionCount } from '../../src/sip/guards/transaction-count.js';
import type { FinalResponse, Wire } from '../../src/sip/internals.js';
import { parseMessage } from '../../src/sip/parser/parse-message.js';
import { ParsedResponse } from '../../src/sip/parser/message.js';
import { RegisterTransactions } from '../../src/sip/register-transactions.js';
import { ManualClock } from '../support/manual-clock.js';

let clock: ManualClock;
let count: TransactionCount;
let transactions: RegisterTransactions;
let told: [branch: string, status: number | undefined, code: string | undefined][];
let failing: ((error: Error) => void) | undefined;

const wire = {
  sendRequest: (_text: string, _key: string, _isInvite: boolean, onError: (error: Error) => void): void => {
    failing = onError;
  },
} as unknown as Wire;

function send(branch: string): void {
  transactions.send(wire, branch, 'REGISTER', (response: FinalResponse) => {
    told.push([branch, response.statusCode, response.local?.code]);
  });
}

function response(status: number): FinalResponse {
  const message = parseMessage(Buffer.from(`SIP/2.0 ${status} So\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\n\r\n`));
  if (!(message instanceof ParsedResponse)) throw new Error('That is no response.');
  return message;
}

beforeEach(() => {
  clock = new ManualClock();
  count = new TransactionCount(2);
  transactions = new RegisterTransactions(clock, count);
  told = [];
});

describe('a REGISTER', () => {
  it('waits on through a provisional response, is over with the first final one, and leaves neither entry nor timer', () => {
    send('a');
    expect(transactions.receive('aREGISTER', response(100))).toBe(true);
    expect(told).toEqual([]);
    expect(transactions.receive('aREGISTER', response(200))).toBe(true);
    expect(transactions.receive('aREGISTER', response(200))).toBe(false);
    expect(told).toEqual([['a', 200, undefined]]);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('that nobody answers ends after 64*T1, each at its own moment', async () => {
    send('a');
    await clock.advance(10_000);
    send('b');
    await clock.advance(21_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual([['a', 408, 'SIP_TIMEOUT']]);
    await clock.advance(10_000);
    expect(told).toEqual([['a', 408, 'SIP_TIMEOUT'], ['b', 408, 'SIP_TIMEOUT']]);
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });

  it('that the network does not take ends at once, but not one that was answered by then', () => {
    send('a');
    failing?.(new Error('no route'));
    send('b');
    transactions.receive('bREGISTER', response(401));
    failing?.(new Error('no route'));
    expect(told).toEqual([['a', 503, 'SIP_TRANSPORT'], ['b', 401, undefined]]);
  });

  it('counts among the transactions of the stack until it is over', () => {
    send('a');
    send('b');
    expect(count.isFull).toBe(true);
    transactions.receive('aREGISTER', response(200));
    expect(count.isFull).toBe(false);
    transactions.close();
    expect([transactions.size, clock.pending]).toEqual([0, 0]);
  });
});

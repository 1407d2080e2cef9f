/** The number of transactions is bounded, in both directions. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CountedMap, TransactionCount } from '../../../src/sip/guards/transaction-count.js';
import type { CallRefusal } from '../../../src/sip/types.js';
import { openGuardedStack, registered, registrarAddress, reply, request, type GuardedStack } from './guarded-stack.js';
import { quietDialog } from '../../support/quiet-dialog.js';

const most = 20;
let bench: GuardedStack;

beforeEach(async () => {
  bench = await openGuardedStack({ maxTransactions: most });
  await registered(bench.addAccount('434'));
  await expect.poll(() => bench.stack.usage().transactions).toBe(0);
});

afterEach(() => bench.stack.close());

const statuses = (): string[] => bench.at(registrarAddress).sent.flatMap((text) => /^SIP\/2\.0 (\d+) /.exec(text)?.[1] ?? []);

describe('calls that reach us', () => {
  it('above the number of transactions are answered 503 and leave nothing, and those before can still be ended', () => {
    const flow = bench.at(registrarAddress);
    const invites = Array.from({ length: 10 * most }, () => request('INVITE', '434'));
    for (const invite of invites) flow.bring(invite);
    expect(bench.calls).toHaveLength(most);
    expect(bench.stack.usage().transactions).toBe(most);
    const refused = flow.sent.filter((text) => text.startsWith('SIP/2.0 503 '));
    expect(refused).toHaveLength(9 * most);
    expect(refused[0]).toContain('\r\nRetry-After: 5\r\n');
    expect(bench.dropped.filter((kind) => kind === 'overload')).toHaveLength(9 * most);

    flow.bring(invites[0]!);
    expect(statuses().filter((status) => status === '503')).toHaveLength(9 * most);
    flow.bring(invites[0]!.replaceAll('INVITE', 'CANCEL'));
    expect(statuses().slice(-2).sort()).toEqual(['200', '487']);
  });
});

describe('calls that we place', () => {
  it('above the number of transactions are refused here, and placed again when there is room', async () => {
    const account = bench.addAccount('435');
    const refusals: CallRefusal[] = [];
    const events = { ...quietDialog, onProgress: () => undefined, onAccepted: () => undefined, onRefused: (refusal: CallRefusal) => refusals.push(refusal) };
    const place = (): unknown => account.invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, events);
    for (let turn = 0; turn < 3 * most; turn += 1) place();
    await expect.poll(() => refusals.length).toBe(2 * most);
    expect(refusals[0]).toMatchObject({ status: 503, local: { code: 'SIP_TRANSPORT', message: 'Too many SIP transactions are under way: the call was not placed' } });
    const flow = bench.at(registrarAddress);
    const invites = (): string[] => flow.sent.filter((text) => text.startsWith('INVITE '));
    expect(invites()).toHaveLength(most);
    flow.bring(reply(invites()[0]!, 486));
    await expect.poll(() => bench.stack.usage().transactions).toBe(most - 1);
    place();
    expect(invites()).toHaveLength(most + 1);
  });
});

describe('the count', () => {
  it('is of what is held in all maps together, however it comes and goes', () => {
    const count = new TransactionCount(3);
    const [one, other] = [new CountedMap<number>(count), new CountedMap<number>(count)];
    one.set('a', 1).set('a', 2).set('b', 1);
    other.set('a', 1);
    expect(count.isFull).toBe(true);
    other.delete('nobody');
    other.delete('a');
    expect(count.isFull).toBe(false);
    one.clear();
    other.set('a', 1).set('b', 1);
    expect(count.isFull).toBe(false);
    other.set('c', 1);
    expect(count.isFull).toBe(true);
  });
});

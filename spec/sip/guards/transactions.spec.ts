/** The number of transactions is bounded, in both directions. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mostBranches } from '../../../src/sip/account-core.js';
import { CountedMap, TransactionCount } from '../../../src/sip/guards/transaction-count.js';
import { mostOfOneAccount } from '../../../src/sip/reception.js';
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

describe('re-INVITEs of one far end', () => {
  it('do not take the room of all: above a number they are answered 503, and the call can still be ended', async () => {
    await bench.stack.close();
    bench = await openGuardedStack();
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    const invite = request('INVITE', '434');
    flow.bring(invite);
    bench.calls[0]!.accept('answer\r\n');
    const to = /^To: (.*)\r$/m.exec(flow.sent.at(-1)!)![1]!;
    const inDialog = (method: string, cseq: number): string =>
      invite.replace(/^To: .*\r$/m, `To: ${to}\r`).replace(/branch=[^;]*/, `branch=z9hG4bK${method}${String(cseq)}`).replace('CSeq: 1 ', `CSeq: ${String(cseq)} `).replaceAll('INVITE', method);
    flow.bring(inDialog('ACK', 1));
    const ofOthers = bench.stack.usage().transactions;
    const before = flow.sent.length;
    // The owner of the call refuses each, and no ACK comes.
    bench.calls[0]!.events = { ...quietDialog, onCancelled: () => undefined, onConfirmed: () => undefined };
    const body = 'Content-Type: application/sdp\r\nContent-Length: 3\r\n\nv=0'.replace('\n\n', '\n\r\n');
    for (let cseq = 2; cseq < 2 + 2 * mostOfOneAccount; cseq += 1) flow.bring(inDialog('INVITE', cseq).replace('Content-Length: 0\r\n\r\n', body));
    expect(bench.stack.usage().transactions).toBe(mostOfOneAccount);
    expect(flow.sent.slice(before).filter((text) => text.startsWith('SIP/2.0 503 '))).toHaveLength(mostOfOneAccount + ofOthers);
    flow.bring(inDialog('BYE', 9_000));
    expect(flow.sent.at(-1)).toMatch(/^SIP\/2\.0 200 /);
    flow.bring(request('INVITE', '434'));
    expect(bench.calls).toHaveLength(2);
  });
});

describe('the branches of a call that we place', () => {
  it('are told up to a number, however many answer', () => {
    const account = bench.addAccount('435');
    const seen: number[] = [];
    const events = { ...quietDialog, onProgress: ({ status }: { status: number }) => seen.push(status), onAccepted: () => seen.push(200), onRefused: ({ status }: CallRefusal) => seen.push(status) };
    account.invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, events);
    const flow = bench.at(registrarAddress);
    const invite = flow.sent.at(-1)!;
    const from = (tag: string, status: number): string => reply(invite, status, ['Contact: <sip:far@192.0.2.1>']).replace('tag=far', `tag=${tag}`);
    for (let branch = 0; branch < 1_000; branch += 1) flow.bring(from(String(branch), 180));
    expect([seen.length, bench.stack.usage().dialogs]).toEqual([mostBranches, mostBranches]);
    expect(bench.dropped.filter((kind) => kind === 'unmatched')).toHaveLength(1_000 - mostBranches);
    flow.bring(from('0', 180));
    flow.bring(from('other', 200));
    flow.bring(from('1', 200));
    expect(seen.slice(mostBranches)).toEqual([180, 200]);
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

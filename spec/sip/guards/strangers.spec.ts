/** Who is answered and how much of everybody else is looked at. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../support/manual-clock.js';
import { openGuardedStack, registered, registrarAddress, reply, request, type GuardedStack } from './guarded-stack.js';

let bench: GuardedStack;

beforeEach(async () => {
  bench = await openGuardedStack();
});

afterEach(async () => {
  await bench.stack.close();
  expect(bench.clock.pending).toBe(0);
});

const count = (kind: string): number => bench.dropped.filter((dropped) => dropped === kind).length;

/** SIP.js ends transactions by timers of the machine; then the stack lets go of what was removed. */
async function idle(): Promise<void> {
  await expect.poll(() => bench.stack.usage().transactions).toBe(0);
  await bench.clock.advance(1_000);
}

describe('a registrar', () => {
  it('is answered as long as an account uses it, however much it sends', async () => {
    const account = await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    const before = flow.sent.length;
    for (let turn = 0; turn < 500; turn += 1) flow.bring(request('OPTIONS', '434'));
    expect(flow.sent.length - before).toBe(500);
    expect(bench.dropped).toEqual([]);
    account.remove();
    await idle();
    flow.bring(request('OPTIONS', '434'));
    expect(flow.sent.length - before).toBe(500);
    expect(bench.dropped).toEqual(['stranger']);
  });

  it('is known still when one of two accounts leaves it, and no more when the last went elsewhere', async () => {
    const first = await registered(bench.addAccount('434'));
    await registered(bench.addAccount('435'));
    first.remove();
    await idle();
    bench.at(registrarAddress).bring(request('OPTIONS', '435'));
    expect(bench.dropped).toEqual([]);
  });
});

describe('a stranger', () => {
  it('gets silence, and after a while is not even looked at', async () => {
    await registered(bench.addAccount('434'));
    const flow = bench.at('198.51.100.7');
    for (let turn = 0; turn < 1_000; turn += 1) flow.bring(request('OPTIONS', '434'));
    for (let turn = 0; turn < 1_000; turn += 1) flow.bring('GET / HTTP/1.1\r\n\r\n');
    expect(flow.sent).toEqual([]);
    expect([count('stranger'), count('flood')]).toEqual([40, 1_960]);
    await bench.clock.advance(60_000);
    expect(bench.lines).toEqual([
      'Dropped in the last minute: 40 requests from addresses that are no registrar of ours; from one address, such as 198.51.100.7',
      'Dropped in the last minute: 1,960 messages, unread: too many from addresses that are no registrar of ours; from one address, such as 198.51.100.7',
    ]);
  });

  it('has no connection for long: those that bring something for us alone are welcome', async () => {
    const account = await registered(bench.addAccount('434'));
    const [registrar, stranger, far] = [bench.at(registrarAddress, 'tcp'), bench.at('198.51.100.7', 'tcp'), bench.at('198.51.100.8', 'tcp')];
    stranger.bring(request('OPTIONS', '434'));
    registrar.bring('GET / HTTP/1.1\r\n\r\n');
    expect([registrar.isWelcome, stranger.isWelcome]).toEqual([false, false]);
    registrar.bring(request('OPTIONS', '434'));
    void account.register(3600);
    bench.answer = () => undefined;
    await settle();
    far.bring(reply(bench.at(registrarAddress).sent.at(-1)!, 100));
    expect([registrar.isWelcome, stranger.isWelcome, far.isWelcome]).toEqual([true, false, true]);
  });

  it('is heard without a limit in a dialog that it is the far end of', async () => {
    await registered(bench.addAccount('434'));
    bench.at(registrarAddress).bring(request('INVITE', '434'));
    const invite = bench.calls[0]!;
    invite.accept('answer\r\n');
    const ok = bench.at(registrarAddress).sent.at(-1)!;
    const to = /^To: (.*)$/m.exec(ok)![1]!.trim();
    const from = /^From: (.*)$/m.exec(ok)![1]!.trim();
    const far = bench.at('198.51.100.8');
    for (let cseq = 2; cseq < 202; cseq += 1) {
      far.bring(
        request('OPTIONS', '434')
          .replace(/^From: .*$/m, `From: ${from}`)
          .replace(/^To: .*$/m, `To: ${to}`)
          .replace(/^Call-ID: .*$/m, `Call-ID: ${invite.callId}`)
          .replace('CSeq: 1 ', `CSeq: ${String(cseq)} `),
      );
    }
    expect(far.sent).toHaveLength(200);
    expect(bench.dropped).toEqual([]);
  });

  it('cannot answer in our name: a response that nothing waits for is counted and costs it its share', async () => {
    await registered(bench.addAccount('434'));
    const sent = bench.at(registrarAddress).sent[0]!.replace(/branch=[^;\r]*/, '$&x');
    for (let turn = 0; turn < 100; turn += 1) bench.at('198.51.100.9').bring(reply(sent, 200));
    expect([count('unmatched'), count('flood')]).toEqual([40, 60]);
  });
});

describe('a delivery that throws', () => {
  it('harms itself alone, is told at once and after that once a minute', async () => {
    await bench.stack.close();
    bench = await openGuardedStack({}, {
      events: {
        onInvite: () => {
          throw new Error('the host is broken');
        },
        onFlowLost: () => undefined,
      },
    });
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    for (let turn = 0; turn < 50; turn += 1) flow.bring(request('INVITE', '434'));
    expect(flow.sent.filter((text) => text.startsWith('SIP/2.0 500 '))).toHaveLength(50);
    expect(count('failed')).toBe(50);
    expect(bench.lines).toEqual(['A message from 192.0.2.1:5060 over udp could not be handled: the host is broken']);
    flow.bring(request('OPTIONS', '434'));
    expect(flow.sent.at(-1)).toMatch(/^SIP\/2\.0 200 /);
    await bench.clock.advance(60_000);
    expect(bench.lines).toHaveLength(2);
  });
});

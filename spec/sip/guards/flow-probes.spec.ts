/** Registrars that die: found within 30 s, whatever the transport does or does not tell. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';
import type { MemoryFlow } from './guarded-stack.js';
import { openGuardedStack, registered, registrarAddress, reply, request, type GuardedStack } from './guarded-stack.js';

let bench: GuardedStack;

beforeEach(async () => {
  bench = await openGuardedStack();
});

afterEach(async () => {
  await bench.stack.close();
  expect(bench.clock.pending).toBe(0);
});

/** Answers OPTIONS from now on. */
function answersOptions(): void {
  const before = bench.answer;
  bench.answer = (flow, text) => {
    if (text.startsWith('OPTIONS ')) flow.bring(reply(text, 200));
    else before(flow, text);
  };
}

const questions = (flow: MemoryFlow): string[] => flow.sent.filter((text) => text.startsWith('OPTIONS '));
const branches = (flow: MemoryFlow): Set<string | undefined> => new Set(questions(flow).map((text) => /branch=([^;]*)/.exec(text)?.[1]));

describe('a registrar over UDP', () => {
  it('that dies is found within 30 s of its last message, and told once for all its accounts', async () => {
    answersOptions();
    const accounts = [await registered(bench.addAccount('434')), await registered(bench.addAccount('435'))];
    await registered(bench.addAccount('500', '192.0.2.2'));
    await bench.clock.advance(300_000);
    expect(bench.lost).toEqual([]);
    bench.at(registrarAddress).bring(request('OPTIONS', '434'));
    bench.answer = (flow, text) => {
      if (flow.remote.address !== registrarAddress) flow.bring(reply(text, 200));
    };
    await bench.clock.advance(30_000);
    expect(bench.lost).toEqual([{ accounts, why: 'The registrar does not answer any more' }]);
    await bench.clock.advance(300_000);
    expect(bench.lost).toHaveLength(1);
  });

  it('is found dead though it never had the time to answer a question', async () => {
    await registered(bench.addAccount('434'));
    await bench.clock.advance(30_000);
    expect(bench.lost).toHaveLength(1);
  });

  it('is asked for all accounts together, with a well-formed OPTIONS to its own name', async () => {
    answersOptions();
    for (const user of ['434', '435', '436']) await registered(bench.addAccount(user));
    const flow = bench.at(registrarAddress);
    await bench.clock.advance(15_900);
    expect(questions(flow)).toEqual([]);
    await bench.clock.advance(4_100);
    expect(questions(flow)).toHaveLength(1);
    expect(parseMessage(Buffer.from(questions(flow)[0]!))).toMatchObject({ method: 'OPTIONS', ruri: { scheme: 'sip', host: 'example.com' } });
    await bench.clock.advance(200_000);
    expect(questions(flow).length).toBeLessThanOrEqual(14);
    expect(bench.dropped).toEqual([]);
  });

  it('is not asked while it talks', async () => {
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    for (let turn = 0; turn < 40; turn += 1) {
      await bench.clock.advance(15_000);
      flow.bring(request('OPTIONS', '434'));
    }
    expect(questions(flow)).toEqual([]);
  });

  it('is asked again as timer E says when the question is lost, and any message is an answer', async () => {
    await registered(bench.addAccount('434'));
    const flow = bench.at(registrarAddress);
    await bench.clock.advance(20_000);
    await bench.clock.advance(4_000);
    expect(questions(flow).length).toBeGreaterThan(3);
    expect(branches(flow).size).toBe(1);
    flow.bring(request('OPTIONS', '434'));
    await bench.clock.advance(15_900);
    expect([branches(flow).size, bench.lost]).toEqual([1, []]);
  });

  it('that never answers OPTIONS is suspected once and then believed, until it has answered one', async () => {
    const account = await registered(bench.addAccount('434'));
    await bench.clock.advance(30_000);
    for (let turn = 0; turn < 20; turn += 1) {
      await registered(account);
      await bench.clock.advance(60_000);
    }
    expect(bench.lost).toHaveLength(1);
    const before = bench.answer;
    answersOptions();
    await bench.clock.advance(60_000);
    bench.answer = before;
    await bench.clock.advance(30_000);
    expect(bench.lost).toHaveLength(2);
  });

  it('that no account uses any more is not asked', async () => {
    const account = await registered(bench.addAccount('434'));
    account.remove();
    await expect.poll(() => bench.stack.usage().transactions).toBe(0);
    await bench.clock.advance(1_000);
    expect(bench.clock.pending).toBe(0);
  });

  it('is not asked when keep-alives are off', async () => {
    await bench.stack.close();
    bench = await openGuardedStack({ flows: { listen: { host: '192.0.2.99', udpPort: 0, tcpPort: 0 }, tls: { verify: true }, keepAliveMs: 0 } });
    await registered(bench.addAccount('434'));
    await bench.clock.advance(300_000);
    expect(questions(bench.at(registrarAddress))).toEqual([]);
  });
});

describe('a registrar over a connection', () => {
  it('is left to the keep-alive of the connection that it answers, and its loss is told', async () => {
    const account = await registered(bench.addAccount('434', registrarAddress, 'tcp'));
    const flow = bench.at(registrarAddress, 'tcp');
    flow.answersPings = true;
    await bench.clock.advance(300_000);
    expect(questions(flow)).toEqual([]);
    flow.close();
    expect(bench.lost.map(({ accounts }) => accounts)).toEqual([[account]]);
  });

  it('that answers no keep-alive is asked, once each time, and cut within 30 s of its death', async () => {
    answersOptions();
    const accounts = [await registered(bench.addAccount('434', registrarAddress, 'tls')), await registered(bench.addAccount('435', registrarAddress, 'tls'))];
    const flow = bench.at(registrarAddress, 'tls');
    await bench.clock.advance(100_000);
    expect(questions(flow).length).toBeGreaterThan(4);
    expect(questions(flow)[0]).toContain('\r\nVia: SIP/2.0/TLS ');
    flow.bring(request('OPTIONS', '434'));
    bench.answer = () => undefined;
    await bench.clock.advance(30_000);
    expect(questions(flow).length).toBe(branches(flow).size);
    expect([flow.isOpen, bench.lost]).toEqual([false, [{ accounts, why: 'The registrar does not answer any more' }]]);
    for (const account of accounts) account.remove();
  });

  it('is not asked while it talks, and any message is an answer', async () => {
    answersOptions();
    await registered(bench.addAccount('434', registrarAddress, 'tcp'));
    const flow = bench.at(registrarAddress, 'tcp');
    await bench.clock.advance(25_000);
    bench.answer = () => undefined;
    flow.bring(request('OPTIONS', '434'));
    const before = questions(flow).length;
    for (let turn = 0; turn < 20; turn += 1) {
      await bench.clock.advance(15_000);
      flow.bring(request('OPTIONS', '434'));
    }
    expect([questions(flow).length - before, flow.isOpen]).toEqual([0, true]);
  });

  it('that answers neither keep-alives nor OPTIONS is believed', async () => {
    await registered(bench.addAccount('434', registrarAddress, 'tcp'));
    await bench.clock.advance(300_000);
    expect(questions(bench.at(registrarAddress, 'tcp')).length).toBeGreaterThan(5);
    expect(bench.lost).toEqual([]);
  });

  it('is not asked over WebSocket, whose pings everybody answers', async () => {
    await registered(bench.addAccount('434', registrarAddress, 'ws'));
    await bench.clock.advance(300_000);
    expect(questions(bench.at(registrarAddress, 'ws'))).toEqual([]);
  });
});

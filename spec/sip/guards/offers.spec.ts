/** Offers in a call that come to nothing: every one has an end. */
import { describe, expect, it } from 'vitest';
import type { CallDialog } from '../../../src/sip/types.js';
import { settle } from '../../support/manual-clock.js';
import { withManualGlobals } from '../../support/manual-globals.js';
import { quietDialog } from '../../support/quiet-dialog.js';
import { openGuardedStack, registered, registrarAddress, reply, type GuardedStack, type MemoryFlow } from './guarded-stack.js';

const contact = `Contact: <sip:600@${registrarAddress}>`;

function withSdp(message: string): string {
  return message.replace('Content-Length: 0\r\n\r\n', 'Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n');
}

/** A call of ours that is answered; the far end answers INVITEs in it as `reinvite` says, and BYE with 200. */
async function talking(reinvite: (flow: MemoryFlow, text: string) => void): Promise<{ bench: GuardedStack; dialog: CallDialog; seen: string[]; flow: MemoryFlow; inDialog(method: string, cseq: number, body?: string): string }> {
  const bench = await openGuardedStack();
  const account = await registered(bench.addAccount('434'));
  const flow = bench.at(registrarAddress);
  bench.answer = (over, text) => {
    if (text.startsWith('INVITE ') && /^To:.*;tag=/m.test(text)) reinvite(over, text);
    else if (text.startsWith('INVITE ')) over.bring(withSdp(reply(text, 200, [contact])));
    else if (text.startsWith('BYE ') || text.startsWith('CANCEL ')) over.bring(reply(text, 200));
  };
  const seen: string[] = [];
  const dialog = await new Promise<CallDialog>((resolve) => {
    account.invite(
      { to: 'sip:600@example.com', sdp: 'offer' },
      {
        ...quietDialog,
        onProgress: () => undefined,
        onRefused: () => undefined,
        onAccepted: (accepted) => {
          resolve(accepted.dialog);
        },
        onLost: (refusal) => seen.push(`lost ${String(refusal?.status)}`),
      },
    );
  });
  const invite = flow.sent.find((text) => text.startsWith('INVITE '))!;
  const value = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(invite)![1]!.trim();
  const inDialog = (method: string, cseq: number, body = ''): string =>
    [
      `${method} sip:tok434@192.0.2.99 SIP/2.0`,
      `Via: SIP/2.0/UDP ${registrarAddress};branch=z9hG4bK${method}${String(cseq)};rport`,
      `From: ${value('To')};tag=far`,
      `To: ${value('From')}`,
      `Call-ID: ${value('Call-ID')}`,
      `CSeq: ${String(cseq)} ${method}`,
      contact,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${String(body.length)}`,
      '',
      body,
    ].join('\r\n');
  return { bench, dialog, seen, flow, inDialog };
}

function offer(dialog: CallDialog, seen: string[]): void {
  dialog.offer('again', { onAnswered: () => seen.push('answered'), onRefused: ({ status }) => seen.push(`refused ${String(status)}`) });
}

const methods = (flow: MemoryFlow): string[] => flow.sent.map((text) => text.split(' ')[0] ?? '');

describe('a re-INVITE that is answered with nothing but 100', () => {
  it('is cancelled after 64*T1, and the 487 leaves the call as it was', async () => {
    let asked = '';
    const { bench, dialog, seen, flow } = await talking((over, text) => {
      asked = text;
      over.bring(reply(text, 100));
    });
    offer(dialog, seen);
    await settle();
    await bench.clock.advance(32_000);
    expect(methods(flow)).toContain('CANCEL');
    flow.bring(reply(asked, 487));
    await settle();
    expect(seen).toEqual(['refused 487']);
    expect(methods(flow)).not.toContain('BYE');
  });

  it('ends the call when its CANCEL does not help either', async () => {
    const { bench, dialog, seen, flow } = await talking((over, text) => {
      over.bring(reply(text, 100));
    });
    const before = bench.stack.usage().transactions;
    offer(dialog, seen);
    await settle();
    await bench.clock.advance(64_000);
    expect(seen).toEqual(['lost 408']);
    expect(methods(flow).at(-1)).toBe('BYE');
    await expect.poll(() => bench.stack.usage().transactions).toBe(before);
  });

  it('is forgotten 64*T1 after the call was ended, by us or by the far end', async () => {
    for (const end of ['ours', 'theirs']) {
      const { bench, dialog, seen, flow, inDialog } = await talking((over, text) => {
        over.bring(reply(text, 100));
      });
      const before = bench.stack.usage().transactions;
      offer(dialog, seen);
      await settle();
      if (end === 'ours') dialog.bye();
      else flow.bring(inDialog('BYE', 7));
      await settle();
      await expect.poll(() => bench.stack.usage().transactions).toBe(before + 1);
      await bench.clock.advance(31_999);
      expect(bench.stack.usage().transactions).toBe(before + 1);
      await bench.clock.advance(1);
      expect(bench.stack.usage().transactions).toBe(before);
      expect(seen).toEqual([]);
    }
  });
});

describe('a re-INVITE of ours that was answered', () => {
  it('makes nothing of a second 200 with another To tag, as of a fork: no dialog forks', async () => {
    let answered = '';
    const { bench, dialog, seen, flow } = await talking((over, text) => {
      answered = withSdp(reply(text, 200, [contact]));
      over.bring(answered);
    });
    offer(dialog, seen);
    await settle();
    const acks = methods(flow).filter((method) => method === 'ACK').length;
    flow.bring(answered.replace(/^(To:.*;tag=)\S+/m, '$1another'));
    await settle();
    expect(seen).toEqual(['answered']);
    expect(methods(flow).filter((method) => method === 'ACK')).toHaveLength(acks);
    expect(bench.lines).toEqual([]);
  });
});

describe('a re-INVITE of the far end', () => {
  it('whose 200 is never acknowledged ends the call after 64*T1', async () => {
    const { bench, seen, flow, inDialog } = await talking(() => undefined);
    flow.bring(inDialog('INVITE', 7));
    await settle();
    expect(flow.sent.at(-1)).toMatch(/^SIP\/2.0 200 /);
    await bench.clock.advance(31_999);
    expect(seen).toEqual([]);
    await bench.clock.advance(1);
    expect(seen).toEqual(['lost undefined']);
    expect(methods(flow)).toContain('BYE');
  });

  it('of which the next follows at once is not answered again once it is acknowledged', async () => {
    const { bench, flow, inDialog, dialog } = await talking(() => undefined);
    const answers = (cseq: number): number => flow.sent.filter((text) => text.startsWith('SIP/2.0 200 ') && text.includes(`CSeq: ${String(cseq)} INVITE`)).length;
    await withManualGlobals(bench.clock, Math.random, async () => {
      flow.bring(inDialog('INVITE', 7));
      flow.bring(inDialog('ACK', 7));
      flow.bring(inDialog('INVITE', 8));
      await bench.clock.advance(500);
      expect([answers(7), answers(8)]).toEqual([1, 2]);
      dialog.bye();
      const sent = answers(8);
      await bench.clock.advance(30_000);
      expect([answers(7), answers(8)]).toEqual([1, sent]);
    });
  });

  it('whose 200 is acknowledged leaves no limit behind', async () => {
    const { bench, seen, flow, inDialog } = await talking(() => undefined);
    flow.bring(inDialog('INVITE', 7));
    await settle();
    flow.bring(inDialog('ACK', 7));
    await bench.clock.advance(60_000);
    expect(seen).toEqual([]);
  });
});

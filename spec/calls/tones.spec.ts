/** DTMF in a call that talks. */
import { describe, expect, it } from 'vitest';
import type { CallCommand } from '../../src/host/contract.js';
import { talking } from './talking.js';

const dtmf = (tones: string, more: object = {}): CallCommand => ({ type: 'dtmf', callId: 'out-1', tones, ...more });

describe('tones of the host', () => {
  it('go out one after another: the next when the one before is answered and over, and a pause', async () => {
    const { router, dialog, clock } = await talking();
    await router.onCall(dtmf('1a', { durationMs: 200 }));
    await router.onCall(dtmf('#'));
    expect(dialog.tones).toMatchObject([{ tone: '1', durationMs: 200 }]);
    await clock.advance(5_000);
    expect(dialog.tones).toHaveLength(1);
    dialog.tones[0]?.answer(200);
    await clock.advance(269);
    expect(dialog.tones).toHaveLength(1);
    await clock.advance(1);
    dialog.tones[1]?.answer(200);
    await clock.advance(270);
    expect(dialog.tones.map(({ tone }) => tone).join('')).toBe('1A#');
    dialog.tones[2]?.answer(200);
    await clock.advance(170);
    expect(clock.pending).toBe(0);
  });

  it('wait 2 s for each comma', async () => {
    const { router, dialog, clock } = await talking();
    await router.onCall(dtmf(',5'));
    await clock.advance(1_999);
    expect(dialog.tones).toEqual([]);
    await clock.advance(1);
    expect(dialog.tones).toMatchObject([{ tone: '5', durationMs: 100 }]);
  });

  it('that the far end does not take are dropped, with a line in the log, and later ones are tried again', async () => {
    const { router, dialog, logged, clock } = await talking();
    await router.onCall(dtmf('12'));
    dialog.tones[0]?.answer(415);
    await clock.advance(1_000);
    expect([dialog.tones.length, logged.map(({ message }) => message)]).toEqual([1, [expect.stringContaining('415')]]);
    await router.onCall(dtmf('3'));
    expect(dialog.tones.at(-1)?.tone).toBe('3');
  });

  it('are not taken when too many wait, nor before the call is answered', async () => {
    const { router, create } = await talking();
    for (let turn = 0; turn < 4; turn += 1) await router.onCall(dtmf('1'.repeat(64)));
    await expect(router.onCall(dtmf('11'))).rejects.toMatchObject({ code: 'CALL_STATE' });
    await create({ callId: 'out-2' });
    await expect(router.onCall({ ...dtmf('1'), callId: 'out-2' })).rejects.toMatchObject({ code: 'CALL_STATE' });
  });

  it('end with the call', async () => {
    const { router, dialog, account, clock } = await talking();
    await router.onCall(dtmf('12'));
    dialog.tones[0]?.answer(200);
    account.call.remoteBye();
    expect(clock.pending).toBe(0);
  });
});

describe('tones of the far end', () => {
  it('are told one by one', async () => {
    const { account, updates } = await talking();
    account.call.remoteTone('7');
    account.call.remoteTone('#');
    expect(updates).toEqual([
      { type: 'dtmf', callId: 'out-1', tones: '7' },
      { type: 'dtmf', callId: 'out-1', tones: '#' },
    ]);
  });

  it('that wait for a slow host become one update, of 64 at most', async () => {
    let release: (() => void) | undefined;
    const { account, updates, clock } = await talking({
      onUpdate: ({ type }) => {
        if (type !== 'dtmf' || release !== undefined) return;
        return new Promise<void>((resolve) => (release = resolve));
      },
    });
    account.call.remoteTone('1');
    for (let turn = 0; turn < 100; turn += 1) account.call.remoteTone('2');
    release?.();
    await clock.advance(1);
    expect(updates.map((update) => (update.type === 'dtmf' ? update.tones : ''))).toEqual(['1', '2'.repeat(64)]);
  });
});

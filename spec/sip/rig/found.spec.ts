/** What the rig has found, each in the smallest scenario that shows it. */
import { describe, expect, it } from 'vitest';
import type { Crossing } from '../../support/lossy-network.js';
import { runScenario, type Scenario, type Step, type Verdict } from './scenario.js';

type Change = Partial<Scenario['network']> & Partial<Scenario['proxy']> & Partial<Pick<Scenario, 'ending'>>;

function play(change: Change, ...steps: [afterMs: number, who: Step['who'], does: Step['does']][]): Promise<Verdict> {
  const { loss = 0, duplicate = 0, reorder = 0, loses, ending = 'hang up', ...proxy } = change;
  return runScenario({
    network: { loss, duplicate, reorder, loses },
    proxy: { transport: 'udp', recordsRoute: false, challengesCalls: false, staleRate: 0, knowsOldNonces: true, ...proxy },
    seed: 1,
    ending,
    steps: steps.map(([afterMs, who, does]) => ({ afterMs, who, does, pick: 0 })),
  });
}

const sent = ({ crossings }: Verdict, start: string): Crossing[] => crossings.filter(({ text }) => text.startsWith(start));

describe('a challenge', () => {
  it('that comes twice at once is answered once', async () => {
    const verdict = await play({ duplicate: 1 }, [0, 'a', 'wait']);
    expect(verdict.faults).toEqual([]);
  });

  it('whose nonces are stale every time does not accuse the password', async () => {
    const verdict = await play({ staleRate: 1 }, [0, 'a', 'wait']);
    expect(verdict.faults).toEqual([]);
  });
});

describe('a BYE straight from the other side, which is no registrar', () => {
  it('is answered again when its answer was lost', async () => {
    let answers = 0;
    const loses = (text: string): boolean => text.includes(' BYE\r\n') && text.startsWith('SIP/2.0 200') && (answers += 1) === 1;
    const verdict = await play({ loses }, [0, 'a', 'invite'], [60, 'b', 'answer'], [100, 'a', 'hang up']);
    expect(verdict.faults).toEqual([]);
    expect(sent(verdict, 'BYE ')).toHaveLength(2);
  });

  it('is answered when it crosses our own', async () => {
    const verdict = await play({}, [0, 'a', 'invite'], [60, 'b', 'answer'], [100, 'a', 'both hang up']);
    expect(sent(verdict, 'BYE ')).toHaveLength(2);
    expect(sent(verdict, 'SIP/2.0 481')).toHaveLength(2);
  });
});

describe('when a connection is cut', () => {
  it('the answer to an INVITE that came over it goes over another', async () => {
    const { stories } = await play({ transport: 'tcp' }, [0, 'a', 'invite'], [3_000, 'b', 'cut connections'], [0, 'b', 'answer']);
    expect(stories).toContain('b call-1: answered, confirmed');
  });

  it('the ACK that was on its way goes again over another', async () => {
    const verdict = await play({ transport: 'tcp', recordsRoute: true }, [0, 'a', 'invite'], [60, 'b', 'answer'], [25, 'a', 'cut connections']);
    expect(sent(verdict, 'ACK ').map(({ fate }) => fate)).toContain('cut');
    expect(verdict.stories).toContain('b call-1: answered, confirmed');
  });

  it('the CANCEL of an INVITE that went over it goes over another', async () => {
    const { stories } = await play({ transport: 'tcp' }, [0, 'a', 'invite'], [60, 'a', 'cut connections'], [60, 'a', 'hang up']);
    expect(stories).toContain('b call-1: cancelled');
  });

  it('a refusal that comes over another is acknowledged', async () => {
    const verdict = await play({ transport: 'tcp' }, [0, 'a', 'invite'], [60, 'a', 'cut connections'], [60, 'b', 'reject']);
    expect(verdict.stories).toContain('a call-1: refused 486');
    expect(sent(verdict, 'ACK ').map(({ fate }) => fate)).toEqual(['delivered', 'delivered']);
  });
});

describe('a call whose answer is lost all the time', () => {
  const loses = (text: string): boolean => text.startsWith('SIP/2.0 200') && text.includes(' INVITE\r\n');

  it('ends for the caller, to whom it rings, when the callee gives it up', async () => {
    const { faults, stories } = await play({ loses }, [0, 'a', 'invite'], [60, 'b', 'ring'], [60, 'b', 'answer']);
    expect(faults).toEqual([]);
    expect(stories).toBe('a call-1: 180, refused 487\nb call-1: answered, lost');
  });

  it('waits for the caller who never heard that it rings: the BYE belongs to no dialog', async () => {
    const verdict = await play({ loses }, [0, 'a', 'invite'], [60, 'b', 'answer']);
    expect(verdict.faults).toEqual([]);
    expect(sent(verdict, 'SIP/2.0 481').length).toBeGreaterThan(0);
  });
});

describe('while the registrar cannot be reached', () => {
  it('an answer is sent again until it can', async () => {
    const { faults, stories } = await play({ transport: 'tcp' }, [0, 'a', 'invite'], [60, 'a', 'restart proxy'], [0, 'b', 'answer']);
    expect(faults).toEqual([]);
    expect(stories).toContain('b call-1: answered, confirmed');
  });
});

describe('an account that is removed', () => {
  it('is told of the far end\'s BYE', async () => {
    const { faults, stories } = await play({ ending: 'remove' }, [0, 'a', 'invite'], [60, 'b', 'answer']);
    expect(faults).toEqual([]);
    expect(stories).toContain('b call-1: answered, confirmed, their bye');
  });

  it('is told of the CANCEL of a call that it has not answered', async () => {
    const { stories } = await play({ ending: 'remove' }, [0, 'a', 'invite']);
    expect(stories).toContain('b call-1: cancelled');
  });
});

describe('a stack that is closed', () => {
  it('has no timer for a CANCEL that nobody answered', async () => {
    const { faults } = await play({ ending: 'close' }, [60, 'a', 'invite'], [0, 'a', 'hang up']);
    expect(faults).toEqual([]);
  });

  it('begins nothing on a flow that is opened too late', async () => {
    const { faults } = await play({ ending: 'close' }, [60, 'a', 'invite'], [3_000, 'b', 'answer'], [30, 'a', 'both hang up']);
    expect(faults).toEqual([]);
  });
});

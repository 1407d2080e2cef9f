import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negotiationTable } from '../../src/calls/negotiation-state.js';
import { rowsOf, runTable, eventsOf } from './state-table.js';

describe('the table of offers and answers', () => {
  it('has these rows and no others', () => {
    expect(rowsOf(negotiationTable)).toEqual([
      'stable offer -> offering [send]',
      'stable offerPartial -> gathering []',
      'stable remoteOffer -> offered [tellOffer]',
      'stable ended -> over []',
      'gathering gathered -> offering [send]',
      'gathering timeout -> offering [send]',
      'gathering remoteOffer -> gathering [refuseGlare]',
      'gathering ended -> over []',
      'offering answered -> stable [tellAnswer]',
      'offering rejected -> stable [tellRejected]',
      'offering glare -> waiting []',
      'offering remoteOffer -> offering [refuseGlare]',
      'offering timeout -> stable [tellRejected]',
      'offering ended -> over []',
      'waiting timeout -> offering [send]',
      'waiting remoteOffer -> offered [tellGivenWay tellOffer]',
      'waiting ended -> over []',
      'offered answer -> stable [accept]',
      'offered answerPartial -> answering []',
      'offered unfit -> stable [refuse]',
      'offered withdrawn -> stable []',
      'offered timeout -> stable [refuse]',
      'offered ended -> over []',
      'answering gathered -> stable [accept]',
      'answering withdrawn -> stable []',
      'answering timeout -> stable [accept]',
      'answering ended -> over []',
    ]);
  });

  it('has a guard, and a row for its running out, in every state but stable and over', () => {
    for (const [state, guard] of Object.entries(negotiationTable.guards)) {
      const guarded = state !== 'stable' && state !== 'over';
      const { timeout } = negotiationTable.steps[state as keyof typeof negotiationTable.steps] as { timeout?: unknown };
      expect([state, guard !== 'none', timeout !== undefined]).toEqual([state, guarded, guarded]);
    }
  });

  it('gives each offer of the host one outcome at most, and each of the far end one answer at most', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...eventsOf(negotiationTable)), { maxLength: 40 }), (events) => {
        let ours = 0;
        let theirs = 0;
        for (const { event, actions } of runTable(negotiationTable, events)) {
          if (event === 'offer' || event === 'offerPartial') ours += 1;
          if (event === 'withdrawn') theirs = 0;
          for (const action of actions) {
            if (action === 'tellAnswer' || action === 'tellRejected' || action === 'tellGivenWay') ours -= 1;
            if (action === 'tellOffer') theirs += 1;
            if (action === 'accept' || action === 'refuse') theirs -= 1;
          }
          // Never two at once, and never one that nobody made.
          expect(['0 0', '1 0', '0 1']).toContain(`${String(ours)} ${String(theirs)}`);
        }
      }),
    );
  });
});

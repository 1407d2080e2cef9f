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
      'stable ask -> asking [ask]',
      'stable ended -> over []',
      'stable replaced -> over []',
      'gathering gathered -> offering [send]',
      'gathering timeout -> offering [send]',
      'gathering remoteOffer -> gathering [refuseGlare]',
      'gathering ended -> over []',
      'gathering replaced -> over [tellGivenWay]',
      'offering answered -> stable [tellAnswer agree]',
      'offering rejected -> stable [tellRejected miss]',
      'offering glare -> waiting []',
      'offering remoteOffer -> offering [refuseGlare]',
      'offering timeout -> stable [tellRejected miss]',
      'offering ended -> over []',
      'offering replaced -> over [tellGivenWay]',
      'waiting timeout -> offering [send]',
      'waiting remoteOffer -> offered [tellGivenWay tellOffer]',
      'waiting ended -> over []',
      'waiting replaced -> over [tellGivenWay]',
      'offered answer -> stable [accept agree]',
      'offered answerPartial -> answering []',
      'offered unfit -> stable [refuse miss]',
      'offered withdrawn -> stable []',
      'offered timeout -> stable [refuse miss]',
      'offered ended -> over []',
      'offered replaced -> over [refuseGlare]',
      'answering gathered -> stable [accept agree]',
      'answering withdrawn -> stable []',
      'answering timeout -> stable [accept agree]',
      'answering ended -> over []',
      'answering replaced -> over [refuseGlare]',
      'asking remoteOffer -> offered [tellOffer]',
      'asking unasked -> stable [miss]',
      'asking timeout -> stable [miss]',
      'asking ended -> over []',
      'asking replaced -> over []',
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
        for (const { event, state, actions } of runTable(negotiationTable, events)) {
          if (event === 'offer' || event === 'offerPartial') ours += 1;
          if (event === 'withdrawn') theirs = 0;
          for (const action of actions) {
            if (action === 'tellAnswer' || action === 'tellRejected' || action === 'tellGivenWay') ours -= 1;
            if (action === 'tellOffer') theirs += 1;
            if (action === 'accept' || action === 'refuse' || (action === 'refuseGlare' && state === 'over')) theirs -= 1;
          }
          // Never two at once, and never one that nobody made.
          expect(['0 0', '1 0', '0 1']).toContain(`${String(ours)} ${String(theirs)}`);
        }
      }),
    );
  });
});

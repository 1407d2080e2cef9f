import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handoverTable } from '../../src/calls/handover-state.js';
import { eventsOf, rowsOf, runTable } from './state-table.js';

describe('the table of a far end that hands the call over', () => {
  it('has these rows and no others', () => {
    expect(rowsOf(handoverTable)).toEqual([
      'calling answered -> joining [join]',
      'calling refused -> over [report]',
      'calling left -> callingAlone []',
      'calling timeout -> over [giveUp report]',
      'calling ended -> over [giveUp]',
      'joining left -> joiningAlone []',
      'joining timeout -> asking [ask]',
      'joining agreed -> done [adopt]',
      'joining refused -> over [goBack report]',
      'joining missed -> over [giveUp goBack report]',
      'joining ended -> over [giveUp]',
      'asking left -> askingAlone []',
      'asking timeout -> over [giveUp goBack report]',
      'asking agreed -> done [adopt]',
      'asking refused -> over [goBack report]',
      'asking missed -> over [giveUp goBack report]',
      'asking ended -> over [giveUp]',
      'callingAlone answered -> joiningAlone [join]',
      'callingAlone refused -> over [end]',
      'callingAlone timeout -> over [giveUp end]',
      'callingAlone ended -> over [giveUp]',
      'joiningAlone timeout -> askingAlone [ask]',
      'joiningAlone agreed -> done [adopt]',
      'joiningAlone refused -> over [end]',
      'joiningAlone missed -> over [giveUp end]',
      'joiningAlone ended -> over [giveUp]',
      'askingAlone timeout -> over [giveUp end]',
      'askingAlone agreed -> done [adopt]',
      'askingAlone refused -> over [end]',
      'askingAlone missed -> over [giveUp end]',
      'askingAlone ended -> over [giveUp]',
    ]);
  });

  it('has a guard, and a row for its running out, in every state but the last two', () => {
    for (const [state, guard] of Object.entries(handoverTable.guards)) {
      const isLast = state === 'done' || state === 'over';
      const { timeout } = handoverTable.steps[state as keyof typeof handoverTable.steps] as { timeout?: unknown };
      expect([state, guard === 'none', timeout === undefined]).toEqual([state, isLast, isLast]);
    }
  });

  it('leaves the call with one party at most, and with one unless it ends', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...eventsOf(handoverTable)), { maxLength: 20 }), (events) => {
        const steps = runTable(handoverTable, events);
        const has = (name: string): boolean => steps.some(({ event, actions }) => event === name || actions.includes(name));
        const state = steps.at(-1)?.state;
        if (state !== 'done' && state !== 'over') return;
        const isNewThere = has('adopt');
        // The new party is gone by itself, or let go.
        expect([isNewThere, has('giveUp') || has('refused')]).toEqual([state === 'done', state === 'over']);
        if (state === 'over' && !has('ended')) expect(has('end')).toBe(has('left'));
        if (has('join') && state === 'over' && !has('left') && !has('ended')) expect(has('goBack')).toBe(true);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incomingTable, outgoingTable } from '../../src/calls/call-state.js';
import { eventsOf, rowsOf, runTable, type AnyTable } from './state-table.js';

const outgoing: AnyTable = outgoingTable;
const incoming: AnyTable = incomingTable;

/** What the host is told when these events happen in this order. */
function run(table: AnyTable, events: readonly string[]): { state: string; actions: string[] } {
  const steps = runTable(table, events);
  return { state: steps.at(-1)?.state ?? table.initial, actions: steps.flatMap(({ actions }) => actions) };
}

describe('the table of outgoing calls', () => {
  it('has these rows and no others', () => {
    const untilAnswered = (state: string): string[] => [
      `${state} accepted -> talking [tellTalking]`,
      `${state} acceptedBare -> ended [bye tellEnded]`,
      `${state} refused -> ended [tellEnded]`,
      `${state} hangup -> cancelling [cancel tellEnded]`,
      `${state} timeout -> cancelling [cancel tellEnded]`,
    ];
    expect(rowsOf(outgoing)).toEqual([
      'routing routed -> inviting [invite tellTrying]',
      'routing routedPartial -> gathering [tellTrying]',
      'routing unroutable -> ended [tellEnded]',
      'routing hangup -> ended [tellEnded]',
      'routing timeout -> routing [route]',
      'gathering gathered -> inviting [invite]',
      'gathering hangup -> ended [tellEnded]',
      'gathering timeout -> inviting [invite]',
      'inviting proceeding -> proceeding []',
      'inviting ringing -> ringing [tellRinging]',
      'inviting progress -> early [tellProgress]',
      'inviting media -> early [tellProgress]',
      ...untilAnswered('inviting'),
      'proceeding ringing -> ringing [tellRinging]',
      'proceeding progress -> early [tellProgress]',
      'proceeding media -> early [tellProgress]',
      ...untilAnswered('proceeding'),
      'ringing media -> early [tellProgress]',
      ...untilAnswered('ringing'),
      'early media -> early [tellProgress]',
      ...untilAnswered('early'),
      'talking lost -> ended [tellEnded]',
      'talking bye -> ended [tellEnded]',
      'talking hangup -> ended [bye tellEnded]',
      'cancelling accepted -> ended [bye]',
      'cancelling acceptedBare -> ended [bye]',
      'cancelling refused -> ended []',
      'cancelling timeout -> ended []',
    ]);
  });
});

describe('the table of incoming calls', () => {
  it('has these rows and no others', () => {
    const untilAnswered = (state: string): string[] => [
      `${state} answer -> answering [accept]`,
      `${state} answerPartial -> gathering []`,
      `${state} unfit -> ended [reject tellEnded]`,
      `${state} cancelled -> ended [tellEnded]`,
      `${state} hangup -> ended [reject tellEnded]`,
      `${state} timeout -> ended [reject tellEnded]`,
    ];
    expect(rowsOf(incoming)).toEqual([
      'routing routed -> offered [tellIncoming]',
      'routing unroutable -> ended [reject]',
      'routing cancelled -> ended []',
      'routing hangup -> ended [reject]',
      'routing timeout -> routing [route]',
      'offered ring -> ringing [ring]',
      ...untilAnswered('offered'),
      'ringing ring -> ringing []',
      ...untilAnswered('ringing'),
      'gathering gathered -> answering [accept]',
      'gathering cancelled -> ended [tellEnded]',
      'gathering hangup -> ended [reject tellEnded]',
      'gathering timeout -> answering [accept]',
      'answering confirmed -> talking [tellTalking]',
      'answering lost -> ended [tellEnded]',
      'answering bye -> ended [tellEnded]',
      'answering hangup -> ended [bye tellEnded]',
      'answering timeout -> ended [bye tellEnded]',
      'talking lost -> ended [tellEnded]',
      'talking bye -> ended [tellEnded]',
      'talking hangup -> ended [bye tellEnded]',
    ]);
  });
});

describe.each([
  ['outgoing', outgoing],
  ['incoming', incoming],
])('whatever happens to an %s call', (direction, table) => {
  const tells = (actions: readonly string[]): string[] => actions.filter((action) => action.startsWith('tell'));

  it('every state but talking and ended has a guard, and a row for its running out', () => {
    for (const [state, guard] of Object.entries(table.guards)) {
      const guarded = state !== 'talking' && state !== 'ended';
      expect([state, guard !== 'none'], state).toEqual([state, guarded]);
      expect([state, table.steps[state]?.timeout !== undefined]).toEqual([state, guarded]);
    }
  });

  it('the host is told the end at most once, as the last thing, and exactly once when it knew of the call', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...eventsOf(table)), { maxLength: 30 }), (events) => {
        const { state, actions } = run(table, events);
        const told = tells(actions);
        const ends = told.filter((action) => action === 'tellEnded').length;
        const isOver = state === 'ended' || state === 'cancelling';
        const knew = direction === 'outgoing' || told.includes('tellIncoming');
        expect(ends).toBe(isOver && knew ? 1 : 0);
        if (ends > 0) expect(told.at(-1)).toBe('tellEnded');
      }),
      { numRuns: 500 },
    );
  });

  it('guards running out one after another always end it, unless people talk', () => {
    for (const state of Object.keys(table.steps)) {
      // `routing` is left by what `route` decides, which no table knows.
      if (state === 'talking' || state === 'routing') continue;
      let at = state;
      for (let turn = 0; turn < 4; turn += 1) at = table.steps[at]?.timeout?.next ?? at;
      expect([state, at]).toEqual([state, 'ended']);
    }
  });

  it('it is never said to be less far than it was said to be', () => {
    const order = ['tellTrying', 'tellIncoming', 'tellRinging', 'tellProgress', 'tellTalking', 'tellEnded'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...eventsOf(table)), { maxLength: 30 }), (events) => {
        const ranks = tells(run(table, events).actions).map((action) => order.indexOf(action));
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      }),
    );
  });
});

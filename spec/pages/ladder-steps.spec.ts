import { expect, it } from 'vitest';
import { fileName, firstStep, stepAfterKey, stepWays, stepTime } from '../../src/pages/console/ladder-steps.js';
import type { Step } from '../../src/pages/console/told.js';

const step = (values: Partial<Step>): Step => ({ at: 0, from: 0, to: 1, label: 'create: 600', text: '', repeated: false, failing: false, ...values });
const ladder = {
  lanes: ['Messenger', 'Extension', 'udp 192.0.2.4:5060'],
  steps: [step({}), step({ at: 12, from: 1, to: 2, label: 'INVITE 600', repeated: true }), step({ at: 1_512, from: 2, to: 1, label: '486 Busy Here (INVITE)', failing: true })],
};

it('says who speaks to whom in each step, and where it failed', () => {
  expect(stepWays(ladder)).toEqual([
    'Messenger to Extension:',
    'Extension to udp 192.0.2.4:5060:',
    'udp 192.0.2.4:5060 to Extension, it failed here:',
  ]);
});

it('begins at the step that it failed at, else at the first', () => {
  expect(firstStep(ladder)).toBe(2);
  expect(firstStep({ steps: ladder.steps.slice(0, 2) })).toBe(0);
});

it('is walked by the arrow keys, Home and End, and not beyond its ends', () => {
  expect(['ArrowDown', 'ArrowRight', 'ArrowUp', 'ArrowLeft', 'Home', 'End'].map((key) => stepAfterKey(key, 2, 6))).toEqual([3, 3, 1, 1, 0, 5]);
  expect([stepAfterKey('ArrowDown', 2, 3), stepAfterKey('ArrowUp', 0, 3), stepAfterKey('a', 1, 3)]).toEqual([2, 0, undefined]);
});

it('tells the time of a step, and how long after the one before it was', () => {
  expect(stepTime(ladder, 0)).toBe('00:00:00.000 UTC');
  expect(stepTime(ladder, 2)).toBe('00:00:01.512 UTC, 1,500 ms after the one before');
});

it('names its files by what it is of, with nothing that a file system minds', () => {
  expect(fileName('sip:434@pbx.example.com', 'svg')).toBe('ladder-434@pbx.example.com.svg');
  expect(fileName('../a/b c', 'pcapng')).toBe('ladder-..-a-b-c.pcapng');
});

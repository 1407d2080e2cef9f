/** How the console says states, times and ends to a person. */
import { clockOf } from '../shared/clock.js';
import type { ShownCall, ShownRecord, ShownRegistration } from './told.js';

export type ListedState = ShownRegistration['state'];

/** What each state means to who looks for the reason. */
export const stateMeanings: Readonly<Record<ListedState, string>> = {
  waiting: 'Waits for its turn at the registrar',
  registering: 'A REGISTER is on its way',
  registered: 'Registered: calls arrive',
  retrying: 'Failed, and is tried again',
  parked: 'Somebody has to set it right',
  unregistering: 'Is being un-registered',
  held: 'A person un-registered it',
  off: 'Not to be registered',
};

/** Those that a registration can be in and that are listed. */
export const listedStates: readonly ListedState[] = ['registered', 'registering', 'waiting', 'retrying', 'parked', 'unregistering', 'held'];

/** How a state looks. */
export function toneOf(state: ListedState): 'good' | 'bad' | 'warn' | 'calm' {
  if (state === 'registered') return 'good';
  if (state === 'parked') return 'bad';
  return state === 'retrying' || state === 'held' ? 'warn' : 'calm';
}

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** The largest unit of which there are two, or one second: `90 seconds`, `13 minutes`, `3 days`. */
export function roughly(ms: number): string {
  const length = Math.max(0, ms);
  const [unit, name] = units.find(([each]) => length >= 2 * each) ?? [1_000, 'second'];
  const count = Math.round(length / unit);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** `for 12 minutes`; empty when it is not known. */
export function sinceWords(at: string | undefined, now: number): string {
  return at === undefined ? '' : `for ${roughly(now - Date.parse(at))}`;
}

/** `in 13 minutes`, `now`; empty when nothing is to come. */
export function aheadWords(at: string | undefined, now: number): string {
  if (at === undefined) return '';
  const ms = Date.parse(at) - now;
  return ms < 1_000 ? 'now' : `in ${roughly(ms)}`;
}

/** What comes next of a registration, as a sentence; empty when nothing does. */
export function nextWords({ state, nextTryAt }: Pick<ShownRegistration, 'state' | 'nextTryAt'>, now: number): string {
  const when = aheadWords(nextTryAt, now);
  if (when === '') return '';
  return `${state === 'registered' ? 'Refreshed' : 'Tried again'} ${when}.`;
}

/** Without its scheme: what operators compare with their PBX. */
export function bareAddress(uri: string): string {
  return uri.replace(/^sips?:/, '');
}

/** A number as people write it, `+49 (30) 90 18-20`, as it stands in addresses; all else as it was typed. */
export function dialledPart(typed: string): string {
  return /^\+?[\d\s()./-]*\d[\d\s()./-]*$/.test(typed) && !/^\d+(?:\.\d+)+$/.test(typed) ? typed.replace(/[^+\d]/g, '') : typed;
}

/** How long both sides talked: `0:07`; or that they did not. */
export function talkedWords({ answeredAt, endedAt }: Pick<ShownRecord, 'answeredAt' | 'endedAt'>): string {
  return answeredAt === undefined ? 'not answered' : `talked ${clockOf(Date.parse(endedAt) - Date.parse(answeredAt))}`;
}

export function liveWords({ state, startedAt, answeredAt }: Pick<ShownCall, 'state' | 'startedAt' | 'answeredAt'>, now: number): string {
  return `${state}, ${clockOf(now - Date.parse(answeredAt ?? startedAt))}`;
}

/** `1 mapping`, `2,000 mappings` */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `14:03:07` here, and the day when it is not today's. */
export function timeWords(at: string, now: number): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString('en-GB');
  return then.toDateString() === new Date(now).toDateString() ? time : `${then.toLocaleDateString('en-CA')} ${time}`;
}

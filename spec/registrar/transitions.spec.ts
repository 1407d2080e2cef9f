import { describe, expect, it } from 'vitest';
import { Registration } from '../../src/registrar/registration.js';
import { transitions, type RegistrationEvent, type State } from '../../src/registrar/transitions.js';

/** state | event | next state | actions: written down once more, by hand, so that no row changes unnoticed. */
const rows = `
waiting       | turn        | registering   | send
waiting       | removed     | unregistering | unbind
registering   | accepted    | registered    | wait for refresh
registering   | corrected   | registered    | queue
registering   | too brief   | waiting       | queue
registering   | refused     | retrying      | wait to retry
registering   | denied      | parked        | wait to probe
registering   | unanswered  | retrying      | wait to retry
registering   | row changed | waiting       | queue
registering   | removed     | unregistering | unbind
registered    | due         | registered    | queue
registered    | turn        | registered    | send
registered    | accepted    | registered    | wait for refresh
registered    | corrected   | registered    | queue
registered    | too brief   | registered    | queue
registered    | refused     | retrying      | wait to retry
registered    | denied      | parked        | wait to probe
registered    | unanswered  | retrying      | wait to retry
registered    | flow lost   | retrying      | wait to reconnect
registered    | row changed | waiting       | queue
registered    | removed     | unregistering | unbind
retrying      | due         | retrying      | queue
retrying      | turn        | registering   | send
retrying      | row changed | waiting       | queue
retrying      | removed     | unregistering | unbind
parked        | due         | parked        | queue
parked        | turn        | registering   | send
parked        | row changed | waiting       | queue
parked        | removed     | unregistering | unbind
unregistering | turn        | unregistering | send
unregistering | accepted    | unregistering | unbind
unregistering | corrected   | unregistering | unbind
unregistering | too brief   | unregistering | unbind
unregistering | refused     | unregistering | unbind
unregistering | denied      | unregistering | unbind
unregistering | unanswered  | unregistering | unbind
unregistering | unbound     | gone          | forget`
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()) as [State, RegistrationEvent, State, string]);

/** How a registration comes into each state, from `waiting`. */
const pathTo: Record<Exclude<State, 'gone'>, RegistrationEvent[]> = {
  waiting: [],
  registering: ['turn'],
  registered: ['turn', 'accepted'],
  retrying: ['turn', 'refused'],
  parked: ['turn', 'denied'],
  unregistering: ['removed'],
};

function registrationIn(state: State): Registration {
  const account = { settings: { user: '1', domain: 'a' }, register: () => Promise.reject(new Error('not asked')) };
  const registration = new Registration(1, 'a:5060:udp', account);
  if (state !== 'gone') for (const event of pathTo[state]) registration.take(event);
  return registration;
}

describe('the table of a registration', () => {
  it.each(rows)('%s, %s: %s, %s', (state, event, next, actions) => {
    const registration = registrationIn(state);
    expect(registration.state).toBe(state);
    expect(registration.take(event).join(', ')).toBe(actions);
    expect(registration.state).toBe(next);
  });

  it('has no other rows', () => {
    const all = Object.entries(transitions).flatMap(([state, events]) => Object.keys(events).map((event) => `${state}, ${event}`));
    expect(all.sort()).toEqual(rows.map(([state, event]) => `${state}, ${event}`).sort());
  });

  it('changes nothing for an event that a state has no row for, nor for one that is gone', () => {
    const waiting = registrationIn('waiting');
    expect(waiting.take('flow lost')).toEqual([]);
    expect(waiting.state).toBe('waiting');
    const gone = registrationIn('unregistering');
    gone.take('unbound');
    expect(gone.take('row changed')).toEqual([]);
    expect(gone.state).toBe('gone');
  });

  it('gives every change of state something that leads on: no state without a timer', () => {
    for (const events of Object.values(transitions)) {
      for (const { actions } of Object.values(events)) expect(actions).not.toEqual([]);
    }
  });
});

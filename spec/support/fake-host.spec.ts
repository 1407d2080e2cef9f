import { expect, test } from 'vitest';
import { FakeHost } from './fake-host.js';

const host = (): FakeHost => new FakeHost({ tree: {} });

test('next gives what came before the question and what comes after it, in order', async () => {
  const fake = host();
  fake.calls.update({ type: 'state', callId: 'a', state: 'ringing' });
  const talking = fake.state('a', 'talking');
  fake.calls.update({ type: 'state', callId: 'b', state: 'talking' });
  fake.calls.update({ type: 'state', callId: 'a', state: 'talking' });
  fake.calls.update({ type: 'ended', callId: 'a', reason: 'normal', message: 'The call is over.' });
  expect((await talking).callId).toBe('a');
  expect((await fake.ended('a')).reason).toBe('normal');
  expect(fake.story('a')).toEqual(['ringing', 'talking', 'ended']);
});

test('what never happens is told with what did', async () => {
  const fake = host();
  fake.calls.update({ type: 'state', callId: 'a', state: 'ringing' });
  await expect(fake.ended('a', 'normal', 1)).rejects.toThrow(/call a: ringing/);
});

test('an end for another reason is told with its message', async () => {
  const fake = host();
  fake.calls.update({ type: 'ended', callId: 'a', reason: 'busy', message: 'The line is busy (486 Busy Here).' });
  await expect(fake.ended('a', 'normal')).rejects.toThrow(/ended with busy, not normal: The line is busy/);
});

test('an update after the end is a problem', () => {
  const fake = host();
  const end = { type: 'ended', callId: 'a', reason: 'normal', message: 'The call is over.' } as const;
  fake.calls.update(end);
  fake.calls.update(end);
  expect(fake.problems).toEqual(['ended after the end of call a']);
});

test('the log keeps child loggers and the fields of a record', async () => {
  const fake = host();
  fake.logger.child({ room: 'sip' }).warn('refused', { aor: 'sip:1@example.com' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(fake.log).toHaveLength(1);
  expect(fake.logText()).toContain('sip:1@example.com');
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { AdminCall } from '../../src/admin/ports.js';
import type { ConsoleEvent } from '../../src/admin/shapes.js';
import { AdminSetup, someStatus, token } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(() => setup.close());

interface Console {
  events: ConsoleEvent[];
  socket: WebSocket;
  closed: Promise<number>;
}

async function ticket(): Promise<string> {
  return String((await setup.ask('POST', '/api/ticket')).body.ticket);
}

const url = (search: string): string => `${setup.url.replace('http', 'ws')}/api/events${search}`;

async function look(search?: string, headers: Record<string, string> = {}): Promise<Console> {
  const socket = new WebSocket(url(search ?? `?ticket=${await ticket()}`), { headers });
  const events: ConsoleEvent[] = [];
  socket.on('message', (data: Buffer) => events.push(JSON.parse(data.toString()) as ConsoleEvent));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return { events, socket, closed };
}

const refusal = (search: string, headers: Record<string, string> = {}): Promise<string> =>
  look(search, headers).then(
    () => 'let in',
    (thrown: unknown) => (thrown as Error).message,
  );

const call = (callId: string, change: Partial<AdminCall> = {}): AdminCall => ({
  callId,
  direction: 'outgoing',
  state: 'dialling',
  peer: { type: 1, id: 434 },
  from: 'sip:434@pbx',
  to: 'sip:600@pbx',
  startedAt: new Date('2026-01-01T00:00:00Z'),
  codecs: [],
  ...change,
});

describe('a console that looks on', () => {
  it('is told of calls that begin, change and end', async () => {
    setup.calls = [call('there before')];
    const { events } = await look();
    await setup.clock.advance(1_000);
    setup.calls = [call('there before'), call('new')];
    await setup.clock.advance(1_000);
    await setup.clock.advance(1_000);
    setup.calls = [call('there before'), call('new', { state: 'ringing', rangAt: new Date('2026-01-01T00:00:01Z') })];
    await setup.clock.advance(1_000);
    setup.calls = [call('there before')];
    setup.endings.tell({ ...call('new'), endedAt: new Date('2026-01-01T00:00:05Z'), reason: 'busy', class: 'client', message: 'Busy.', node: 'node-1' });
    await setup.clock.advance(1_000);
    await vi.waitUntil(() => events.filter(({ type }) => type === 'call').length === 3);
    expect(events.filter((event) => event.type === 'call')).toMatchObject([
      { change: 'started', call: { callId: 'new', state: 'dialling', userId: 434 } },
      { change: 'changed', call: { callId: 'new', state: 'ringing', rangAt: '2026-01-01T00:00:01.000Z' } },
      { change: 'ended', call: { callId: 'new', reason: 'busy', endedAt: '2026-01-01T00:00:05.000Z' } },
    ]);
  });

  it('is told of the status and the registrations when they change, of log and samples as they come', async () => {
    const { events } = await look();
    await setup.clock.advance(4_000);
    setup.status = () => ({ ...someStatus, uptimeMs: 99_999, registrations: { ...someStatus.registrations, byState: { ...someStatus.registrations.byState, registered: 3 } } });
    await setup.clock.advance(2_000);
    setup.tail.add('warn', 'something');
    await setup.clock.advance(4_000);
    await vi.waitUntil(() => events.some(({ type }) => type === 'sample'));
    expect(events.map((event) => (event.type === 'registrations' ? `${event.type} ${event.byState.registered}` : event.type === 'log' ? event.line.message : event.type))).toEqual([
      'registrations 0',
      'status',
      'registrations 3',
      'status',
      'something',
      'sample',
    ]);
  });

  it('that does not read is let go', async () => {
    const { events, socket, closed } = await look();
    socket.pause();
    for (let line = 0; line < 5_000; line += 1) setup.tail.add('info', 'x'.repeat(4_000));
    socket.resume();
    expect(await closed).toBe(1_006);
    expect(events.length).toBeLessThan(5_000);
    // And nothing is left of it.
    expect(setup.clock.pending).toBe(1);
  });

  it('may say nothing', async () => {
    const { socket, closed } = await look();
    socket.send('{');
    expect(await closed).toBe(1_008);
    const other = await look();
    other.socket.send('long');
    expect(await other.closed).toBe(1_009);
  });

  it('is one of 32 at most, and is let go when the server closes', async () => {
    const consoles = await Promise.all(Array.from({ length: 32 }, () => look()));
    expect(await refusal(`?ticket=${await ticket()}`)).toMatch(/503/);
    consoles[0]?.socket.terminate();
    await vi.waitUntil(async () => (await refusal(`?ticket=${await ticket()}`)) === 'let in', { interval: 20 });
    await setup.close();
    await Promise.all(consoles.map(({ closed }) => closed));
  });
});

describe('a ticket', () => {
  it('lets one in, once, for half a minute', async () => {
    const first = await ticket();
    await look(`?ticket=${first}`);
    expect(await refusal(`?ticket=${first}`)).toMatch(/401/);
    const soon = await ticket();
    await setup.clock.advance(29_999);
    await look(`?ticket=${soon}`);
    const late = await ticket();
    await setup.clock.advance(30_000);
    expect(await refusal(`?ticket=${late}`)).toMatch(/401/);
  });

  it.each(['', '?ticket=', '?ticket=x', '?ticket=a&ticket=b', `?token=${token}`])('is not to be guessed: %s', async (search) => {
    expect(await refusal(search)).toMatch(/401/);
  });

  it('is good for nothing else, and guesses are soon not looked at', async () => {
    expect((await setup.ask('GET', `/api/status?ticket=${await ticket()}`, { authorization: '' })).status).toBe(401);
    for (let turn = 1; turn < 10; turn += 1) expect(await refusal(`?ticket=${turn}`)).toMatch(/401/);
    expect(await refusal(`?ticket=${await ticket().catch(() => 'none')}`)).toMatch(/429/);
  });

  it('lets in no page from elsewhere, nor one whose name was made to point here', async () => {
    expect(await refusal(`?ticket=${await ticket()}`, { origin: 'http://evil.example' })).toMatch(/403/);
    expect(await refusal(`?ticket=${await ticket()}`, { host: 'evil.example' })).toMatch(/421/);
    await look(undefined, { origin: setup.url });
  });

  it('is one of 64 that nobody used; the oldest is worth nothing then', async () => {
    const first = await ticket();
    for (let turn = 0; turn < 64; turn += 1) await ticket();
    expect(await refusal(`?ticket=${first}`)).toMatch(/401/);
  });
});

it('more requests than an address may send are refused until a moment later, whoever knows the token', async () => {
  const statuses: number[] = [];
  for (let turn = 0; turn < 201; turn += 1) statuses.push((await setup.ask('GET', '/api/calls')).status);
  expect([statuses.indexOf(429), statuses.lastIndexOf(200)]).toEqual([200, 199]);
  expect(await setup.ask('GET', '/')).toMatchObject({ status: 429, body: { code: 'TOO_MANY_REQUESTS' }, headers: { 'retry-after': '1' } });
  await setup.clock.advance(1_000);
  expect((await setup.ask('GET', '/api/calls')).status).toBe(200);
});

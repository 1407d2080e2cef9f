import { beforeEach, describe, expect, it } from 'vitest';
import type { CallUpdate } from '../../src/host/contract.js';
import { ExtensionError } from '../../src/base/errors.js';
import { CallHub } from '../../src/reference-host/call-hub.js';
import { Devices, type ClientEvent, type Device } from '../../src/reference-host/devices.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeExtension } from './fake-extension.js';

const offer = { type: 'offer', sdp: 'v=0' } as const;
const answer = { type: 'answer', sdp: 'v=0' } as const;

let clock: ManualClock;
let extension: FakeExtension;
let devices: Devices;
let hub: CallHub;
let disabled: boolean;

beforeEach(() => {
  clock = new ManualClock();
  extension = new FakeExtension();
  devices = new Devices();
  disabled = false;
  const users = { get: (id: number) => (id === 1 || id === 2 ? { id, name: id === 1 ? 'Alice' : 'Bob', disabled } : undefined) };
  hub = new CallHub(extension, devices, users, { clock, patienceMs: { wake: 5_000, owner: 30_000 } });
});

/** A signed-in device with an open event stream. */
function online(userId: number): { device: Device; heard: ClientEvent[]; leave: () => void } {
  const device = devices.signIn(userId);
  const heard: ClientEvent[] = [];
  const stream = { send: (event: ClientEvent) => heard.push(event), close: () => undefined };
  devices.connect(device.token, stream);
  hub.connected(device);
  return {
    device,
    heard,
    leave: () => {
      if (devices.disconnect(device.token, stream)) hub.disconnected(device);
    },
  };
}

function incoming(to = 2, callId = 'in'): CallUpdate {
  return { type: 'incoming', callId, to: { type: 1, id: to }, from: { uri: 'sip:100@pbx', displayName: 'Reception' }, description: offer, video: false, mappingId: 7 };
}

const kinds = (heard: ClientEvent[]) => heard.map((event) => (event.type === 'state' ? event.state : event.type));
const ended: CallUpdate = { type: 'ended', callId: 'in', reason: 'normal', message: 'The call is over.' };

describe('a call that a device makes', () => {
  it('goes to the extension in the name of the signed-in user, under an id of the host', async () => {
    const { device } = online(1);
    const callId = await hub.command(device, { type: 'create', to: { address: '4930123' }, description: offer });
    expect(extension.commands).toEqual([
      { type: 'create', callId, from: { type: 1, id: 1 }, to: { address: '4930123' }, description: offer, displayName: 'Alice' },
    ]);
    const view = { callId, userId: 1, direction: 'outgoing', state: 'trying', remote: '4930123', startedAt: clock.date().getTime() };
    expect(hub.of(device)).toEqual([{ ...view, mine: true }]);
    expect(hub.of(online(1).device)).toEqual([{ ...view, mine: false }]);
  });

  it('tells its device alone, not the user’s others', async () => {
    const mobile = online(1);
    const desk = online(1);
    const callId = await hub.command(mobile.device, { type: 'create', to: { address: '100' }, description: offer });
    hub.update({ type: 'state', callId, state: 'ringing' });
    hub.update({ type: 'state', callId, state: 'talking', description: answer });
    expect(kinds(mobile.heard)).toEqual(['ringing', 'talking']);
    expect(desk.heard).toEqual([]);
  });

  it('is gone when the extension refuses it', async () => {
    const { device } = online(1);
    extension.refusal = new ExtensionError('MAPPING_NOT_FOUND', 'User 1 has no SIP account.');
    await expect(hub.command(device, { type: 'create', to: { address: '100' }, description: offer })).rejects.toThrow('no SIP account');
    expect(hub.live).toBe(0);
  });

  it('obeys no other user and no other device', async () => {
    const callId = await hub.command(online(1).device, { type: 'create', to: { address: '100' }, description: offer });
    await expect(hub.command(online(2).device, { type: 'hangup', callId })).rejects.toMatchObject({ code: 'CALL_NOT_YOURS' });
    await expect(hub.command(online(1).device, { type: 'hangup', callId })).rejects.toMatchObject({ code: 'ANSWERED_ELSEWHERE' });
    expect(extension.commands).toHaveLength(1);
  });

  it('waits half a minute for a device that went away, then is hung up', async () => {
    const { device, leave } = online(1);
    const callId = await hub.command(device, { type: 'create', to: { address: '100' }, description: offer });
    leave();
    await clock.advance(29_999);
    expect(extension.commands).toHaveLength(1);
    await clock.advance(1);
    expect(extension.commands.at(-1)).toEqual({ type: 'hangup', callId, reason: 'error' });
  });

  it('goes on when its device comes back in time', async () => {
    const { device, leave } = online(1);
    await hub.command(device, { type: 'create', to: { address: '100' }, description: offer });
    leave();
    devices.connect(device.token, { send: () => undefined, close: () => undefined });
    hub.connected(device);
    await clock.advance(60_000);
    expect(extension.commands).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('a call that comes in', () => {
  it('rings on every device of the user, and the extension hears of it once', async () => {
    const mobile = online(2);
    const desk = online(2);
    hub.update(incoming());
    expect([kinds(mobile.heard), kinds(desk.heard)]).toEqual([['incoming'], ['incoming']]);
    await hub.command(mobile.device, { type: 'ringing', callId: 'in' });
    await hub.command(desk.device, { type: 'ringing', callId: 'in' });
    expect(extension.commands).toEqual([{ type: 'ringing', callId: 'in' }]);
  });

  it('goes to the first device that answers; the others are told, and may not answer again', async () => {
    const mobile = online(2);
    const desk = online(2);
    hub.update(incoming());
    let answered = (): void => undefined;
    extension.hold = new Promise((resolve) => (answered = resolve));
    const first = hub.command(mobile.device, { type: 'answer', callId: 'in', description: answer });
    const second = hub.command(desk.device, { type: 'answer', callId: 'in', description: answer });
    await expect(second).rejects.toMatchObject({ code: 'ANSWERED_ELSEWHERE' });
    answered();
    await first;
    expect(desk.heard.at(-1)).toMatchObject({ type: 'ended', reason: 'picked_up' });
    hub.update({ type: 'state', callId: 'in', state: 'talking' });
    expect(kinds(mobile.heard)).toEqual(['incoming', 'talking']);
    expect(kinds(desk.heard)).toEqual(['incoming', 'ended']);
    expect(extension.commands).toHaveLength(1);
  });

  it('can still be answered elsewhere when the extension did not take the first answer', async () => {
    const mobile = online(2);
    const desk = online(2);
    hub.update(incoming());
    extension.refusal = new ExtensionError('COMMAND_INVALID', 'That is no SDP.');
    await expect(hub.command(mobile.device, { type: 'answer', callId: 'in', description: answer })).rejects.toThrow('no SDP');
    await hub.command(desk.device, { type: 'answer', callId: 'in', description: answer });
    expect(mobile.heard.at(-1)).toMatchObject({ reason: 'picked_up' });
  });

  it('stops ringing everywhere when it ends, and its end can be looked up', () => {
    const mobile = online(2);
    const desk = online(2);
    hub.update(incoming());
    hub.update(ended);
    expect([kinds(mobile.heard), kinds(desk.heard)]).toEqual([['incoming', 'ended'], ['incoming', 'ended']]);
    expect(hub.live).toBe(0);
    expect(hub.of(desk.device)).toMatchObject([
      { callId: 'in', state: 'finished', mine: false, remote: 'sip:100@pbx', name: 'Reception', endedAt: clock.date().getTime(), ended: { reason: 'normal' } },
    ]);
    expect(clock.pending).toBe(0);
  });

  it('waits for a device to wake up, and rings there', async () => {
    hub.update(incoming());
    await clock.advance(4_000);
    const late = online(2);
    expect(kinds(late.heard)).toEqual(['incoming']);
    await clock.advance(60_000);
    expect(extension.commands).toEqual([]);
  });

  it('no longer waits for a device once the caller has given up', async () => {
    hub.update(incoming());
    hub.update(ended);
    await clock.advance(60_000);
    expect(extension.commands).toEqual([]);
  });

  it('ends with no_answer when no device wakes up', async () => {
    hub.update(incoming());
    await clock.advance(5_000);
    expect(extension.commands).toEqual([{ type: 'hangup', callId: 'in', reason: 'no_answer' }]);
  });

  it('ends with no_answer when the last device that rang goes away', async () => {
    const mobile = online(2);
    const desk = online(2);
    hub.update(incoming());
    mobile.leave();
    await clock.advance(60_000);
    expect(extension.commands).toEqual([]);
    desk.leave();
    await clock.advance(5_000);
    expect(extension.commands).toEqual([{ type: 'hangup', callId: 'in', reason: 'no_answer' }]);
  });

  it('is rejected by any device of the user', async () => {
    const { device } = online(2);
    hub.update(incoming());
    await hub.command(device, { type: 'hangup', callId: 'in' });
    expect(extension.commands).toEqual([{ type: 'hangup', callId: 'in', reason: 'rejected' }]);
  });

  it('is rejected at once for a user who is disabled or unknown, without ringing', () => {
    const { heard } = online(2);
    disabled = true;
    hub.update(incoming(2, 'one'));
    hub.update(incoming(99, 'two'));
    expect(extension.commands.map((command) => [command.type, command.type === 'create' ? '' : command.callId])).toEqual([
      ['hangup', 'one'],
      ['hangup', 'two'],
    ]);
    expect(heard).toEqual([]);
  });

  it('takes no mid-call command before it is answered', async () => {
    const { device } = online(2);
    hub.update(incoming());
    await expect(hub.command(device, { type: 'dtmf', callId: 'in', tones: '1' })).rejects.toThrow('Answer the call first');
    expect(extension.commands).toEqual([]);
  });
});

it('a command for a call that has ended says that there is no such call', async () => {
  const { device } = online(2);
  hub.update(incoming());
  hub.update(ended);
  await expect(hub.command(device, { type: 'hangup', callId: 'in' })).rejects.toMatchObject({ code: 'CALL_NOT_FOUND' });
});

/**
 * The messenger's own view of its calls: which device made or answered which, and which devices ring.
 *
 * A call is `offered` (incoming, its user's devices ring, nobody owns it) or `owned` by one device: the one that made it, or the
 * first that answered. The owner alone commands it and hears of it; while it is offered all devices of the user hear of it, and any
 * of them may reject it. A call leaves the table with the extension's `ended`. Only this file changes a call.
 */
import { randomUUID } from 'node:crypto';
import { systemClock, type Clock, type Timer } from '../base/clock.js';
import { problemOf } from '../base/problem.js';
import { second } from '../base/units.js';
import type { CallCommand, CallState, CallUpdate, HostExtension, HostUser, RemoteParty } from '../index.js';
import { ApiError } from './api-error.js';
import type { ClientEvent, Device, Devices } from './devices.js';

type Without<Command, Key extends string> = Command extends unknown ? Omit<Command, Key> : never;
type Create = Extract<CallCommand, { type: 'create' }>;

/** What a client may ask for: the contract's commands, but who calls is known from its token. */
export type ClientCommand =
  | (Omit<Create, 'callId' | 'from' | 'displayName' | 'mappingId'> & { callId?: string })
  | Exclude<CallCommand, { type: 'create' }>;

export interface CallView {
  callId: string;
  userId: number;
  direction: 'outgoing' | 'incoming';
  state: CallState;
  /** The other end's SIP URI, once known; before, what was dialled. */
  remote?: string;
  /** The other end's name, once known: the user's that it is, else what it calls itself. */
  name?: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Absent when it was never answered. */
  talkingAt?: number;
  endedAt?: number;
  /** The last word, once the call has ended. */
  ended?: Without<Extract<CallUpdate, { type: 'ended' }>, 'type' | 'callId'>;
}

interface Call {
  view: CallView;
  /** The device that made or answered it. */
  owner?: string;
  /** What a device that comes online while it rings is told. */
  invitation?: Extract<CallUpdate, { type: 'incoming' }>;
  /** A device said that it rings; the extension is told once. */
  ringing: boolean;
  /** Runs while nobody is there who could take or end the call. */
  abandoned?: Timer;
}

export interface CallHubOptions {
  clock?: Clock;
  /** How long an incoming call waits for a device of its user to come online, and a call for its owner to come back; milliseconds. */
  patienceMs?: { wake: number; owner: number };
  /** Told of errors that have no client to go to. */
  report?: (message: string) => void;
}

const endedKept = 100;

export class CallHub {
  readonly #calls = new Map<string, Call>();
  readonly #ended: CallView[] = [];
  readonly #clock: Clock;
  readonly #patienceMs: { wake: number; owner: number };

  constructor(
    private readonly extension: Pick<HostExtension, 'onCall'>,
    private readonly devices: Devices,
    private readonly users: { get(id: number): HostUser | undefined },
    private readonly options: CallHubOptions = {},
  ) {
    this.#clock = options.clock ?? systemClock;
    this.#patienceMs = options.patienceMs ?? { wake: 5 * second, owner: 30 * second };
  }

  /** The last calls that ended, then the live ones, newest last; `mine` are those that this device made or answered. */
  of({ userId, token }: Device): (CallView & { mine: boolean })[] {
    const live = [...this.#calls.values()].map((call) => ({ ...call.view, mine: call.owner === token }));
    const ended = this.#ended.map((view) => ({ ...view, mine: false }));
    return [...ended, ...live].filter((view) => view.userId === userId);
  }

  get live(): number {
    return this.#calls.size;
  }

  /**
   * Carries out what a device asks for.
   * @returns the call's id
   * @throws ApiError `CALL_NOT_FOUND`, `CALL_NOT_YOURS`, `ANSWERED_ELSEWHERE`; what the extension throws
   */
  async command(device: Device, command: ClientCommand): Promise<string> {
    if (command.type === 'create') return this.#create(device, command);
    const call = this.#calls.get(command.callId);
    if (call === undefined) throw new ApiError('CALL_NOT_FOUND', `There is no call ${JSON.stringify(command.callId)}.`);
    if (call.view.userId !== device.userId) throw new ApiError('CALL_NOT_YOURS', 'That call belongs to another user.');
    if (call.owner === undefined) await this.#commandOffered(call, device, command);
    else if (call.owner === device.token) await this.extension.onCall(command);
    else throw new ApiError('ANSWERED_ELSEWHERE', 'Another device of yours has taken that call.');
    return command.callId;
  }

  /** The contract's `calls.update`. */
  update(update: CallUpdate): void {
    if (update.type === 'incoming') {
      this.#offer(update);
      return;
    }
    const call = this.#calls.get(update.callId);
    if (call === undefined) return;
    if (update.type === 'state') {
      call.view.state = update.state;
      if (update.state === 'talking') call.view.talkingAt ??= this.#now();
      if (update.remote !== undefined) Object.assign(call.view, this.#shown(update.remote));
    }
    this.#tell(call, update);
    if (update.type === 'ended') this.#forget(call, update);
  }

  /** A device's event stream opened: what rings for its user rings there too. */
  connected(device: Device): void {
    for (const call of this.#calls.values()) {
      if (call.owner === device.token) call.abandoned?.cancel();
      if (call.owner !== undefined || call.view.userId !== device.userId || call.invitation === undefined) continue;
      call.abandoned?.cancel();
      this.devices.send(device.token, call.invitation);
    }
  }

  /** A device's event stream closed: its calls wait for it for a while, then end. */
  disconnected(device: Device): void {
    for (const call of this.#calls.values()) {
      if (call.owner === device.token) this.#abandon(call, this.#patienceMs.owner);
      else if (call.owner === undefined && call.view.userId === device.userId) this.#awaitDevice(call);
    }
  }

  stop(): void {
    for (const call of this.#calls.values()) call.abandoned?.cancel();
  }

  async #create(device: Device, command: Extract<ClientCommand, { type: 'create' }>): Promise<string> {
    const callId = command.callId ?? randomUUID();
    if (this.#calls.has(callId)) throw new ApiError('REQUEST_INVALID', `There is a call ${JSON.stringify(callId)} already.`);
    const { userId } = device;
    const displayName = this.users.get(userId)?.name;
    const view: CallView = { callId, userId, direction: 'outgoing', state: 'trying', startedAt: this.#now(), ...dialled(command.to) };
    // In place first: updates may come before onCall has resolved.
    const call: Call = { view, owner: device.token, ringing: false };
    this.#calls.set(callId, call);
    try {
      const from = { type: 1 as const, id: userId };
      await this.extension.onCall({ ...command, callId, from, ...(displayName === undefined ? {} : { displayName }) });
    } catch (thrown) {
      if (this.#calls.get(callId) === call) this.#calls.delete(callId);
      call.abandoned?.cancel();
      throw thrown;
    }
    return callId;
  }

  async #commandOffered(call: Call, device: Device, command: Exclude<ClientCommand, { type: 'create' }>): Promise<void> {
    switch (command.type) {
      case 'ringing':
        if (call.ringing) return;
        call.ringing = true;
        await this.extension.onCall(command);
        return;
      case 'answer':
        await this.#answer(call, device, command);
        return;
      case 'hangup':
        await this.extension.onCall({ ...command, reason: command.reason ?? 'rejected' });
        return;
      default:
        throw new ApiError('CALL_NOT_YOURS', 'Answer the call first.');
    }
  }

  /** The first to answer wins, and it wins at once: a second answer meets an owned call. */
  async #answer(call: Call, device: Device, command: Extract<CallCommand, { type: 'answer' }>): Promise<void> {
    call.owner = device.token;
    try {
      await this.extension.onCall(command);
    } catch (thrown) {
      delete call.owner;
      throw thrown;
    }
    const { callId, userId } = call.view;
    const message = 'The call was answered on another device.';
    for (const other of this.devices.onlineOf(userId)) {
      if (other.token !== device.token) this.devices.send(other.token, { type: 'ended', callId, reason: 'picked_up', message });
    }
  }

  #offer(invitation: Extract<CallUpdate, { type: 'incoming' }>): void {
    const { callId, to, from } = invitation;
    const call: Call = {
      view: { callId, userId: to.id, direction: 'incoming', state: 'trying', startedAt: this.#now(), ...this.#shown(from) },
      invitation,
      ringing: false,
    };
    this.#calls.set(callId, call);
    const user = to.type === 1 ? this.users.get(to.id) : undefined;
    if (user === undefined || user.disabled === true) {
      this.#hangUp(callId, 'rejected');
      return;
    }
    this.#tell(call, invitation);
    this.#awaitDevice(call);
  }

  /** An offered call without a device online waits for one to wake up, then ends unanswered. */
  #awaitDevice(call: Call): void {
    if (this.devices.onlineOf(call.view.userId).length === 0) this.#abandon(call, this.#patienceMs.wake);
  }

  #abandon(call: Call, patienceMs: number): void {
    call.abandoned?.cancel();
    call.abandoned = this.#clock.after(patienceMs, () => {
      this.#hangUp(call.view.callId, call.owner === undefined ? 'no_answer' : 'error');
    });
  }

  /** The host's own doing, so a failure has no client to go to. */
  #hangUp(callId: string, reason: 'no_answer' | 'rejected' | 'error'): void {
    this.extension.onCall({ type: 'hangup', callId, reason }).catch((thrown: unknown) => {
      this.options.report?.(`Call ${callId} could not be ended: ${problemOf(thrown).detail}`);
    });
  }

  #tell(call: Call, event: ClientEvent): void {
    const tokens = call.owner === undefined ? this.devices.onlineOf(call.view.userId).map((device) => device.token) : [call.owner];
    for (const token of tokens) this.devices.send(token, event);
  }

  #shown({ uri, displayName, peer }: RemoteParty): Pick<CallView, 'remote' | 'name'> {
    const name = (peer?.type === 1 ? this.users.get(peer.id)?.name : undefined) ?? displayName;
    return { remote: uri, ...(name === undefined ? {} : { name }) };
  }

  #now(): number {
    return this.#clock.date().getTime();
  }

  #forget(call: Call, { callId, reason, sip, message }: Extract<CallUpdate, { type: 'ended' }>): void {
    call.abandoned?.cancel();
    this.#calls.delete(callId);
    this.#ended.push({ ...call.view, state: 'finished', endedAt: this.#now(), ended: { reason, sip, message } });
    if (this.#ended.length > endedKept) this.#ended.shift();
  }
}

function dialled(to: Create['to']): Pick<CallView, 'remote'> {
  return 'address' in to ? { remote: to.address } : {};
}

/**
 * Who is signed in: one token is one device of a user. A device is online while its event stream is open; it may act over
 * HTTP without one.
 */
import { randomBytes } from 'node:crypto';
import type { Problem } from '../base/problem.js';
import type { CallUpdate } from '../index.js';

/** What a client gets over its event stream. */
export type ClientEvent =
  | CallUpdate
  /** The command with that `requestId` was taken. */
  | { type: 'accepted'; requestId?: string; callId: string }
  | { type: 'error'; requestId?: string; callId?: string; problem: Problem };

export interface Device {
  readonly token: string;
  readonly userId: number;
}

interface SignedIn extends Device {
  stream?: { send: (event: ClientEvent) => void; close: () => void };
}

/** The oldest device is signed out to make room. */
const devicesAtMost = 10_000;

export class Devices {
  readonly #devices = new Map<string, SignedIn>();

  signIn(userId: number): Device {
    const [oldest] = this.#devices.keys();
    if (this.#devices.size >= devicesAtMost && oldest !== undefined) this.signOut(oldest);
    const device: SignedIn = { token: randomBytes(24).toString('base64url'), userId };
    this.#devices.set(device.token, device);
    return device;
  }

  signOut(token: string): void {
    const device = this.#devices.get(token);
    this.#devices.delete(token);
    device?.stream?.close();
  }

  signOutUser(userId: number): void {
    for (const device of [...this.#devices.values()]) {
      if (device.userId === userId) this.signOut(device.token);
    }
  }

  find(token: string): Device | undefined {
    return this.#devices.get(token);
  }

  /** Opens the device's event stream; an older one of the same device is closed. */
  connect(token: string, stream: { send: (event: ClientEvent) => void; close: () => void }): void {
    const device = this.#devices.get(token);
    if (device === undefined) return;
    const older = device.stream;
    device.stream = stream;
    older?.close();
  }

  /** @returns whether that stream was the device's current one */
  disconnect(token: string, stream: object): boolean {
    const device = this.#devices.get(token);
    if (device?.stream !== stream) return false;
    delete device.stream;
    return true;
  }

  onlineOf(userId: number): Device[] {
    return [...this.#devices.values()].filter((device) => device.userId === userId && device.stream !== undefined);
  }

  /** Nothing happens when the device is offline. */
  send(token: string, event: ClientEvent): void {
    this.#devices.get(token)?.stream?.send(event);
  }

  closeAll(): void {
    for (const token of [...this.#devices.keys()]) this.signOut(token);
  }
}

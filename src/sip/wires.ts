/**
 * The wires that SIP.js's transactions write on: one over each flow, with retransmission beneath and the tap beside it; or one to a
 * target whose flow is still being opened, on which what is sent waits in order; or the one back to a peer whose connection may be gone.
 */
import { messageOf } from '../base/errors.js';
import type { Wire } from './internals.js';
import type { Retransmission } from './retransmission.js';
import type { Flow } from './transports/flow.js';
import type { SipTransport } from './types.js';

/** Over a flow that is there. */
export class FlowWire implements Wire {
  readonly protocol: string;
  /** Responses that came: a server that sends none is passed over. */
  responses = 0;

  constructor(
    readonly flow: Flow,
    private readonly retransmission: Retransmission,
  ) {
    this.protocol = flow.transport.toUpperCase();
  }

  get isOpen(): boolean {
    return this.flow.isOpen;
  }

  sendRequest(text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void {
    this.retransmission.sendRequest(this.flow, text, key, isInvite, onError);
  }

  sendAck(text: string, key: string | undefined, onError: (error: Error) => void): void {
    if (key === undefined) this.retransmission.sendOnce(this.flow, text, onError);
    else this.retransmission.sendAck(this.flow, text, key, onError);
  }

  sendResponse(text: string, key: string | undefined, status: number, isInvite: boolean, onError: (error: Error) => void): void {
    const isCores = key === undefined || status < 200 || (isInvite && status < 300);
    if (isCores) this.retransmission.sendOnce(this.flow, text, onError);
    else this.retransmission.sendFinal(this.flow, text, key, isInvite, onError);
  }

  /** SIP.js's own interface; the corrections leave it no caller. */
  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.retransmission.sendOnce(this.flow, text, reject);
      resolve();
    });
  }
}

/** To somewhere that has no flow yet. */
export class PendingWire implements Wire {
  readonly protocol: string;
  /** Undefined while it is being opened, null when it could not be. */
  #wire: FlowWire | null | undefined;

  constructor(
    transport: SipTransport,
    private readonly opened: Promise<FlowWire>,
  ) {
    this.protocol = transport.toUpperCase();
    // Who sends is told of the error; without a sender it is nobody's.
    this.opened.then(
      (wire) => { this.#wire = wire; },
      () => { this.#wire = null; },
    );
  }

  get isOpen(): boolean {
    return this.#wire === undefined || this.#wire?.isOpen === true;
  }

  sendRequest(text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void {
    this.#then((wire) => {
      wire.sendRequest(text, key, isInvite, onError);
    }, onError);
  }

  sendAck(text: string, key: string | undefined, onError: (error: Error) => void): void {
    this.#then((wire) => {
      wire.sendAck(text, key, onError);
    }, onError);
  }

  sendResponse(text: string, key: string | undefined, status: number, isInvite: boolean, onError: (error: Error) => void): void {
    this.#then((wire) => {
      wire.sendResponse(text, key, status, isInvite, onError);
    }, onError);
  }

  async send(text: string): Promise<void> {
    await (await this.opened).send(text);
  }

  #then(action: (wire: FlowWire) => void, onError: (error: Error) => void): void {
    this.opened.then(action, (thrown: unknown) => {
      onError(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
    });
  }
}

/** Over the connection that a request came by, for as long as it is open; then over another to its sender, and over the next when that one fails. */
export class WireBack implements Wire {
  readonly protocol: string;
  #other: Wire | undefined;

  constructor(
    private readonly wire: FlowWire,
    private readonly toSender: () => Wire,
  ) {
    this.protocol = wire.protocol;
  }

  get isOpen(): boolean {
    return this.#open().isOpen;
  }

  sendRequest(text: string, key: string, isInvite: boolean, onError: (error: Error) => void): void {
    this.#open().sendRequest(text, key, isInvite, onError);
  }

  sendAck(text: string, key: string | undefined, onError: (error: Error) => void): void {
    this.#open().sendAck(text, key, onError);
  }

  sendResponse(text: string, key: string | undefined, status: number, isInvite: boolean, onError: (error: Error) => void): void {
    this.#open().sendResponse(text, key, status, isInvite, onError);
  }

  send(text: string): Promise<void> {
    return this.#open().send(text);
  }

  #open(): Wire {
    if (this.wire.flow.isOpen) return this.wire;
    if (this.#other?.isOpen !== true) this.#other = this.toSender();
    return this.#other;
  }
}

/** The stack with one account, registered at a scripted peer over UDP, TCP or WebSocket: what the specs of conformance start from. */
import { expect } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.js';
import { hour } from '../../../src/base/units.js';
import { openSipStack, type SipStackSettings } from '../../../src/sip/stack.js';
import type { CallDialog, CallRefusal, IncomingCall, InviteOptions, OutgoingCall, ReceivedReferral, RemoteOffer, SipAccount, SipStack } from '../../../src/sip/types.js';
import { ScriptedPeer, type Received } from '../../support/scripted-peer.js';
import { quietDialog } from '../../support/quiet-dialog.js';

export const offer = 'v=0\r\no=offer\r\n';
export const answer = 'v=0\r\no=answer\r\n';

type Headers = string[];
type PeerRequest = Parameters<ScriptedPeer['send']>[2];

export interface SubjectOptions extends Pick<SipStackSettings, 'sessionExpiresS' | 'statedIdentity'> {
  clock?: Clock;
  maxUnheldConnections?: number;
}

/** A call that reached the stack, with all that its owner is told. */
export interface TakenCall {
  readonly call: IncomingCall;
  readonly seen: string[];
}

export interface PlacedCall {
  readonly call: OutgoingCall;
  readonly seen: string[];
  readonly accepted: Promise<CallDialog>;
  readonly refused: Promise<CallRefusal>;
}

export class Subject {
  /** Calls that came and that no spec has taken yet. */
  readonly calls: TakenCall[] = [];
  readonly warnings: string[] = [];
  lose: () => void = () => undefined;
  /** What is done with a call before its owner has heard of it. */
  onCall: (call: IncomingCall) => void = () => undefined;
  #takeOffer: (offer: RemoteOffer) => void = quietDialog.onOffer;
  #takeAnswer: (sdp: string) => void = quietDialog.onAnswer;
  #takeReferral: (referral: ReceivedReferral) => void = quietDialog.onReferral;
  #waiting: ((taken: TakenCall) => void)[] = [];
  #callIds = 0;

  private constructor(
    readonly transport: 'udp' | 'tcp' | 'ws',
    readonly peer: ScriptedPeer,
    readonly stack: SipStack,
    readonly account: SipAccount,
  ) {}

  static async open(transport: 'udp' | 'tcp' | 'ws' = 'udp', options: SubjectOptions = {}): Promise<Subject> {
    const { clock = systemClock, maxUnheldConnections, ...settings } = options;
    const peer = await { udp: () => ScriptedPeer.open(), tcp: () => ScriptedPeer.openTcp(), ws: () => ScriptedPeer.openWs() }[transport]();
    const told: { subject?: Subject } = {};
    const stack = await openSipStack(
      {
        flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true }, maxUnheldConnections, ...(clock === systemClock ? {} : { keepAliveMs: hour }) },
        trusted: [],
        ignoresContact: false,
        ...settings,
        userAgent: 'dialog-sip/spec',
      },
      {
        clock,
        events: { onInvite: (call) => told.subject?.take(call), onFlowLost: () => told.subject?.lose() },
        log: { debug: () => undefined, warn: (message) => told.subject?.warnings.push(message) },
      },
    );
    const target = { transport, host: '127.0.0.1', port: peer.port };
    const account = stack.addAccount({ token: 'tok434', user: '434', domain: 'example.com', password: 'secret', target });
    const subject = (told.subject = new Subject(transport, peer, stack, account));
    const registered = account.register(60);
    (await peer.next('REGISTER')).reply(200, ['Expires: 60']);
    await registered;
    return subject;
  }

  /** Our Contact; over WebSocket, where each connection has another host, one that fits any. */
  get uri(): string {
    if (this.transport === 'ws') return 'sip:tok434@any.invalid;transport=ws';
    const port = new RegExp(`${this.transport}:127\\.0\\.0\\.1:(\\d+)`).exec(this.stack.listening.join(' '))![1]!;
    return `sip:tok434@127.0.0.1:${port}`;
  }

  get peerContact(): string {
    return `<sip:600@127.0.0.1:${String(this.peer.port)};transport=${this.transport}>`;
  }

  /** Nothing went wrong on the way; the sockets are closed. */
  async close(): Promise<void> {
    await this.stack.close();
    await this.peer.close();
    expect(this.warnings).toEqual([]);
  }

  /** The connection to the registrar went down. */
  nextLoss(): Promise<void> {
    return new Promise((resolve) => (this.lose = resolve));
  }

  // ---- calls that come in --------------------------------------------------------------------------

  take(call: IncomingCall): void {
    const seen: string[] = [];
    call.events = {
      ...quietDialog,
      onCancelled: (reason) => seen.push(`cancelled ${String(reason?.cause ?? '')}`.trim()),
      onConfirmed: () => seen.push('confirmed'),
      onLost: () => seen.push('lost'),
      onBye: () => seen.push('bye'),
      onTone: (tone) => seen.push(`tone ${tone}`),
      onOffer: (remote) => {
        this.#takeOffer(remote);
      },
      onAnswer: (sdp) => {
        this.#takeAnswer(sdp);
      },
      onReferral: (referral) => {
        seen.push('referral');
        this.#takeReferral(referral);
      },
    };
    this.onCall(call);
    const taken = { call, seen };
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.calls.push(taken);
    else waiting(taken);
  }

  nextCall(): Promise<TakenCall> {
    const here = this.calls.shift();
    return here === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(here);
  }

  /** What stands in a request of a new call to us. */
  newCall(): PeerRequest {
    this.#callIds += 1;
    return { from: '<sip:600@example.com>;tag=f1', to: '<sip:434@example.com>', callId: `in-${String(this.#callIds)}`, cseq: 10 };
  }

  /** The peer calls us. */
  async invited(headers: Headers = [], options: Partial<PeerRequest> = {}): Promise<TakenCall & { request: PeerRequest }> {
    const request = { ...this.newCall(), headers: [`Contact: ${this.peerContact}`, ...headers], body: offer, ...options };
    this.peer.send('INVITE', this.uri, request);
    return { ...(await this.nextCall()), request };
  }

  /** A call of the peer that is up: our dialog, and what the peer puts into its next request in it. */
  async answered(headers: Headers = []): Promise<TakenCall & { dialog: CallDialog; ok: Received; inDialog: PeerRequest }> {
    const { request, ...taken } = await this.invited(headers);
    const dialog = taken.call.accept(answer)!;
    const ok = await this.peer.nextResponse(200);
    const inDialog = { from: request.from, to: ok.header('to')!, callId: request.callId };
    this.peer.send('ACK', this.uri, { ...inDialog, cseq: request.cseq });
    await this.settled();
    expect(taken.seen).toEqual(['confirmed']);
    return { ...taken, dialog, ok, inDialog: { ...inDialog, cseq: 11 } };
  }

  /** The next offer of the peer in a call; one that nobody waits for is refused. */
  nextOffer(): Promise<RemoteOffer> {
    return new Promise((resolve) => (this.#takeOffer = resolve));
  }

  /** The next answer that the peer gives to an offer which it asked for. */
  nextAnswer(): Promise<string> {
    return new Promise((resolve) => (this.#takeAnswer = resolve));
  }

  /** The next transfer that the peer asks for in a call; one that nobody waits for is refused. */
  nextReferral(): Promise<ReceivedReferral> {
    return new Promise((resolve) => (this.#takeReferral = resolve));
  }

  /** All that the peer sent was handled, and all that we sent because of it has arrived. */
  async settled(): Promise<void> {
    await this.peer.request('OPTIONS', this.uri, { ...this.newCall(), cseq: 1 });
  }

  // ---- calls that we place -------------------------------------------------------------------------

  place(to = 'sip:600@example.com', options: Partial<InviteOptions> = {}): PlacedCall {
    const seen: string[] = [];
    let accept: (dialog: CallDialog) => void = () => undefined;
    let refuse: (refusal: CallRefusal) => void = () => undefined;
    const accepted = new Promise<CallDialog>((resolve) => (accept = resolve));
    const refused = new Promise<CallRefusal>((resolve) => (refuse = resolve));
    const call = this.account.invite(
      { to, sdp: offer, ...options },
      {
        ...quietDialog,
        onProgress: ({ status, sdp }) => seen.push(`progress ${String(status)}${sdp === undefined ? '' : ' media'}`),
        onAccepted: ({ dialog }) => {
          seen.push('accepted');
          accept(dialog);
        },
        onRefused: (refusal) => {
          seen.push(`refused ${String(refusal.status)}`);
          refuse(refusal);
        },
        onBye: () => seen.push('bye'),
        onLost: (lost) => seen.push(`lost ${lost?.local?.code ?? String(lost?.status)}`),
        onAnswer: (sdp) => seen.push(`answer ${sdp}`),
      },
    );
    return { call, seen, accepted, refused };
  }
}

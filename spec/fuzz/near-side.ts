/** A whole stack on flows in memory and the manual clock, and a host above it that does now this, now that with its calls. */
import type { Clock } from '../../src/base/clock.js';
import { openSipStack } from '../../src/sip/stack.js';
import type { Flow, FlowEvents, Flows } from '../../src/sip/transports/flow.js';
import { StreamFramer } from '../../src/sip/transports/framing.js';
import type { CallDialog, DialogEvents, IncomingCall, OutgoingCall, ReceivedReferral, RemoteOffer, SipAccount, SipStack, SipTransport } from '../../src/sip/types.js';
import type { Random } from './random.js';
import { quietDialog } from '../support/quiet-dialog.js';

const answer = 'v=0\r\no=- 2 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n';
const mostCalls = 60;

export interface NearSideEvents {
  onSent(text: string): void;
  /** Something threw while a message was handled, and was caught: which must not be. */
  onContained(why: string): void;
}

class MemoryFlow implements Flow {
  readonly remote = { address: '192.0.2.9', port: 5060 };
  readonly local = { address: '192.0.2.1', port: 5060 };
  readonly isReliable: boolean;
  isOpen = true;

  constructor(
    readonly transport: SipTransport,
    private readonly onSent: (text: string) => void,
  ) {
    this.isReliable = transport !== 'udp';
  }

  send(text: string): void {
    if (this.isOpen) this.onSent(text);
  }

  close(): void {
    this.isOpen = false;
  }
}

/** One call of either side: what is left to be done with it. */
interface Call {
  incoming?: IncomingCall;
  outgoing?: OutgoingCall;
  dialog?: CallDialog;
}

export class NearSide {
  readonly accounts: readonly SipAccount[];
  /** What a host reads of a call: all of it must be readable. */
  told: readonly unknown[] = [];
  readonly #calls: Call[] = [];
  /** Those of the far side that are not answered yet; the oldest is refused when there are too many. */
  readonly #offers: RemoteOffer[] = [];
  /** The same of transfers, those that go on too. */
  readonly #referrals: ReceivedReferral[] = [];
  readonly #dialogEvents: DialogEvents = {
    ...quietDialog,
    onReferral: (referral) => {
      this.told = [referral.target, referral.replaces, referral.referredBy];
      this.#referrals.push(referral);
      if (this.#referrals.length > mostCalls) this.#referrals.shift()?.reject(603);
    },
    onOffer: (offer) => {
      this.#offers.push(offer);
      if (this.#offers.length > mostCalls) this.#offers.shift()?.reject(488);
    },
  };
  readonly #udp: MemoryFlow;
  readonly #tls: MemoryFlow;
  #tcp: MemoryFlow;
  #framer = new StreamFramer(() => undefined);
  #flowEvents: FlowEvents | undefined;
  #stack: SipStack | undefined;

  private constructor(
    private readonly random: Random,
    private readonly events: NearSideEvents,
  ) {
    this.#udp = this.#flow('udp');
    this.#tcp = this.#flow('tcp');
    this.#tls = this.#flow('tls');
    this.accounts = [];
  }

  static async open(clock: Clock, random: Random, events: NearSideEvents): Promise<NearSide> {
    const near = new NearSide(random, events);
    near.#stack = await openSipStack(
      { flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } }, trusted: ['192.0.2.9'], ignoresContact: random.isLucky(0.3), sessionExpiresS: random.pick([0, 90, 1800]), userAgent: 'fuzz' },
      {
        clock,
        events: {
          onInvite: (call) => {
            near.#invited(call);
          },
          onFlowLost: () => undefined,
        },
        log: {
          debug: () => undefined,
          warn: (message) => {
            const why = / could not be handled: (.*)$/s.exec(message)?.[1];
            if (why !== undefined) events.onContained(why);
          },
        },
        openFlows: (_settings, flowEvents) => {
          near.#flowEvents = flowEvents;
          return Promise.resolve(near.#flows());
        },
      },
    );
    for (let index = 0; index < 6; index += 1) {
      const transport = random.pick(['udp', 'udp', 'udp', 'tcp', 'tls'] as const);
      (near.accounts as SipAccount[]).push(
        near.#stack.addAccount({ token: `tok${index}`, user: `43${index}`, domain: 'example.com', password: 'secret', displayName: 'Ann "A"', target: { transport, host: '192.0.2.9', port: 5060 } }),
      );
    }
    return near;
  }

  get stack(): SipStack {
    if (this.#stack === undefined) throw new Error('The stack is not open.');
    return this.#stack;
  }

  receiveDatagram(bytes: Buffer): void {
    this.#flowEvents?.onMessage(this.#udp, bytes);
  }

  /** A stream whose framing is lost is closed, as the real one is. */
  receiveChunk(chunk: Buffer): void {
    const fault = this.#framer.push(chunk, (message) => {
      this.#flowEvents?.onMessage(this.#tcp, message);
    });
    if (fault !== undefined) this.#loseStream(fault);
  }

  /** The host does something. */
  act(): void {
    const { random } = this;
    const call = this.#calls[random.below(this.#calls.length)];
    switch (random.below(20)) {
      case 0:
        void random.pick(this.accounts).register(random.pick([0, 60, 1800]));
        return;
      case 1:
      case 2:
        this.#place(random.pick(this.accounts));
        return;
      case 3:
        call?.outgoing?.cancel(random.isLucky(0.5) ? { protocol: 'SIP', cause: 200, text: 'x"\r\ny' } : undefined);
        return;
      case 4:
      case 5:
        call?.dialog?.bye();
        return;
      case 6:
        call?.incoming?.ring();
        return;
      case 7:
      case 8:
        if (call?.incoming !== undefined) call.dialog ??= call.incoming.accept(answer);
        return;
      case 9:
        call?.incoming?.reject(random.pick([404, 480, 486, 603]));
        return;
      case 10:
        if (random.isLucky(0.02)) this.#loseStream('lost');
        return;
      case 11:
        call?.dialog?.offer(answer, { onAnswered: () => undefined, onRefused: () => undefined });
        return;
      case 12:
        call?.dialog?.sendTone('5', 160, () => undefined);
        return;
      case 13:
        call?.dialog?.refer(random.pick(this.#calls).dialog?.replacement ?? 'sip:700@example.com', { onTaken: () => undefined, onResult: () => undefined });
        return;
      case 14:
        if (random.isLucky(0.7)) this.#offers.pop()?.accept(answer);
        else this.#offers.pop()?.reject(488);
        return;
      case 15:
      case 16:
        this.#carryOn(this.#referrals[random.below(this.#referrals.length)]);
        return;
      case 17:
        call?.dialog?.askForOffer({ onOffer: this.#dialogEvents.onOffer, onRefused: () => undefined });
        return;
      default:
    }
  }

  #carryOn(referral: ReceivedReferral | undefined): void {
    const { random } = this;
    if (random.isLucky(0.5)) referral?.accept();
    else if (random.isLucky(0.2)) referral?.reject(random.pick([403, 603]));
    else referral?.notify(random.pick([180, 183, 200, 486]), 'x"\r\ny');
  }

  /** Ends all calls. */
  hangUp(): void {
    for (const call of this.#calls.splice(0)) this.#end(call);
    this.#offers.length = 0;
    this.#referrals.length = 0;
  }

  close(): Promise<void> {
    return this.stack.close();
  }

  #invited(incoming: IncomingCall): void {
    const call: Call = { incoming };
    this.#keep(call);
    incoming.events = { ...this.#dialogEvents, onCancelled: () => undefined, onConfirmed: () => undefined, onLost: () => undefined };
    this.told = [incoming.from, incoming.to, incoming.contact, incoming.requestUri, incoming.callId, incoming.sdp, incoming.replaces];
    if (this.random.isLucky(0.5)) incoming.ring();
    if (this.random.isLucky(0.4)) call.dialog = incoming.accept(answer);
  }

  #place(account: SipAccount): void {
    const call: Call = {};
    call.outgoing = account.invite(
      { to: this.random.pick(['sip:600@example.com', 'sips:600@192.0.2.9', 'tel:+1201', 'sip:100%25@example.com', 'nothing']), sdp: answer },
      {
        ...this.#dialogEvents,
        onProgress: () => undefined,
        onAccepted: ({ dialog }) => {
          call.dialog = dialog;
        },
        onRefused: () => undefined,
      },
    );
    this.#keep(call);
  }

  #keep(call: Call): void {
    this.#calls.push(call);
    if (this.#calls.length > mostCalls) this.#end(this.#calls.shift() ?? {});
  }

  #end(call: Call): void {
    call.incoming?.reject(480);
    call.outgoing?.cancel();
    call.dialog?.bye();
  }

  #loseStream(why: string): void {
    const lost = this.#tcp;
    lost.close();
    this.#framer = new StreamFramer(() => undefined);
    this.#tcp = this.#flow('tcp');
    this.#flowEvents?.onClosed(lost, why);
  }

  #flow(transport: SipTransport): MemoryFlow {
    return new MemoryFlow(transport, (text) => {
      this.events.onSent(text);
    });
  }

  #flows(): Flows {
    const over = (transport: SipTransport): Flow => (transport === 'udp' ? this.#udp : transport === 'tls' ? this.#tls : this.#tcp);
    return {
      listening: [],
      localPorts: { udp: 5060, tcp: 5060 },
      existing: ({ transport }) => over(transport),
      to: ({ transport }) => Promise.resolve(over(transport)),
      close: () => Promise.resolve(),
    };
  }
}

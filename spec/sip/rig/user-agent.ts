/**
 * One side of the rig: a whole stack with one account, and all that its owner was told of each call. A call's story ends once: what is
 * told after the end, or told twice, is a problem.
 */
import type { Clock } from '../../../src/base/clock.js';
import { openSipStack } from '../../../src/sip/stack.js';
import type { CallDialog, DialogEvents, IncomingCall, OutgoingCall, RegisterOutcome, SipAccount, SipStack } from '../../../src/sip/types.js';
import type { LossyNetwork } from '../../support/lossy-network.js';
import { MemoryFlows } from '../../support/memory-flows.js';
import { domain, password, proxyAt, type ProxySettings } from './registrar-proxy.js';
import { quietDialog } from '../../support/quiet-dialog.js';

/** What is asked of a far end that is to call somebody else. */
export const refers = 'refers';

export class RigCall {
  state: 'waiting' | 'talking' | 'ended' = 'waiting';
  endedAtMs = Infinity;
  /** What happened, in words. */
  readonly story: string[] = [];
  dialog: CallDialog | undefined;
  outgoing: OutgoingCall | undefined;
  incoming: IncomingCall | undefined;
  /** The offer that was agreed on last; '' for the first one. */
  agreed = '';
  /** What was asked of the far end in the call, and how often it was told what came of it. */
  readonly asked: { readonly what: string; outcomes: number }[] = [];
  /** Tones that the far end is said to have taken, and those that came from it. */
  readonly tones = { taken: 0, sent: 0, heard: 0 };

  constructor(
    /** Stands in the offer, so both sides know the call by it. */
    readonly name: string,
    private readonly clock: Clock,
    private readonly problems: string[],
  ) {}

  talk(how: string, dialog: CallDialog | undefined): void {
    this.note(how, this.state !== 'waiting');
    this.state = 'talking';
    this.dialog = dialog;
  }

  /** Asks something of the far end. @returns what tells that an outcome came: nothing may come twice, nor after the end */
  ask(what: string): (how: string) => void {
    const question = { what, outcomes: 0 };
    this.asked.push(question);
    this.story.push(what);
    return (how) => {
      question.outcomes += 1;
      this.note(`${what}: ${how}`, question.outcomes > 1 || this.state !== 'talking');
    };
  }

  end(how: string): void {
    this.note(how, this.state === 'ended');
    this.state = 'ended';
    this.endedAtMs = this.clock.now();
  }

  note(how: string, isWrong: boolean): void {
    this.story.push(how);
    if (isWrong) this.problems.push(`call ${this.name}: ${this.story.join(', ')}`);
  }
}

export class RigUserAgent {
  readonly calls: RigCall[] = [];
  readonly problems: string[];
  registration: RegisterOutcome | undefined;
  /** What was asked last, seconds. */
  askedS = 0;
  isRegistering = false;

  private constructor(
    readonly user: string,
    readonly address: string,
    readonly stack: SipStack,
    readonly account: SipAccount,
    private readonly clock: Clock,
    problems: string[],
  ) {
    this.problems = problems;
  }

  static async open(user: string, address: string, network: LossyNetwork, { transport }: ProxySettings): Promise<RigUserAgent> {
    const opened: { agent?: RigUserAgent } = {};
    const problems: string[] = [];
    const stack = await openSipStack(
      {
        flows: { listen: { host: address, udpPort: 5060, tcpPort: 5060 }, tls: { verify: true } },
        trusted: [],
        ignoresContact: false,
        userAgent: 'rig',
      },
      {
        clock: network.clock,
        events: { onInvite: (call) => opened.agent?.receive(call), onFlowLost: () => undefined },
        // What is dropped is told once a minute; what went wrong at once.
        log: {
          debug: () => undefined,
          warn: (message) => {
            if (!message.startsWith('Dropped in the last minute')) problems.push(`${user}: ${message}`);
          },
        },
        openFlows: (_settings, events) => Promise.resolve(new MemoryFlows(network, address, events)),
      },
    );
    const target = { transport, host: proxyAt.address, port: proxyAt.port };
    const account = stack.addAccount({ token: `token${user}`, user, domain, password, target });
    opened.agent = new RigUserAgent(user, address, stack, account, network.clock, problems);
    return opened.agent;
  }

  /** RFC 3261 10.2: none before the last one has its answer. */
  register(expiresS: number): void {
    if (this.isRegistering) return;
    this.isRegistering = true;
    this.askedS = expiresS;
    void this.account.register(expiresS).then((outcome) => {
      this.isRegistering = false;
      this.registration = outcome;
    });
  }

  invite(to: string, name: string): void {
    const call = new RigCall(name, this.clock, this.problems);
    this.calls.push(call);
    call.outgoing = this.account.invite(
      { to: `sip:${to}@${domain}`, sdp: `v=0 ${name}\r\n` },
      {
        ...this.#talk(call),
        onProgress: ({ status }) => { call.note(String(status), call.state !== 'waiting'); },
        onAccepted: ({ dialog }) => { call.talk('accepted', dialog); },
        onRefused: ({ status }) => { call.end(`refused ${status}`); },
      },
    );
  }

  receive(incoming: IncomingCall): void {
    const call = new RigCall(nameIn(incoming.sdp ?? ''), this.clock, this.problems);
    if (this.calls.some(({ name }) => name === call.name)) this.problems.push(`call ${call.name} came twice`);
    this.calls.push(call);
    call.incoming = incoming;
    incoming.events = {
      ...this.#talk(call),
      onCancelled: () => { call.end('cancelled'); },
      onConfirmed: () => { call.note('confirmed', call.state !== 'talking' || call.story.includes('confirmed')); },
    };
  }

  /** What may come once a call is answered: every offer is taken, and every transfer comes about. */
  #talk(call: RigCall): DialogEvents {
    return {
      ...quietDialog,
      onLost: () => { call.end('lost'); },
      onBye: () => { call.end('their bye'); },
      onTone: () => {
        call.tones.heard += 1;
        call.note('tone', call.state !== 'talking');
      },
      onOffer: (offer) => {
        const name = nameIn(offer.sdp);
        call.note(`takes ${name}`, call.state !== 'talking');
        offer.accept(`v=0 ${name}\r\n`);
        call.agreed = name;
      },
      onAnswer: (sdp) => { call.agreed = nameIn(sdp); },
      onReferral: (referral) => {
        call.note('is referred', call.state !== 'talking');
        referral.accept();
        referral.notify(180, 'Ringing');
        referral.notify(200, 'OK');
      },
    };
  }

  offer(call: RigCall): void {
    if (call.state !== 'talking') return;
    const name = `${this.user}${call.asked.length}`;
    const outcome = call.ask(`offers ${name}`);
    call.dialog?.offer(`v=0 ${name}\r\n`, {
      onAnswered: (sdp) => {
        call.agreed = nameIn(sdp);
        outcome(`agreed on ${call.agreed}`);
      },
      onRefused: ({ status }) => { outcome(String(status)); },
    });
  }

  /** What the far end offers when it is asked is taken, or the call is over. */
  seek(call: RigCall, isTaken: boolean): void {
    if (call.state !== 'talking') return;
    const outcome = call.ask('asks for an offer');
    call.dialog?.askForOffer({
      onOffer: (offer) => {
        const name = nameIn(offer.sdp);
        if (isTaken) {
          offer.accept(`v=0 ${name}\r\n`);
          call.agreed = name;
          outcome(`agreed on ${name}`);
        } else {
          outcome('takes nothing');
          call.end('our refusal');
          offer.reject(488);
        }
      },
      onRefused: ({ status }) => { outcome(String(status)); },
    });
  }

  press(call: RigCall): void {
    if (call.state !== 'talking') return;
    call.tones.sent += 1;
    const outcome = call.ask('presses a key');
    call.dialog?.sendTone('5', 100, (status) => {
      if (status < 300) call.tones.taken += 1;
      outcome(String(status));
    });
  }

  refer(call: RigCall): void {
    // One at a time.
    if (call.state !== 'talking' || call.asked.some(({ what, outcomes }) => what === refers && outcomes === 0)) return;
    const outcome = call.ask(refers);
    call.dialog?.refer(`sip:elsewhere@${domain}`, { onTaken: () => undefined, onResult: (status) => { outcome(String(status)); } });
  }

  answer(call: RigCall): void {
    if (call.incoming === undefined || call.state !== 'waiting') return;
    const dialog = call.incoming.accept(`v=0 answer ${call.name}\r\n`);
    if (dialog === undefined) this.problems.push(`call ${call.name} cannot be answered: ${call.story.join(', ')}`);
    call.talk('answered', dialog);
  }

  /** What its user does with a call that is enough of it. */
  hangUp(call: RigCall): void {
    if (call.state === 'ended') return;
    if (call.state === 'talking') {
      call.end('our bye');
      call.dialog?.bye();
    } else if (call.outgoing !== undefined) {
      call.outgoing.cancel();
      call.note('our cancel', false);
    } else {
      call.end('rejected');
      call.incoming?.reject(486);
    }
  }

  hangUpAll(): void {
    for (const call of this.calls) this.hangUp(call);
  }

  /** What has no end or no outcome. */
  unended(): string[] {
    const calls = this.calls.filter(({ state }) => state !== 'ended');
    const faults = calls.map(({ name, story }) => `${this.user}: call ${name} never ended: ${story.join(', ')}`);
    return this.isRegistering ? [...faults, `${this.user}: a REGISTER has no outcome`] : faults;
  }
}

/** `v=0 b3` is the description called b3. */
function nameIn(sdp: string): string {
  return sdp.slice(4).trim();
}

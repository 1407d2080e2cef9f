/** A stack on flows in memory and the manual clock: what it sent, what it dropped, and a peer at any address. */
import { isIP } from 'node:net';
import type { Flow, FlowEvents, Flows } from '../../../src/sip/transports/flow.js';
import { openSipStack, type SipStackDependencies, type SipStackSettings } from '../../../src/sip/stack.js';
import type { IncomingCall, SipAccount, SipStack, SipTarget } from '../../../src/sip/types.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

export const registrarAddress = '192.0.2.1';

export class MemoryFlow implements Flow {
  readonly local = { address: '192.0.2.99', port: 5060 };
  readonly sent: string[] = [];
  isOpen = true;
  isWelcome = false;
  answersPings = false;

  constructor(
    readonly transport: SipTarget['transport'],
    readonly remote: { address: string; port: number },
    private readonly events: () => FlowEvents,
    private readonly answer: (flow: MemoryFlow, text: string) => void,
  ) {}

  get isReliable(): boolean {
    return this.transport !== 'udp';
  }

  send(text: string): void {
    this.sent.push(text);
    queueMicrotask(() => {
      this.answer(this, text);
    });
  }

  /** Something comes in on it. */
  bring(text: string): void {
    this.events().onMessage(this, Buffer.from(text));
  }

  welcome(): void {
    this.isWelcome = true;
  }

  close(): void {
    this.abandon('It was closed.');
  }

  abandon(why: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events().onClosed(this, why);
  }
}

export interface GuardedStack {
  readonly stack: SipStack;
  readonly clock: ManualClock;
  readonly dropped: string[];
  readonly lines: string[];
  readonly calls: IncomingCall[];
  readonly lost: { accounts: readonly SipAccount[]; why: string }[];
  /** The targets that no flow was there for. */
  readonly opened: SipTarget[];
  /** The flow to an address; there is one for each. */
  at(address: string, transport?: SipTarget['transport']): MemoryFlow;
  /** What a flow does with each text that is sent on it; by default REGISTERs are answered 200. */
  answer: (flow: MemoryFlow, text: string) => void;
  addAccount(user: string, address?: string, transport?: SipTarget['transport']): SipAccount;
}

export async function openGuardedStack(changes: Partial<SipStackSettings> = {}, dependencies: Partial<SipStackDependencies> = {}): Promise<GuardedStack> {
  const clock = new ManualClock();
  const flowsByKey = new Map<string, MemoryFlow>();
  let events: FlowEvents | undefined;
  const at = (address: string, transport: SipTarget['transport'] = 'udp'): MemoryFlow => {
    const key = `${transport} ${address}`;
    let flow = flowsByKey.get(key);
    if (flow?.isOpen !== true) {
      flow = new MemoryFlow(transport, { address, port: 5060 }, () => events!, (over, text) => {
        bench.answer(over, text);
      });
      flowsByKey.set(key, flow);
    }
    return flow;
  };
  const flows: Flows = {
    listening: ['udp:192.0.2.99:5060'],
    localPorts: { udp: 5060, tcp: 5060 },
    // A name has to be looked up first.
    existing: ({ host, transport }) => (isIP(host) === 0 ? undefined : at(host, transport)),
    to: (target) => {
      bench.opened.push(target);
      return Promise.resolve(at(target.host, target.transport));
    },
    close: () => Promise.resolve(),
  };
  const bench = {
    clock,
    at,
    dropped: [] as string[],
    lines: [] as string[],
    calls: [] as IncomingCall[],
    lost: [] as { accounts: readonly SipAccount[]; why: string }[],
    opened: [] as SipTarget[],
    answer: (flow: MemoryFlow, text: string): void => {
      if (text.startsWith('REGISTER ')) flow.bring(reply(text, 200, ['Expires: 3600']));
    },
  };
  const stack = await openSipStack(
    {
      flows: { listen: { host: '192.0.2.99', udpPort: 5060, tcpPort: 5060 }, tls: { verify: true } },
      trusted: [],
      ignoresContact: false,
      userAgent: 'spec',
      ...changes,
    },
    {
      clock,
      events: { onInvite: (call) => bench.calls.push(call), onFlowLost: (accounts, why) => bench.lost.push({ accounts, why }) },
      log: { debug: (line) => bench.lines.push(line), warn: (line) => bench.lines.push(line) },
      metrics: { dropped: (kind) => bench.dropped.push(kind) },
      openFlows: (_settings, told) => {
        events = told;
        return Promise.resolve(flows);
      },
      ...dependencies,
    },
  );
  const addAccount = (user: string, address = registrarAddress, transport: SipTarget['transport'] = 'udp'): SipAccount =>
    stack.addAccount({ token: `tok${user}`, user, domain: 'example.com', password: 'secret', target: { transport, host: address, port: 5060 } });
  return Object.assign(bench, { stack, addAccount });
}

/** Registers an account: its registrar is known from then on. */
export async function registered(account: SipAccount): Promise<SipAccount> {
  const outcome = account.register(3600);
  await settle();
  if ((await outcome).kind !== 'registered') throw new Error('The account could not be registered.');
  return account;
}

export function reply(request: string, status: number, headers: string[] = []): string {
  const copied = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
  const tagged = copied.map((line) => (/^To:/i.test(line) && !line.includes('tag=') ? `${line};tag=far` : line));
  return [`SIP/2.0 ${String(status)} Spec`, ...tagged, ...headers, 'Content-Length: 0', '', ''].join('\r\n');
}

let sequence = 0;

/** A request of its own each time. */
export function request(method: string, user: string, headers: string[] = []): string {
  sequence += 1;
  return [
    `${method} sip:tok${user}@192.0.2.99 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bK${String(sequence)};rport`,
    `From: <sip:600@example.com>;tag=f${String(sequence)}`,
    `To: <sip:${user}@example.com>`,
    `Call-ID: call-${String(sequence)}`,
    `CSeq: 1 ${method}`,
    'Max-Forwards: 70',
    'Contact: <sip:600@192.0.2.200>',
    ...headers,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

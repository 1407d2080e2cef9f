/**
 * Whatever the host and the far ends of several calls do, in whatever order, and however badly the host takes what it is told: each call
 * ends once, and nothing of it is left on either side. Far ends keep to what the stack lets through (`far-ends`); the host keeps to nothing.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallCommand, CallUpdate, HangupReason, HostUser } from '../../src/host/contract.js';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { answerSdp, offerSdp, settings, world, type World } from './call-fixture.js';
import { CalledFarEnd, CallingFarEnd, unfitSdp, type Act } from './far-ends.js';

/** What the host does with an update. */
const manners = [
  'takes it', 'takes it', 'takes it', 'takes it', 'takes it', 'answers', 'answers', 'answers', 'answers', 'throws', 'rejects', 'is slow', 'rings',
  'offers', 'hangs up',
] as const;
/** What the host says when it is asked for a user. */
const words = ['enabled', 'enabled', 'disabled', 'late', 'never', 'fails'] as const;
const reasons: readonly (HangupReason | undefined)[] = [undefined, 'normal', 'busy', 'rejected', 'no_answer', 'picked_up', 'error'];

interface Step {
  readonly does: 'create' | 'INVITE' | 'command' | 'far end' | 'wait' | 'drain';
  /** Which of the calls. */
  readonly call: number;
  /** Which of what may be done to it. */
  readonly pick: number;
  readonly ms: number;
}

interface Program {
  readonly steps: readonly Step[];
  readonly manners: readonly (typeof manners)[number][];
  /** None: the host knows no users. */
  readonly words: readonly (typeof words)[number][];
  readonly slowMs: number;
  /** What is left ends by itself where it can; or all is ended at once, and nothing may wait any more. */
  readonly ending: 'by itself' | 'at once';
}

/** No call is less far than the host was told it was. */
const order = ['incoming', 'trying', 'ringing', 'progress', 'talking', 'ended'];
const rankOf = (update: CallUpdate): number => order.indexOf(update.type === 'state' ? update.state : update.type);

/** The calls of one program, and all that was wrong with them. */
class Stage {
  readonly world: World;
  readonly faults: string[] = [];
  readonly log: string[] = [];
  readonly farEnds: (CalledFarEnd | CallingFarEnd)[] = [];
  /** How the far ends stood when they were over. */
  readonly #sentUntilOver = new Map<CalledFarEnd | CallingFarEnd, string>();
  /** Those of our INVITEs that have a far end. */
  readonly #met = new Set<unknown>();
  /** The ids that the host knows of, in order. */
  readonly #callIds: string[] = [];
  /** By id: what was told of the call of that id that lives, or lived last. */
  readonly #told = new Map<string, CallUpdate[]>();
  #isCalm = false;
  /** Timers of the host's own. */
  #hostWaits = 0;
  #turn = 0;
  #asked = 0;
  #creates = 0;

  constructor(private readonly program: Program) {
    this.world = world({
      settings: { webrtc: { ...settings.webrtc, enforce: true } },
      onUpdate: (update) => this.#take(update),
      ...(program.words.length === 0 ? {} : { find: (id) => this.#find(id) }),
    });
  }

  async run(): Promise<void> {
    for (const step of this.program.steps) {
      await this.#step(step);
      this.#meetFarEnds();
    }
    await this.#rest();
  }

  async #step({ does, call, pick, ms }: Step): Promise<void> {
    const { router, clock, accounts } = this.world;
    switch (does) {
      case 'create': {
        const old = this.#callIds.find((callId) => this.#hasEnded(callId));
        const callId = old !== undefined && pick % 4 === 0 ? old : `out-${++this.#creates}`;
        this.#create(callId, pick, call);
        return;
      }
      case 'INVITE': {
        const account = accounts.get((call % 2) + 1);
        if (account === undefined) return;
        const replaced = pick % 3 === 0 ? this.farEnds.filter(({ isOver }) => !isOver)[ms % 5] : undefined;
        const incoming = new FakeIncomingCall(account, { sdp: pick % 13 === 0 ? unfitSdp : offerSdp, ...(replaced && { replaces: replaced.dialog }) });
        this.log.push(replaced === undefined ? 'INVITE' : 'INVITE with Replaces');
        this.farEnds.push(new CallingFarEnd(incoming));
        router.onIncoming(incoming);
        return;
      }
      case 'command': {
        const callId = this.#callIds[call % Math.max(1, this.#callIds.length)];
        if (callId === undefined) return;
        const commands = this.#commands(callId, reasons[ms % reasons.length]);
        this.#command(commands[pick % commands.length] ?? { type: 'hangup', callId });
        return;
      }
      case 'far end': {
        const acts = this.farEnds.filter(({ isOver }) => !isOver).map((farEnd) => farEnd.acts());
        this.#play(acts[call % Math.max(1, acts.length)] ?? [], pick);
        return;
      }
      case 'wait':
        this.log.push(`${ms} ms`);
        await clock.advance(ms);
        return;
      case 'drain':
        // Not often: nothing new begins after it.
        if (pick % 4 > 0) return;
        this.log.push('drain');
        void router.drain(ms);
        await clock.advance(0);
    }
  }

  #play(acts: readonly Act[], pick: number): void {
    const act = acts[pick % Math.max(1, acts.length)];
    if (act === undefined) return;
    this.log.push(`far end: ${act[0]}`);
    act[1]();
  }

  #create(callId: string, pick: number, call: number): void {
    if (!this.#callIds.includes(callId)) this.#callIds.push(callId);
    this.#told.set(callId, []);
    const to = pick % 11 === 0 ? { address: '::: no' } : pick % 2 === 0 ? { peer: { type: 1, id: 102 } as const } : { address: '600' };
    this.#command({
      type: 'create',
      callId,
      from: { type: 1, id: 101 + (call % 2) },
      to,
      description: { type: 'offer', sdp: pick % 13 === 0 ? unfitSdp : offerSdp },
      candidatesComplete: pick % 5 !== 0,
    });
  }

  /** All that the host may say of a call, sensible or not. */
  #commands(callId: string, reason: HangupReason | undefined): CallCommand[] {
    const other = this.#callIds.find((id) => id !== callId) ?? callId;
    const candidates = [{ candidate: 'candidate:1 1 udp 1 192.0.2.7 4000 typ host', sdpMid: '0' }];
    return [
      reason === undefined ? { type: 'hangup', callId } : { type: 'hangup', callId, reason },
      ...[answerSdp, answerSdp, answerSdp, unfitSdp].flatMap((sdp): CallCommand[] => [
        { type: 'answer', callId, description: { type: 'answer', sdp } },
        { type: 'offer', callId, description: { type: 'offer', sdp } },
      ]),
      { type: 'answer', callId, description: { type: 'answer', sdp: answerSdp }, candidatesComplete: false },
      { type: 'answer', callId, description: { type: 'answer', sdp: answerSdp }, candidatesComplete: false },
      { type: 'offer', callId, description: { type: 'offer', sdp: answerSdp }, candidatesComplete: false },
      { type: 'candidates', callId, candidates },
      { type: 'candidates', callId, candidates, endOfCandidates: true },
      { type: 'ringing', callId },
      { type: 'ringing', callId },
      { type: 'dtmf', callId, tones: '1,2' },
      { type: 'transfer', callId, to: { address: '601' } },
      { type: 'transfer', callId, to: { callId: other } },
    ];
  }

  #command(command: CallCommand): void {
    const { router } = this.world;
    const { type, callId } = command;
    const hadEnded = type !== 'create' && this.#hasEnded(callId);
    this.log.push(`host: ${type} ${callId}`);
    router.onCall(command).then(
      () => {
        if (hadEnded) this.faults.push(`${type} was taken for ${callId}, which had ended`);
      },
      (thrown: unknown) => {
        const code = thrown instanceof Error && 'code' in thrown ? thrown.code : thrown;
        const isFit = hadEnded ? code === 'CALL_NOT_FOUND' : code === 'CALL_STATE' || (code === 'CALL_NOT_FOUND' && type !== 'create');
        if (!isFit) this.faults.push(`${type} for ${callId} was refused with ${String(code)}`);
      },
    );
  }

  #hasEnded(callId: string): boolean {
    return this.#told.get(callId)?.at(-1)?.type === 'ended';
  }

  #take(update: CallUpdate): void | Promise<void> {
    const { callId } = update;
    this.log.push(`told: ${callId} ${update.type === 'state' ? update.state : update.type}`);
    if (update.type === 'incoming') {
      this.#callIds.push(callId);
      this.#told.set(callId, []);
    }
    const told = this.#told.get(callId);
    if (told === undefined) {
      this.faults.push(`${update.type} of ${callId}, a call that nobody knows`);
      return;
    }
    this.#judge(callId, told, update);
    told.push(update);
    if (this.#isCalm) return;
    switch (this.program.manners[this.#turn++ % this.program.manners.length]) {
      case 'throws':
        throw new Error('the host is broken');
      case 'rejects':
        return Promise.reject(new Error('the host is broken'));
      case 'is slow':
        return this.#hostWait(undefined);
      case 'hangs up':
        this.#command({ type: 'hangup', callId });
        return;
      case 'answers':
        this.#command({ type: 'answer', callId, description: { type: 'answer', sdp: answerSdp } });
        return;
      case 'rings':
        this.#command({ type: 'ringing', callId });
        return;
      case 'offers':
        this.#command({ type: 'offer', callId, description: { type: 'offer', sdp: offerSdp } });
        return;
      default:
    }
  }

  #judge(callId: string, told: readonly CallUpdate[], update: CallUpdate): void {
    const last = told.at(-1);
    const ranks = told.map(rankOf);
    const rank = rankOf(update);
    const wrong = (what: string): void => void this.faults.push(`${callId}: ${what}`);
    if (last?.type === 'ended') wrong(`${update.type} after the end`);
    // What goes on in a call is told only while it talks.
    if (rank < 0 && !told.some((earlier) => earlier.type === 'state' && earlier.state === 'talking')) wrong(`${update.type} before it talks`);
    if (rank >= 0 && rank < Math.max(...ranks)) wrong(`${order[rank] ?? ''} after ${order[Math.max(...ranks)] ?? ''}`);
    const isAnotherParty = order[rank] === 'talking' && update.type === 'state' && update.remote !== undefined;
    if (rank >= 0 && order[rank] !== 'progress' && !isAnotherParty && ranks.includes(rank)) wrong(`${order[rank] ?? ''} twice`);
    if (update.type === 'ended' && !/^["A-Z][^\n]*\.$/.test(update.message)) wrong(`"${update.message}" is no sentence`);
  }

  #find(id: number): Promise<HostUser | undefined> {
    switch (this.program.words[this.#asked++ % this.program.words.length]) {
      case 'disabled':
        return Promise.resolve({ id, disabled: true });
      case 'late':
        return this.#hostWait({ id });
      case 'never':
        return new Promise(() => undefined);
      case 'fails':
        return Promise.reject(new Error('the host is broken'));
      default:
        return Promise.resolve({ id });
    }
  }

  #hostWait<T>(value: T): Promise<T> {
    this.#hostWaits += 1;
    return new Promise((resolve) => {
      this.world.clock.after(this.program.slowMs, () => {
        this.#hostWaits -= 1;
        resolve(value);
      });
    });
  }

  /** Those that were called since. */
  #meetFarEnds(): void {
    for (const { invites } of this.world.accounts.values()) {
      for (const call of invites.filter((invite) => !this.#met.has(invite))) {
        this.#met.add(call);
        this.farEnds.push(new CalledFarEnd(call));
      }
    }
    for (const farEnd of this.farEnds) {
      if (farEnd.isOver && !this.#sentUntilOver.has(farEnd)) this.#sentUntilOver.set(farEnd, farEnd.sent);
    }
  }

  async #rest(): Promise<void> {
    const { clock } = this.world;
    this.#isCalm = true;
    if (this.program.ending === 'at once') await this.#endAtOnce();
    else await this.#endByItself();
    await clock.advance(0);
    this.#meetFarEnds();
    this.#judgeFarEnds();
    // Timers of calls first: what the host was told late it takes now.
    if (clock.pending > this.#hostWaits) this.faults.push(`${clock.pending - this.#hostWaits} timers are left`);
    await clock.advance(longestMs);
    this.#judgeWhatIsLeft();
    await this.#drainWithoutWaiting();
  }

  /** The extension stops; far ends that are cancelled say so. */
  async #endAtOnce(): Promise<void> {
    const { clock } = this.world;
    const drained = this.#drain();
    for (let isAnySaid = true; isAnySaid; ) {
      await clock.advance(0);
      this.#meetFarEnds();
      isAnySaid = false;
      for (const farEnd of this.farEnds) {
        if (!(farEnd instanceof CalledFarEnd) || !farEnd.isCancelled) continue;
        this.#play(farEnd.acts(), 0);
        isAnySaid = true;
      }
    }
    // It waits for a slow host as long as it may.
    if (this.#hostWaits > 0) await clock.advance(closingMs);
    if (!drained.isDone) this.faults.push('the router waits for nothing');
  }

  /** The far ends say nothing more, the host takes what it is told; then it hangs up what still talks. */
  async #endByItself(): Promise<void> {
    await this.world.clock.advance(longestMs);
    this.#meetFarEnds();
    for (const callId of this.#callIds) {
      const states = this.#told.get(callId)?.flatMap((update) => (update.type === 'state' ? [update.state] : [])) ?? [];
      if (this.#hasEnded(callId)) continue;
      if (states.includes('talking')) this.#command({ type: 'hangup', callId });
      else this.faults.push(`${callId} hangs: ${states.join(', ')}`);
    }
    if (this.farEnds.some((farEnd) => !farEnd.isOver && farEnd.openOffers > 0)) this.faults.push('an offer has no answer');
    if (this.farEnds.some((farEnd) => !farEnd.isOver && farEnd.isHandingOver)) this.faults.push('a REFER has no outcome');
  }

  #drain(): { isDone: boolean } {
    const drained = { isDone: false };
    void this.world.router.drain(0).then(() => { drained.isDone = true; });
    return drained;
  }

  async #drainWithoutWaiting(): Promise<void> {
    const drained = this.#drain();
    await this.world.clock.advance(0);
    if (!drained.isDone) this.faults.push('the router waits for a call that is over');
  }

  #judgeWhatIsLeft(): void {
    const { router, endings, updates } = this.world;
    for (const callId of this.#callIds) if (!this.#hasEnded(callId)) this.faults.push(`${callId} has not ended`);
    const ends = updates.filter(({ type }) => type === 'ended').length;
    if (endings.length !== ends) this.faults.push(`${endings.length} endings were counted, ${ends} were told`);
    if (router.live > 0) this.faults.push(`${router.live} calls are left`);
  }

  #judgeFarEnds(): void {
    for (const farEnd of this.farEnds) {
      if (farEnd.leftOver !== '') this.faults.push(farEnd.leftOver);
      if (farEnd.twiceAnswered > 0) this.faults.push('an offer has two answers');
      if (farEnd instanceof CallingFarEnd && farEnd.isTwiceAnswered) this.faults.push('an INVITE has two final responses');
      const before = this.#sentUntilOver.get(farEnd) ?? farEnd.sent;
      if (before !== farEnd.sent) this.faults.push(`sent after the end: ${before}, then ${farEnd.sent}`);
    }
  }
}

/** Every guard runs out one after another, a transfer is given up, re-INVITEs are sent five times in vain. */
const longestMs = 20 * 60_000;
/** As long as the router waits for a host that is slow to take the last updates. */
const closingMs = 1_000;

const program: fc.Arbitrary<Program> = fc.record({
  steps: fc.array(
    fc.record({
      does: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom<Step['does'][]>('create', 'INVITE') },
        { weight: 30, arbitrary: fc.constant<Step['does']>('far end') },
        { weight: 24, arbitrary: fc.constant<Step['does']>('command') },
        { weight: 8, arbitrary: fc.constant<Step['does']>('wait') },
        { weight: 1, arbitrary: fc.constant<Step['does']>('drain') },
      ),
      call: fc.nat(5),
      pick: fc.nat(59),
      ms: fc.oneof(fc.nat(100), fc.nat(100), fc.nat(5_000), fc.nat(90_000)),
    }),
    { minLength: 1, maxLength: 60, size: 'max' },
  ),
  manners: fc.array(fc.constantFrom(...manners), { minLength: 1, maxLength: 8 }),
  words: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }) }),
  slowMs: fc.integer({ min: 1, max: 5_000 }),
  ending: fc.constantFrom('by itself', 'at once'),
});

describe('whatever the host and the far ends do, in whatever order', () => {
  it('each call ends once and last, only goes forward, and leaves neither a timer nor a far end behind', async () => {
    const runs = Number(process.env.CALL_ORDERS ?? 500);
    const property = fc.asyncProperty(program, async (made) => {
      const stage = new Stage(made);
      await stage.run();
      expect(stage.faults, stage.log.join('\n')).toEqual([]);
    });
    await fc.assert(property, { numRuns: runs, ...(process.env.CALL_SEED === undefined ? {} : { seed: Number(process.env.CALL_SEED) }) });
  });
});

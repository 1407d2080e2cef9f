/**
 * The phone: the calls of this page, each with its view and its media, and what a person may do with them. Commands go to the host,
 * updates come from it; the host's word on a call is the last.
 */
import { signal, type Signal } from '@preact/signals';
import type { CallTarget, CallUpdate, HangupReason } from '../../host/contract.js';
import { addressOf, after, incoming, isAnotherParty, outgoing, type CallView } from './call-view.js';
import { HostSession, type Command, type ListedCall, type User } from './host-session.js';
import { PeerMedia, type Kind, type Wish } from './peer-media.js';

/** Whom to call, and what to write above the call. */
export interface Callee {
  readonly target: CallTarget;
  readonly title: string;
}

/** One call of this page. Only `Phone` changes it. */
export class Call {
  readonly view: Signal<CallView>;
  readonly media: PeerMedia;
  /** What the host's `incoming` offered; until it is answered. */
  offer: Extract<CallUpdate, { type: 'incoming' }>['description'] | undefined;
  /** What we had before the change that is under way. */
  before: Wish | undefined;
  /** Updates are worked off one after the other. */
  work: Promise<void> = Promise.resolve();

  constructor(view: CallView, media: PeerMedia) {
    this.view = signal(view);
    this.media = media;
  }

  get wish(): Wish {
    const { held, muted, video } = this.view.value;
    return { held, muted, video };
  }
}

/** A call that ended stays in sight this long, milliseconds. */
const lastWordsMs = 6_000;
const keptKinds = 'calls';

export class Phone {
  readonly calls = signal<readonly Call[]>([]);
  /** Newest first. */
  readonly log = signal<readonly ListedCall[]>([]);
  /** What could not be done, for a person; empty when all is well. */
  readonly trouble = signal('');
  readonly contacts = signal<readonly User[]>([]);
  readonly session: HostSession;

  private constructor(session: HostSession) {
    this.session = session;
  }

  /** @throws Refused */
  static async open(user: User, token: string | undefined, onSignedOut: () => void): Promise<Phone> {
    const heard: { phone?: Phone } = {};
    const session = await HostSession.open(user, token, {
      onUpdate: (update) => heard.phone?.hear(update),
      onOnline: () => void heard.phone?.refresh(),
      onSignedOut: () => {
        heard.phone?.close();
        onSignedOut();
      },
    });
    const phone = new Phone(session);
    heard.phone = phone;
    return phone;
  }

  close(): void {
    for (const call of this.calls.value) call.media.end();
    this.session.close();
  }

  /** Contacts, the log, and calls that a page of before this one left talking. */
  async refresh(): Promise<void> {
    await this.#try(async () => {
      const [contacts, listed] = await Promise.all([this.session.users(), this.session.calls()]);
      this.contacts.value = contacts.filter(({ id }) => id !== this.session.user.id);
      this.log.value = listed.filter(({ ended }) => ended !== undefined).reverse();
      for (const each of listed) if (each.mine && each.ended === undefined && this.#find(each.callId) === undefined) await this.#goOn(each);
    });
  }

  async dial({ target, title }: Callee, video: boolean): Promise<void> {
    this.trouble.value = '';
    const callId = crypto.randomUUID();
    const call = this.#add(outgoing(callId, title, '', video, Date.now()));
    await this.#attempt(call, async () => {
      const description = await call.media.offer(call.wish);
      await this.#send(call, { type: 'create', callId, to: target, description, video, candidatesComplete: false });
    });
  }

  async answer(call: Call, video: boolean): Promise<void> {
    const { offer } = call;
    if (offer === undefined) return;
    call.offer = undefined;
    call.view.value = { ...call.view.value, video };
    await this.#attempt(call, async () => {
      const description = await call.media.answer(offer, call.wish);
      await this.#send(call, { type: 'answer', callId: call.view.value.callId, description, candidatesComplete: false });
    });
  }

  async hangUp(call: Call, reason: HangupReason = 'normal'): Promise<void> {
    const { callId, stage } = call.view.value;
    if (stage === 'ended') return;
    // Without the host's word the call would stay in sight for ever.
    await this.session.command({ type: 'hangup', callId, reason }).catch((thrown: unknown) => {
      this.#over(call, sentenceOf(thrown));
    });
  }

  mute(call: Call, muted: boolean): void {
    call.view.value = { ...call.view.value, muted };
    call.media.mute(muted);
  }

  /** Holds, goes on, turns the camera on or off: an offer to the other end. */
  async change(call: Call, change: Partial<Pick<Wish, 'held' | 'video'>>): Promise<void> {
    if (call.view.value.stage !== 'talking' || call.before !== undefined) return;
    call.before = call.wish;
    call.view.value = { ...call.view.value, ...change };
    await this.#try(async () => {
      try {
        await this.#offer(call);
      } catch (thrown) {
        await this.#undo(call);
        throw thrown;
      }
    });
  }

  async press(call: Call, tones: string): Promise<void> {
    await this.#try(() => this.session.command({ type: 'dtmf', callId: call.view.value.callId, tones }));
  }

  async transfer(call: Call, to: CallTarget | { callId: string }): Promise<void> {
    await this.#try(() => this.session.command({ type: 'transfer', callId: call.view.value.callId, to }));
  }

  hear(update: CallUpdate): void {
    if (update.type === 'incoming') {
      this.#offered(update);
      return;
    }
    const call = this.#find(update.callId);
    if (call === undefined) return;
    const isAnother = isAnotherParty(call.view.value, update);
    call.view.value = after(call.view.value, update, this.#nameOf, Date.now());
    if (update.type === 'ended') this.#over(call, update.message);
    else call.work = call.work.then(() => (isAnother ? this.#meet(call) : this.#work(call, update))).catch((thrown: unknown) => this.#fail(call, thrown));
  }

  #offered(update: Extract<CallUpdate, { type: 'incoming' }>): void {
    const call = this.#add(incoming(update, this.#nameOf, Date.now()));
    call.offer = update.description;
    void this.#try(() => this.session.command({ type: 'ringing', callId: update.callId }));
  }

  async #work(call: Call, update: Exclude<CallUpdate, { type: 'incoming' | 'ended' }>): Promise<void> {
    switch (update.type) {
      case 'state':
        if (update.description !== undefined) await call.media.answered(update.description, update.state !== 'talking');
        if (update.state === 'talking') await call.media.settle();
        break;
      case 'answer':
        call.before = undefined;
        await call.media.answered(update.description, false);
        break;
      case 'offerRejected':
        await this.#undo(call);
        break;
      case 'offer': {
        const description = await call.media.answer(update.description, call.wish);
        await this.#send(call, { type: 'answer', callId: update.callId, description, candidatesComplete: false });
        // Ours was rolled back by theirs.
        if (call.before !== undefined) await this.#offer(call);
        break;
      }
      default:
        break;
    }
    this.#remember();
  }

  /** The page was loaded anew while it talked: the same call, a new connection for its media. */
  async #goOn({ callId, direction, state, remote = '', name, startedAt, talkingAt }: ListedCall): Promise<void> {
    const kinds = remembered()[callId];
    if (state !== 'talking' || kinds === undefined) {
      await this.session.command({ type: 'hangup', callId });
      return;
    }
    const address = addressOf(remote);
    const view: CallView = { ...outgoing(callId, name ?? address, address, false, startedAt), direction, stage: 'talking', talkingAt: talkingAt ?? startedAt };
    const call = this.#add(view);
    call.media.reserve(kinds);
    await this.#attempt(call, () => this.#offer(call));
  }

  /** The other end has handed the call over: whoever it is now has media of their own. */
  async #meet(call: Call): Promise<void> {
    call.before = call.wish;
    // They may offer just as we do: then theirs comes.
    await this.#offer(call, true).catch(() => this.#undo(call));
  }

  /** @param isNew to somebody that we have not talked with */
  async #offer(call: Call, isNew = false): Promise<void> {
    const description = await call.media.offer(call.wish, isNew);
    await this.#send(call, { type: 'offer', callId: call.view.value.callId, description, candidatesComplete: false });
  }

  async #undo(call: Call): Promise<void> {
    const { before } = call;
    call.before = undefined;
    if (before === undefined) return;
    const { muted } = call.view.value;
    call.view.value = { ...call.view.value, ...before, muted };
    await call.media.refused({ ...before, muted });
  }

  async #send(call: Call, command: Command): Promise<void> {
    const taken = this.session.command(command);
    // Over the same socket, so they arrive after the description.
    call.media.sent();
    await taken;
  }

  #add(view: CallView): Call {
    const { callId } = view;
    const media = new PeerMedia((candidates, endOfCandidates) => {
      // A call that has ended meanwhile wants none.
      this.session.command({ type: 'candidates', callId, candidates, endOfCandidates }).catch(() => undefined);
    });
    const call = new Call(view, media);
    this.calls.value = [...this.calls.value, call];
    return call;
  }

  #find(callId: string): Call | undefined {
    return this.calls.value.find(({ view }) => view.value.callId === callId && view.value.stage !== 'ended');
  }

  #over(call: Call, sentence: string): void {
    call.view.value = { ...call.view.value, stage: 'ended', endedAt: call.view.value.endedAt ?? Date.now(), sentence };
    call.media.end();
    this.#remember();
    window.setTimeout(() => {
      this.calls.value = this.calls.value.filter((each) => each !== call);
      void this.refresh();
    }, lastWordsMs);
  }

  /** A call that cannot go on is hung up, and says why. */
  async #fail(call: Call, thrown: unknown): Promise<void> {
    if (call.view.value.stage === 'ended') return;
    const { callId } = call.view.value;
    this.#over(call, sentenceOf(thrown));
    await this.session.command({ type: 'hangup', callId, reason: 'error' }).catch(() => undefined);
  }

  async #attempt(call: Call, act: () => Promise<void>): Promise<void> {
    await act().catch((thrown: unknown) => this.#fail(call, thrown));
  }

  async #try(act: () => Promise<void>): Promise<void> {
    await act().then(
      () => {
        this.trouble.value = '';
      },
      (thrown: unknown) => {
        this.trouble.value = sentenceOf(thrown);
      },
    );
  }

  readonly #nameOf = (userId: number): string | undefined => this.contacts.value.find(({ id }) => id === userId)?.name;

  #remember(): void {
    const talking = this.calls.value.filter(({ view }) => view.value.stage === 'talking');
    sessionStorage.setItem(keptKinds, JSON.stringify(Object.fromEntries(talking.map((call) => [call.view.value.callId, call.media.kinds]))));
  }
}

function remembered(): Record<string, Kind[]> {
  return JSON.parse(sessionStorage.getItem(keptKinds) ?? '{}') as Record<string, Kind[]>;
}

function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

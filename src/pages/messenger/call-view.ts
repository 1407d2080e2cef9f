/**
 * What a person sees of one call, and how each event changes it: pure, so that it can be read and tried without a browser.
 *
 *   stage     what it means                                     leaves by
 *   calling   we called; nothing rang yet                       ringing, early, talking, ended
 *   ringing   the other end rings                               early, talking, ended
 *   early     the other end is heard before it answered         talking, ended
 *   offered   somebody calls us                                 talking, ended
 *   talking   both hear each other, unless one holds            ended
 *   ended     over; `sentence` says why
 */
import type { CallUpdate, RemoteParty } from '../../host/contract.js';

/** A messenger user's name, where it is known. */
export type NameOf = (userId: number) => string | undefined;

export type Stage = 'calling' | 'ringing' | 'early' | 'offered' | 'talking' | 'ended';

export interface CallView {
  readonly callId: string;
  readonly direction: 'outgoing' | 'incoming';
  readonly stage: Stage;
  /** Whom to show: a name, else a number, else an address. */
  readonly title: string;
  /** The address below the title. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly talkingAt?: number;
  readonly endedAt?: number;
  /** We hold the call. */
  readonly held: boolean;
  readonly muted: boolean;
  /** Our camera is on. */
  readonly video: boolean;
  /** The caller offers video. */
  readonly offersVideo: boolean;
  /** What was heard of the last thing that somebody did: a refused hold, a transfer on its way, why it ended. */
  readonly sentence?: string;
  /** Keys that the other end pressed. */
  readonly tones: string;
}

const stages = { trying: 'calling', ringing: 'ringing', progress: 'early', talking: 'talking', finished: 'ended' } as const;
const order: readonly Stage[] = ['calling', 'offered', 'ringing', 'early', 'talking', 'ended'];

export function outgoing(callId: string, title: string, address: string, video: boolean, now: number): CallView {
  return { callId, direction: 'outgoing', stage: 'calling', title, address, startedAt: now, held: false, muted: false, video, offersVideo: false, tones: '' };
}

export function incoming(update: Extract<CallUpdate, { type: 'incoming' }>, nameOf: NameOf, now: number): CallView {
  const { title, address } = shown(update.from, nameOf);
  return {
    callId: update.callId,
    direction: 'incoming',
    stage: 'offered',
    title,
    address,
    startedAt: now,
    held: false,
    muted: false,
    video: false,
    offersVideo: update.video,
    tones: '',
  };
}

/** A stage never goes back: a late 180 does not make a talking call ring. */
export function after(view: CallView, update: CallUpdate, nameOf: NameOf, now: number): CallView {
  switch (update.type) {
    case 'state': {
      const named = update.remote === undefined ? view : { ...view, ...shown(update.remote, nameOf) };
      const stage = stages[update.state];
      if (order.indexOf(stage) <= order.indexOf(view.stage)) return named;
      return stage === 'talking' ? { ...named, stage, talkingAt: now } : { ...named, stage };
    }
    case 'ended':
      return { ...view, stage: 'ended', endedAt: now, held: false, sentence: update.message };
    case 'dtmf':
      return { ...view, tones: `${view.tones}${update.tones}`.slice(-32) };
    case 'transfer':
      return { ...view, sentence: transferSentences[update.state](update.status) };
    case 'offerRejected':
      return { ...view, sentence: `The other end refused the change (${update.status}); the call goes on as it was.` };
    default:
      return view;
  }
}

/** Whether the other end has handed the call over, or taken it back: `talking` once more, with a `remote`. */
export function isAnotherParty({ stage }: CallView, update: CallUpdate): boolean {
  return stage === 'talking' && update.type === 'state' && update.state === 'talking' && update.remote !== undefined;
}

const transferSentences = {
  trying: () => 'Being transferred…',
  accepted: () => 'Transferred.',
  failed: (status?: number) => `The transfer failed${status === undefined ? '' : ` (${status})`}; the call goes on.`,
};

function shown({ uri, user, displayName, peer }: RemoteParty, nameOf: NameOf): { title: string; address: string } {
  const address = addressOf(uri);
  const name = peer?.type === 1 ? nameOf(peer.id) : undefined;
  return { title: name ?? displayName ?? user ?? address, address };
}

interface Named {
  readonly id: number;
  readonly name?: string;
}

/** A user as a call with them is titled. */
export function titleOf({ id, name }: Named): string {
  return name ?? `User ${id}`;
}

/** To whom a call can be handed over: not to whom it is with. */
export function othersThan<User extends Named>({ title }: Pick<CallView, 'title'>, users: readonly User[]): User[] {
  return users.filter((user) => titleOf(user) !== title);
}

/** What a person reads of a SIP URI: `dialog2@127.0.0.1`. */
export function addressOf(uri: string): string {
  return uri.replace(/^sips?:/, '').replace(/;.*$/, '');
}

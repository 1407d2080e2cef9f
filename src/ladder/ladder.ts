/**
 * One call or one registration as a ladder: who said what to whom, in one time line, with the step that it failed at and why. Made of what
 * the recording still holds when somebody looks; all secrets are taken out here, so that no drawing has to think of them.
 */
import type { CallCommand, CallUpdate } from '../host/contract.js';
import { redactSip } from '../observability/redact.js';
import type { RecordedMessage, RecordedWord, Recording } from './recording.js';
import { changesOf } from './sdp-changes.js';
import { summaryOf, type SipSummary } from './sip-summary.js';

export interface Step {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Indexes of `lanes`. */
  readonly from: number;
  readonly to: number;
  /** `INVITE 600`, `486 Busy Here (INVITE)`, `create`, `ended: busy` */
  readonly label: string;
  /** The whole message, without secrets. */
  readonly text: string;
  /** Sent again because nobody answered, or heard again. */
  readonly repeated: boolean;
  /** It is here that it failed. */
  readonly failing: boolean;
  /** The lines of the session description that differ from the one before of the same speaker, `-` and `+` before them. */
  readonly sdpChanges?: readonly string[];
  /** Of a SIP message: for a packet trace. */
  readonly wire?: { readonly direction: 'in' | 'out'; readonly transport: string; readonly peer: string };
}

export interface Ladder {
  /** The call's id, or the address of record. */
  readonly title: string;
  /** Messenger, extension, then each SIP address that took part, by first appearance. */
  readonly lanes: readonly string[];
  readonly steps: readonly Step[];
  /** Why it failed, or how it ended, for a person. */
  readonly sentence?: string;
}

const messenger = 0;
const extension = 1;

/** Refusals that are part of a call that goes on: challenges, a cancelled INVITE, glare. */
const expected = new Set([401, 407, 487, 491]);

/** Reasons that nobody asks about. */
const wellEnded = new Set(['normal', 'picked_up', 'transfer']);

/**
 * @param id a call's id, or the Call-ID of a SIP call that the messenger was never told of
 * @returns undefined when nothing of it is held
 */
export function ladderOfCall(recording: Recording, id: string): Ladder | undefined {
  const words = [...recording.words()].filter(({ callId }) => callId === id);
  const sipCallIds = new Set([id]);
  for (const leg of recording.legs()) if (leg.callId === id) sipCallIds.add(leg.sipCallId);
  const messages = [...recording.messages('calls')].filter(({ text }) => mentions(text, sipCallIds) && sipCallIds.has(summaryOf(text).callId));
  return draw(id, words, messages);
}

/** @param aor `sip:434@example.com` @returns undefined when nothing of it is held */
export function ladderOfRegistration(recording: Recording, aor: string): Ladder | undefined {
  const messages = [...recording.messages('registrations')].filter(({ text }) => text.includes(aor) && addressOf(summaryOf(text).to) === aor);
  return draw(aor, [], messages);
}

/** A SIP call that reached us and that the messenger was never told of. */
export interface UntoldCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly sipCallId: string;
  /** SIP URIs. */
  readonly from: string;
  readonly to: string;
}

/** Those that were refused at the door, newest first. */
export function untoldCalls(recording: Recording): UntoldCall[] {
  const told = new Set([...recording.legs()].map(({ sipCallId }) => sipCallId));
  const found = new Map<string, UntoldCall>();
  for (const { at, direction, text } of recording.messages('calls')) {
    if (direction !== 'in' || !text.startsWith('INVITE ')) continue;
    const { callId, from, to } = summaryOf(text);
    if (told.has(callId) || found.has(callId)) continue;
    found.set(callId, { at, sipCallId: callId, from: redactSip(addressOf(from)), to: redactSip(addressOf(to)) });
  }
  return [...found.values()].reverse();
}

/** A quick look before the careful one: most messages are of other calls. */
function mentions(text: string, ids: Iterable<string>): boolean {
  for (const id of ids) if (text.includes(id)) return true;
  return false;
}

/** What is between the brackets, or before the first parameter. */
function addressOf(header: string): string {
  return /<([^>]*)>/.exec(header)?.[1] ?? header.replace(/;.*$/, '').trim();
}

/** A step, and what is known of it until the ladder stands. */
interface Draft {
  readonly step: Step;
  readonly order: number;
  readonly sip?: SipSummary;
  readonly ended?: Extract<CallUpdate, { type: 'ended' }>;
}

function draw(title: string, words: readonly RecordedWord[], messages: readonly RecordedMessage[]): Ladder | undefined {
  if (words.length === 0 && messages.length === 0) return undefined;
  const lanes = ['Messenger', 'Extension'];
  const steps = folded([...words.map((word) => wordStep(word)), ...messageSteps(messages, lanes)].sort((a, b) => a.order - b.order));
  const ended = steps.find((draft) => draft.ended !== undefined)?.ended;
  const failing = failingOf(steps, ended);
  const sentence = ended?.message ?? (failing?.sip === undefined ? undefined : `It was answered ${failing.sip.status ?? ''} ${failing.sip.phrase ?? ''}.`);
  return {
    title,
    lanes,
    steps: withSdpChanges(steps).map(({ step, order }) => (order === failing?.order ? { ...step, failing: true } : step)),
    ...(sentence === undefined ? {} : { sentence }),
  };
}

/** A client tells its candidates one by one, as it finds them: one step for those that come together. */
function folded(drafts: readonly Draft[]): Draft[] {
  const kept: Draft[] = [];
  let count = 1;
  for (const draft of drafts) {
    const before = kept.at(-1);
    if (draft.step.label !== 'candidates' || !before?.step.label.startsWith('candidates')) {
      kept.push(draft);
      count = 1;
      continue;
    }
    count += 1;
    kept[kept.length - 1] = { ...before, step: { ...before.step, label: `candidates (${count})`, text: `${before.step.text}\n\n${draft.step.text}` } };
  }
  return kept;
}

function wordStep({ at, order, said }: RecordedWord): Draft {
  const isCommand = 'command' in said;
  const value = isCommand ? said.command : said.update;
  const [from, to] = isCommand ? [messenger, extension] : [extension, messenger];
  const step = { at, from, to, label: labelOf(value), text: textOf(value), repeated: false, failing: false };
  return !isCommand && said.update.type === 'ended' ? { step, order, ended: said.update } : { step, order };
}

function labelOf(said: CallCommand | CallUpdate): string {
  switch (said.type) {
    case 'create':
      return `create: ${'address' in said.to ? redactSip(said.to.address) : `user ${said.to.peer.id}`}`;
    case 'state':
      return said.state;
    case 'ended':
      return `ended: ${said.reason}`;
    case 'hangup':
      return `hangup${said.reason === undefined ? '' : `: ${said.reason}`}`;
    default:
      return said.type;
  }
}

/** Keys that were pressed may be somebody's PIN. */
function textOf({ description, ...rest }: Partial<{ description: { sdp: string } }> & (CallCommand | CallUpdate)): string {
  const shown = 'tones' in rest ? { ...rest, tones: '***' } : rest;
  const fields = JSON.stringify(shown, undefined, 2);
  return redactSip(description === undefined ? fields : `${fields}\n\n${description.sdp}`);
}

function messageSteps(messages: readonly RecordedMessage[], lanes: string[]): Draft[] {
  const seen = new Set<string>();
  return messages.map(({ at, order, direction, transport, peer, text }) => {
    const name = `${transport} ${peer}`;
    let lane = lanes.indexOf(name);
    if (lane < 0) lane = lanes.push(name) - 1;
    const sip = summaryOf(text);
    const key = `${direction} ${sip.method} ${sip.status ?? ''} ${sip.cseq} ${sip.branch}`;
    const repeated = seen.has(key);
    seen.add(key);
    const [from, to] = direction === 'out' ? [extension, lane] : [lane, extension];
    const step = { at, from, to, label: sipLabel(sip), text: redactSip(text), repeated, failing: false, wire: { direction, transport, peer } };
    return { step, order, sip };
  });
}

function sipLabel({ method, status, phrase, uri }: SipSummary): string {
  if (status !== undefined) return `${status} ${phrase ?? ''} (${method})`;
  const user = /^sips?:([^@;?:]+)(?::[^@]*)?@/.exec(uri ?? '')?.[1] ?? '';
  return `${method} ${user}`.trim();
}

/** A description is compared with the one before of the same speaker that went the same way: both ends of a call may be ours. */
function withSdpChanges(drafts: readonly Draft[]): Draft[] {
  const last = new Map<string, string>();
  return drafts.map((draft) => {
    const { step, sip } = draft;
    const sdp = step.repeated ? undefined : sdpOf(step.text);
    if (sdp === undefined) return draft;
    const speaker = sip === undefined ? '' : addressOf(sip.status === undefined ? sip.from : sip.to);
    const way = `${step.from} ${step.to} ${speaker}`;
    const before = last.get(way);
    last.set(way, sdp);
    const sdpChanges = before === undefined ? [] : changesOf(before, sdp);
    return sdpChanges.length === 0 ? draft : { ...draft, step: { ...step, sdpChanges } };
  });
}

function sdpOf(text: string): string | undefined {
  const start = /(?:^|\n)v=0\r?\n/.exec(text);
  return start === null ? undefined : text.slice(start.index).trim();
}

function failingOf(steps: readonly Draft[], ended: Draft['ended']): Draft | undefined {
  if (ended !== undefined && wellEnded.has(ended.reason)) return undefined;
  const refusals = steps.filter(({ sip, step }) => !step.repeated && sip?.status !== undefined && sip.status >= 400 && !expected.has(sip.status));
  const named = refusals.filter(({ sip }) => ended?.sip === undefined || sip?.status === ended.sip.status);
  // A registration that stands again has not failed.
  const standsAgain = (refusal: Draft): boolean => steps.some(({ order, sip }) => order > refusal.order && sip?.method === 'REGISTER' && sip.status === 200);
  const refusal = (named.length > 0 ? named : ended === undefined ? refusals : []).at(-1);
  if (refusal !== undefined) return standsAgain(refusal) ? undefined : refusal;
  return ended === undefined ? undefined : steps.find((draft) => draft.ended !== undefined);
}

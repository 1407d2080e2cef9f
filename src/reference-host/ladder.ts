/**
 * Draws what crossed as a ladder of three lanes, at most 78 columns wide. It leaves out what tells a reader nothing (100 Trying,
 * the ACK of a refusal, retransmissions) and draws a message that the registrar took and passed on as one line.
 */
import type { CallCommand, CallUpdate } from '../index.js';
import type { Crossing } from './crossings.js';
import type { PlaygroundMessage } from './playground/playground.js';

/** Columns between two lanes. */
const gap = 36;
const indent = '  ';

type Arrow = 'right' | 'left' | 'both';

interface Rung {
  /** 0: between the host and the extension; 1: between the extension and the registrar. */
  between: 0 | 1;
  arrow: Arrow;
  text: string;
}

/** @returns its lines */
export function drawLadder(crossings: readonly Crossing[]): string[] {
  const head = `${indent}${'messenger host'.padEnd(gap - 5)}${'SIP extension'.padEnd(gap - 1)}registrar`;
  return [head, ...rungs(crossings).map(draw)];
}

function rungs(crossings: readonly Crossing[]): Rung[] {
  const drawn: Rung[] = [];
  const seen = new Set<string>();
  const whose = new Map<string, string>();
  let taken: { key: string; rung: Rung } | undefined;
  for (const crossing of crossings) {
    if (crossing.kind !== 'sip') {
      drawn.push(contractRung(crossing, whose));
      continue;
    }
    const { message } = crossing;
    const key = keyOf(message);
    if (message.direction === 'out' && taken?.key === key) {
      taken.rung.arrow = 'both';
      taken = undefined;
      continue;
    }
    const repeated = seen.has(`${message.direction} ${key}`);
    seen.add(`${message.direction} ${key}`);
    if (repeated || message.status === 100 || isAckOfRefusal(message, seen)) continue;
    const rung: Rung = { between: 1, arrow: message.direction === 'in' ? 'right' : 'left', text: sipText(message) };
    drawn.push(rung);
    taken = message.direction === 'in' ? { key, rung } : undefined;
  }
  return drawn;
}

function keyOf(message: PlaygroundMessage): string {
  return `${message.callId} ${message.sequence} ${message.method} ${message.status ?? ''}`;
}

/** The registrar had answered that INVITE itself: the ACK ends there. */
function isAckOfRefusal(message: PlaygroundMessage, seen: Set<string>): boolean {
  if (message.method !== 'ACK' || message.direction !== 'in') return false;
  return [401, 403, 404, 407, 480, 483].some((status) => seen.has(`out ${keyOf({ ...message, method: 'INVITE', status })}`));
}

function sipText(message: PlaygroundMessage): string {
  if (message.status !== undefined) return `${message.status} ${message.phrase ?? ''} (${message.method})`;
  return `${message.method} ${message.toUser ?? ''}`.trim();
}

function contractRung(crossing: Exclude<Crossing, { kind: 'sip' }>, whose: Map<string, string>): Rung {
  switch (crossing.kind) {
    case 'created':
      whose.set(`user ${crossing.user.id}`, crossing.user.name ?? `user ${crossing.user.id}`);
      return { between: 0, arrow: 'right', text: `user ${crossing.user.id} created: ${crossing.user.name ?? ''}` };
    case 'command':
      return { between: 0, arrow: 'right', text: commandText(crossing.command, whose) };
    case 'update':
      return { between: 0, arrow: 'left', text: updateText(crossing.update, whose) };
  }
}

/** @param whose the names of users, by `user <id>` and by the id of their call */
function commandText(command: CallCommand, whose: Map<string, string>): string {
  if (command.type !== 'create') return `${whose.get(command.callId) ?? command.callId}: ${command.type}`;
  const { callId, from, to } = command;
  const caller = whose.get(`user ${from.id}`) ?? `user ${from.id}`;
  whose.set(callId, caller);
  return `${caller}: call ${'address' in to ? to.address.replace(/^sips?:/, '') : `user ${to.peer.id}`}`;
}

function updateText(update: CallUpdate, whose: Map<string, string>): string {
  if (update.type === 'incoming') whose.set(update.callId, whose.get(`user ${update.to.id}`) ?? `user ${update.to.id}`);
  const user = whose.get(update.callId) ?? update.callId;
  switch (update.type) {
    case 'state':
      return `${user}: now ${update.state}`;
    case 'ended':
      return `${user}: ended, ${update.reason}`;
    default:
      return `${user}: ${update.type}`;
  }
}

function draw({ between, arrow, text }: Rung): string {
  const inner = gap - 1;
  const shown = text.length > inner - 6 ? `${text.slice(0, inner - 7)}…` : text;
  const label = ` ${shown} `;
  const [start, end] = [arrow === 'right' ? '──' : '<─', arrow === 'left' ? '──' : '─>'];
  const line = start + label + '─'.repeat(inner - start.length - label.length - end.length) + end;
  const lanes = between === 0 ? [line, ' '.repeat(inner)] : [' '.repeat(inner), line];
  return `${indent}│${lanes.join('│')}│`;
}

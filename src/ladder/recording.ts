/**
 * What happened lately, kept in memory up to a number of bytes: the SIP messages that crossed the wire, and what host and extension said to
 * each other. The oldest goes first. Nothing is parsed, copied or redacted while it is recorded, which has to cost next to nothing; all of
 * that is done when somebody looks (`reading`).
 *
 * REGISTERs have a ring of their own: a hundred thousand accounts would otherwise push out the call that somebody asks about.
 */
import type { CallCommand, CallUpdate } from '../host/contract.js';

export interface RecordedMessage {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Counts all that is recorded: a millisecond holds many. */
  readonly order: number;
  readonly direction: 'in' | 'out';
  /** `udp`, `tcp`, `tls`, `ws`, `wss` */
  readonly transport: string;
  /** `192.0.2.4:5060` */
  readonly peer: string;
  /** As it was on the wire: with secrets. */
  readonly text: string;
}

export interface RecordedWord {
  readonly at: number;
  readonly order: number;
  readonly callId: string;
  readonly said: { readonly command: CallCommand } | { readonly update: CallUpdate };
}

/** Which SIP call a call of the host's goes on as: one for each INVITE that began it. */
export interface RecordedLeg {
  readonly callId: string;
  readonly sipCallId: string;
}

/** What an entry costs beside its text, bytes: measured with 64-bit Node 20. */
const entryBytes = 200;

export class Recording {
  readonly #calls: Ring<RecordedMessage>;
  readonly #registrations: Ring<RecordedMessage>;
  readonly #words: Ring<RecordedWord>;
  readonly #legs: Ring<RecordedLeg>;
  #order = 0;

  /** @param bytes what all of it may take */
  constructor(
    bytes: number,
    private readonly now: () => number,
  ) {
    this.#calls = new Ring(bytes * 0.5);
    this.#registrations = new Ring(bytes * 0.2);
    this.#words = new Ring(bytes * 0.25);
    this.#legs = new Ring(bytes * 0.05);
  }

  onMessage(direction: 'in' | 'out', transport: string, peer: string, text: string): void {
    const ring = isOfRegistration(text) ? this.#registrations : this.#calls;
    ring.add({ at: this.now(), order: (this.#order += 1), direction, transport, peer, text }, text.length + entryBytes);
  }

  onCommand(command: CallCommand): void {
    this.#words.add({ at: this.now(), order: (this.#order += 1), callId: command.callId, said: { command } }, sizeOf(command));
  }

  onUpdate(update: CallUpdate): void {
    this.#words.add({ at: this.now(), order: (this.#order += 1), callId: update.callId, said: { update } }, sizeOf(update));
  }

  onLeg(callId: string, sipCallId: string): void {
    this.#legs.add({ callId, sipCallId }, callId.length + sipCallId.length + entryBytes);
  }

  /** Oldest first, of one method or all others. */
  messages(which: 'calls' | 'registrations'): Iterable<RecordedMessage> {
    return which === 'calls' ? this.#calls : this.#registrations;
  }

  words(): Iterable<RecordedWord> {
    return this.#words;
  }

  legs(): Iterable<RecordedLeg> {
    return this.#legs;
  }
}

/** A REGISTER, or a response whose CSeq says so: nothing else ends a line like that. */
function isOfRegistration(text: string): boolean {
  return text.startsWith('SIP/2.0 ') ? text.includes(' REGISTER\r\n') : text.startsWith('REGISTER ');
}

function sizeOf(said: CallCommand | CallUpdate): number {
  return ('description' in said ? (said.description?.sdp.length ?? 0) : 0) + 2 * entryBytes;
}

/** A queue that lets go of its oldest when it holds more than `most` bytes. */
class Ring<Entry> implements Iterable<Entry> {
  #entries: (Entry | undefined)[] = [];
  #sizes: number[] = [];
  /** Where the oldest stands; those before it are gone. */
  #first = 0;
  #held = 0;

  constructor(private readonly most: number) {}

  add(entry: Entry, size: number): void {
    this.#entries.push(entry);
    this.#sizes.push(size);
    this.#held += size;
    while (this.#held > this.most && this.#first < this.#entries.length) this.#drop();
  }

  *[Symbol.iterator](): Iterator<Entry> {
    for (let index = this.#first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index];
      if (entry !== undefined) yield entry;
    }
  }

  #drop(): void {
    this.#held -= this.#sizes[this.#first] ?? 0;
    this.#entries[this.#first] = undefined;
    this.#first += 1;
    // Moved up when half of the array is gone: each entry once on the average.
    if (this.#first < 1_024 || this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#sizes = this.#sizes.slice(this.#first);
    this.#first = 0;
  }
}

/** The face of this room: takes the host's commands and the stack's INVITEs, and finds or makes the call they belong to. */
import { randomUUID } from 'node:crypto';
import type { CallCommand } from '../host/contract.js';
import type { IncomingCall } from '../sip/types.js';
import { addressOf, CallTimes, endedAtOnce, writePeer, writeTarget } from './call-facts.js';
import { CallLimits } from './call-limits.js';
import { CallTable } from './call-table.js';
import { readCommand, type CreateCommand } from './command.js';
import { IncomingSession } from './incoming-session.js';
import { OutgoingSession } from './outgoing-session.js';
import { notAcceptable, passDescription } from './media-passage.js';
import type { CallEnding, CallPorts, CallSettings, LiveCall, RoutableMapping } from './ports.js';
import { callerOf, routeIncoming, type IncomingRefusal, type IncomingRules } from './routes.js';
import type { SessionContext } from './session.js';
import { localTable, type Termination } from './termination.js';
import { Deliveries, UpdateQueue } from './updates.js';

const stopping: IncomingRefusal = { status: 503, phrase: 'Service Unavailable', retryAfterS: 30, ending: localTable.stopping };

/** RFC 3891 3. */
const replacesNothing: IncomingRefusal = { status: 481, phrase: 'Call/Transaction Does Not Exist', ending: localTable.nothingToReplace };

/** How long `drain`, after it ended the last calls, waits for responses to its CANCELs and for a slow host, milliseconds. */
const closingMs = 1_000;

export class CallRouter {
  readonly #context: SessionContext;
  readonly #rules: IncomingRules;
  readonly #newCallId: () => string;
  #draining = false;
  /** Told at each change that may be what `drain` waits for. */
  readonly #waiting = new Set<() => void>();

  constructor(settings: CallSettings, ports: CallPorts) {
    const onQuiet = (): void => {
      // A copy, and only while somebody drains: waiters leave the set when they are woken.
      if (this.#waiting.size > 0) for (const wake of [...this.#waiting]) wake();
    };
    const table = new CallTable(onQuiet);
    const deliveries = new Deliveries(ports.host, ports.log, onQuiet);
    const { dialling, ignoreContact } = settings;
    this.#rules = { mappings: ports.mappings, dialling, ignoreContact };
    const limits = new CallLimits(settings, table, ports.clock);
    this.#context = { settings, ports, table, limits, deliveries };
    this.#newCallId = ports.newCallId ?? randomUUID;
  }

  /** Calls that the host can command. */
  get live(): number {
    return this.#context.table.live;
  }

  /** Those calls, the longest first; each as it is when it is asked for. */
  *calls(): Generator<LiveCall, void, undefined> {
    for (const call of this.#context.table.all()) yield call.facts;
  }

  /**
   * Carries one command out. What comes of it is told by updates; a call that cannot be placed is taken, and gets its `ended`.
   * Commands take effect in the order in which this is called.
   * @throws ExtensionError COMMAND_INVALID, CALL_EXISTS, CALL_STATE; CallNotFoundError
   */
  onCall(command: CallCommand): Promise<void> {
    return new Promise((resolve) => {
      const taken = readCommand(command);
      this.#context.ports.recorder?.onCommand(taken);
      if (taken.type === 'create') this.#create(taken);
      else this.#context.table.get(taken.callId).take(taken);
      resolve();
    });
  }

  /** An INVITE for one of our accounts. */
  onIncoming(call: IncomingCall): void {
    const { ports, settings, table, limits } = this.#context;
    const mappingId = ports.accounts.mappingIdOf(call.account);
    const mapping = mappingId === undefined ? undefined : ports.mappings.get(mappingId);
    const decision = this.#draining ? { refuse: stopping } : routeIncoming(call, mapping, this.#rules);
    if ('refuse' in decision) {
      this.#refuse(call, decision.refuse, mapping);
      return;
    }
    const meta = { sipCallId: call.callId, mappingId };
    const { peer } = decision.offer.mapping;
    // Who takes the place of a far end is no call more.
    const full = call.replaces === undefined ? limits.receive(peer) : undefined;
    if (full !== undefined) {
      this.#refuse(call, full, mapping);
      return;
    }
    const passage = passDescription({ type: 'offer', sdp: decision.offer.sdp }, 'sip', settings.webrtc, ports.log, meta);
    if ('unfit' in passage) {
      const { ending, reason } = passage.unfit;
      this.#refuse(call, { ...notAcceptable, reason, ending }, mapping);
      return;
    }
    const { mapping: callee, from, forwarded } = decision.offer;
    if (call.replaces !== undefined) {
      const { replaces } = call;
      const replaced = table.all().find((each) => each.isWith(replaces));
      if (replaced === undefined) this.#refuse(call, replacesNothing, mapping);
      else replaced.replaceFarEnd(call, from, passage.description.sdp);
      return;
    }
    const offer = { mapping: callee, from, sdp: passage.description.sdp };
    const session = new IncomingSession(this.#newCallId(), call, offer, this.#context);
    if (forwarded !== undefined) ports.log.info(forwarded, { callId: session.callId, mappingId });
    call.events = session;
    ports.recorder?.onLeg(session.callId, call.callId);
    table.add(session, peer);
    session.start();
  }

  /**
   * Takes no new calls, waits for those that live, then ends the rest; each gets its `ended`.
   * @param waitMs how long people may go on talking, milliseconds; 0 ends all calls at once
   */
  async drain(waitMs: number): Promise<void> {
    this.#draining = true;
    const { table, deliveries } = this.#context;
    await this.#until(() => table.live === 0, waitMs);
    for (const call of table.all()) call.stop(localTable.stopping);
    await this.#until(() => table.live + table.closing + deliveries.busy === 0, closingMs);
  }

  #create(command: CreateCommand): void {
    const { table, limits } = this.#context;
    const { callId, from } = command;
    table.assertFree(callId);
    const refusal = this.#draining ? localTable.stopping : limits.place(from);
    if (refusal !== undefined) {
      this.#endAtOnce(command, refusal);
      return;
    }
    const session = new OutgoingSession(command, this.#context);
    table.add(session, from);
    session.start();
  }

  /** A call that never was: its `ended` is all there is of it. */
  #endAtOnce({ callId, from: peer, to }: CreateCommand, ending: Termination): void {
    const { deliveries, ports } = this.#context;
    const { reason, message } = ending;
    ports.log.info(`A call was not placed: ${message}`, { callId, reason });
    new UpdateQueue(deliveries).tell({ type: 'ended', callId, reason, message });
    const facts = new CallTimes(ports.clock).facts(callId, 'outgoing', { peer, from: writePeer(peer), to: writeTarget(to) });
    ports.onEnded?.(endedAtOnce(facts, ending));
  }

  /** The host hears nothing of it; there is a record of it all the same, for whoever asks why it did not ring. */
  #refuse(call: IncomingCall, refusal: IncomingRefusal, mapping: RoutableMapping | undefined): void {
    const { ports } = this.#context;
    const { status, phrase, reason, retryAfterS, ending } = refusal;
    ports.log.info(`An incoming call was refused (${status} ${phrase}): ${ending.message}`, { sipCallId: call.callId, mappingId: mapping?.id });
    call.reject(status, { phrase, ...(reason === undefined ? {} : { reason }), ...(retryAfterS === undefined ? {} : { retryAfterS }) });
    ports.onRefused?.(status, mapping && this.#recordOf(call, mapping, ending, status));
  }

  #recordOf(call: IncomingCall, mapping: RoutableMapping, ending: Termination, status: number): CallEnding {
    const { peer, id: mappingId } = mapping;
    const parties = { peer, mappingId, from: callerOf(call, this.#rules).uri, to: addressOf(mapping) };
    return endedAtOnce(new CallTimes(this.#context.ports.clock).facts(call.callId, 'incoming', parties), ending, status);
  }

  /** Resolves when `isDone`, at the latest after `limitMs`. */
  #until(isDone: () => boolean, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (isDone() || limitMs <= 0) {
        resolve();
        return;
      }
      const finish = (): void => {
        this.#waiting.delete(check);
        limit.cancel();
        resolve();
      };
      const check = (): void => {
        if (isDone()) finish();
      };
      const limit = this.#context.ports.clock.after(limitMs, finish);
      this.#waiting.add(check);
    });
  }
}

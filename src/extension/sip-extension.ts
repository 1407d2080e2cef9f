/**
 * The hooks that a messaging server calls (host-contract). States: new -> starting -> ready -> stopping -> stopped; a failed `init` leads to stopped.
 * While it is stopping, the calls that are left can be commanded.
 */
import { z } from 'zod';
import { ExtensionError, MappingError } from '../base/errors.js';
import { builtInExtensionId } from '../host/load-extension.js';
import type { CallCommand, ExtensionHost, ExtensionStatus, HostExtension, HostUser } from '../host/contract.js';
import { compose, type Composition } from './composition/compose.js';

const userId = z.object({ id: z.number().int().positive() });

export class SipExtension implements HostExtension {
  static readonly id = builtInExtensionId;

  #state: 'new' | 'starting' | 'ready' | 'stopping' | 'stopped' = 'new';
  #starting: Promise<Composition> | undefined;
  #running: Composition | undefined;
  #stopping: Promise<void> | undefined;
  /** Ends what `init` waits for. */
  readonly #abort = new AbortController();

  /**
   * Waits for a PostgreSQL that cannot be used yet, and says so in the log; `stop` ends the wait.
   * @throws ConfigError, ExtensionError: NOT_READY when called twice or stopped meanwhile, DATABASE_*, SIP_TRANSPORT, ADMIN_UNAVAILABLE
   */
  async init(host: ExtensionHost): Promise<void> {
    if (this.#state !== 'new') throw notReady(`init was called already; the extension is ${this.#state}`);
    this.#state = 'starting';
    this.#starting = compose(host, this.#abort.signal, () => this.status());
    try {
      const running = await this.#starting;
      if (this.#isStopped) throw notReady('it was stopped while it started');
      this.#running = running;
      this.#state = 'ready';
    } catch (thrown) {
      this.#state = 'stopped';
      throw thrown;
    }
  }

  /** Idempotent. @throws ExtensionError: NOT_READY, USER_INVALID, MAPPING_CONFLICT, MAPPING_INVALID, DATABASE_* */
  async onUserCreated(user: HostUser): Promise<void> {
    const { roster, provision } = this.#ready();
    const { id } = knownUser(user);
    if (user.disabled === true) roster.setDisabled(id, true);
    const mapping = await provision(user);
    if (mapping === undefined || roster.put(mapping) !== 'rejected') return;
    throw new MappingError('MAPPING_INVALID', `User ${id} has a mapping that cannot be used: ${roster.problemOf(mapping.id) ?? ''}.`);
  }

  /**
   * Un-registers who is disabled, whatever the database does, and lets the display name follow the user's name.
   * @throws ExtensionError: NOT_READY, USER_INVALID, DATABASE_*
   */
  async onUserUpdated(user: HostUser): Promise<void> {
    const { roster, rename } = this.#ready();
    roster.setDisabled(knownUser(user).id, user.disabled === true);
    for (const mapping of await rename(user)) roster.put(mapping);
  }

  /**
   * Un-registers the user's mappings and removes their rows: credentials do not outlive their user, and a user of the same id who is
   * created later starts anew.
   * @throws ExtensionError: NOT_READY, USER_INVALID, DATABASE_*
   */
  async onUserDeleted(user: { id: number }): Promise<void> {
    const { roster, writer } = this.#ready();
    const { id } = knownUser(user);
    await roster.dismiss(id, () => writer.removeByPeer({ type: 1, id }));
  }

  /** @throws ExtensionError: NOT_READY, COMMAND_*, CALL_*; CallNotFoundError */
  onCall(command: CallCommand): Promise<void> {
    return this.#running === undefined || this.#state === 'stopped'
      ? Promise.reject(notReady(`the extension is ${this.#state}`))
      : this.#running.router.onCall(command);
  }

  status(): ExtensionStatus {
    const running = this.#running;
    return {
      ready: this.#state === 'ready',
      nodeId: running?.nodeId ?? '',
      uptimeMs: running === undefined ? 0 : Math.round(running.clock.now() - running.startedAt),
      registrations: running?.registrar.status() ?? {
        total: 0,
        byState: { waiting: 0, registering: 0, registered: 0, retrying: 0, parked: 0, unregistering: 0 },
        troubled: [],
      },
      calls: { live: running?.router.live ?? 0 },
      listening: [...(running?.stack.listening ?? [])],
      rejectedRows: running?.roster.rejectedRows ?? [],
    };
  }

  /** Idempotent; never rejects. @param options drainMs: how long live calls may go on, `modules.sip.calls.drain` by default */
  stop(options: { drainMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.drainMs);
    return this.#stopping;
  }

  async #stop(drainMs: number | undefined): Promise<void> {
    this.#state = 'stopping';
    this.#abort.abort();
    // A start that fails has closed what it opened, and `init` tells of it.
    const running = this.#running ?? (await this.#starting?.catch(() => undefined));
    if (running !== undefined) await running.router.drain(drainMs ?? running.config.calls.drainMs);
    this.#state = 'stopped';
    await running?.releasers.releaseAll();
  }

  /** Read anew after an await. */
  get #isStopped(): boolean {
    return this.#state === 'stopping' || this.#state === 'stopped';
  }

  #ready(): Composition {
    if (this.#running === undefined || this.#state !== 'ready') throw notReady(`the extension is ${this.#state}`);
    return this.#running;
  }
}

function knownUser(user: { id: number }): { id: number } {
  const read = userId.safeParse(user);
  if (!read.success) throw new ExtensionError('USER_INVALID', 'A user needs an id that is a whole number above 0.');
  return read.data;
}

function notReady(why: string): ExtensionError {
  return new ExtensionError('NOT_READY', `The SIP extension takes no calls of its hooks now: ${why}.`);
}

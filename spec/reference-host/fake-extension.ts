import type { CallCommand, CallUpdate, ExtensionHost, ExtensionStatus, HostExtension, HostUser } from '../../src/host/contract.js';

/** An extension without SIP: remembers what the host told it, and says what a spec wants it to say. */
export class FakeExtension implements HostExtension {
  readonly commands: CallCommand[] = [];
  readonly told: string[] = [];
  /** Thrown by the next hook or command, once. */
  refusal: Error | undefined;
  /** Awaited by every command before it resolves. */
  hold: Promise<void> = Promise.resolve();
  stops = 0;
  #host: ExtensionHost | undefined;

  get host(): ExtensionHost {
    if (this.#host === undefined) throw new Error('init was not called');
    return this.#host;
  }

  /** What the SIP side does. */
  say(update: CallUpdate): void {
    void this.host.calls.update(update);
  }

  init(host: ExtensionHost): Promise<void> {
    this.#host = host;
    return this.#obey('init');
  }

  onUserCreated(user: HostUser): Promise<void> {
    return this.#obey(`created ${user.id}`);
  }

  onUserUpdated(user: HostUser): Promise<void> {
    return this.#obey(`updated ${user.id}${user.disabled === true ? ' disabled' : ''}`);
  }

  onUserDeleted(user: { id: number }): Promise<void> {
    return this.#obey(`deleted ${user.id}`);
  }

  async onCall(command: CallCommand): Promise<void> {
    this.commands.push(command);
    await this.hold;
    this.#refuse();
  }

  status(): ExtensionStatus {
    const byState = { waiting: 0, registering: 0, registered: 2, retrying: 0, parked: 0, unregistering: 0 };
    return {
      ready: true,
      nodeId: 'fake',
      uptimeMs: 1,
      registrations: { total: 2, byState, troubled: [] },
      calls: { live: 0 },
      listening: ['udp:127.0.0.1:5060'],
      rejectedRows: [],
    };
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }

  #obey(told: string): Promise<void> {
    this.told.push(told);
    return new Promise((resolve) => {
      this.#refuse();
      resolve();
    });
  }

  #refuse(): void {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
  }
}

/**
 * What the page says to the reference host and hears from it: HTTP for what is asked once, one WebSocket for commands up and updates
 * down. The socket is opened anew when it is lost (1 s, doubling to 15 s); commands wait for their `accepted` or `error`.
 */
import { signal } from '@preact/signals';
import type { CallCommand, CallUpdate } from '../../host/contract.js';

export interface User {
  id: number;
  name?: string;
  disabled?: boolean;
}

/** A call as the host lists it. */
export interface ListedCall {
  callId: string;
  direction: 'outgoing' | 'incoming';
  state: 'trying' | 'ringing' | 'progress' | 'talking' | 'finished';
  remote?: string;
  name?: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  talkingAt?: number;
  endedAt?: number;
  /** Whether it is this device that made or answered it. */
  mine: boolean;
  ended?: { reason: string; message: string };
}

type Without<Command, Key extends string> = Command extends unknown ? Omit<Command, Key> : never;
type Create = Extract<CallCommand, { type: 'create' }>;
export type Command = Without<Create, 'from' | 'displayName' | 'mappingId'> | Exclude<CallCommand, { type: 'create' }>;

interface Problem {
  code: string;
  detail: string;
}

type Event = CallUpdate | { type: 'accepted'; requestId?: string } | { type: 'error'; requestId?: string; problem: Problem };

/** The host refused; `message` is its sentence. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'Refused';
  }
}

const longestPauseMs = 15_000;

/** Who may sign in here. @throws Refused */
export function people(): Promise<User[]> {
  return ask('GET', 'session');
}

export class HostSession {
  readonly online = signal(false);
  readonly #token: string;
  readonly #waiting = new Map<string, { resolve: () => void; reject: (why: Error) => void }>();
  #socket: WebSocket | undefined;
  #pauseMs = 1_000;
  #count = 0;
  #closed = false;

  private constructor(
    readonly user: User,
    token: string,
    private readonly events: { onUpdate(update: CallUpdate): void; onOnline(): void; onSignedOut(): void },
  ) {
    this.#token = token;
    this.#connect();
  }

  /** Signs in, or goes on with the token of before a reload. @throws Refused */
  static async open(user: User, token: string | undefined, events: HostSession['events']): Promise<HostSession> {
    return new HostSession(user, token ?? (await ask<{ token: string }>('POST', 'session', undefined, { userId: user.id })).token, events);
  }

  /** What a reload of the page goes on with. */
  get token(): string {
    return this.#token;
  }

  users(): Promise<User[]> {
    return ask('GET', 'users', this.#token);
  }

  calls(): Promise<ListedCall[]> {
    return ask('GET', 'calls', this.#token);
  }

  /** Resolves when the host took the command. @throws Refused */
  command(command: Command): Promise<void> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Refused('OFFLINE', 'The messaging server is not reachable right now.'));
    const requestId = String((this.#count += 1));
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject });
      socket.send(JSON.stringify({ ...command, requestId }));
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #connect(): void {
    const address = new URL(`api/events?token=${encodeURIComponent(this.#token)}`, document.baseURI);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#pauseMs = 1_000;
      this.online.value = true;
      this.events.onOnline();
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      this.#hear(JSON.parse(message.data) as Event);
    };
    socket.onclose = () => {
      this.online.value = false;
      for (const { reject } of this.#waiting.values()) reject(new Refused('OFFLINE', 'The connection to the messaging server was lost.'));
      this.#waiting.clear();
      if (!this.#closed) void this.#reconnect();
    };
  }

  async #reconnect(): Promise<void> {
    await new Promise((resolve) => window.setTimeout(resolve, this.#pauseMs));
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    // A socket does not tell why it was refused: a server that was started anew knows no token of before.
    const refused = await this.users().then(
      () => false,
      (thrown: unknown) => thrown instanceof Refused && thrown.code === 'NOT_SIGNED_IN',
    );
    if (this.#closed) return;
    if (refused) this.events.onSignedOut();
    else this.#connect();
  }

  #hear(event: Event): void {
    if (event.type !== 'accepted' && event.type !== 'error') {
      this.events.onUpdate(event);
      return;
    }
    const waiting = this.#waiting.get(event.requestId ?? '');
    this.#waiting.delete(event.requestId ?? '');
    if (event.type === 'accepted') waiting?.resolve();
    else waiting?.reject(new Refused(event.problem.code, event.problem.detail));
  }
}

async function ask<Answer>(method: string, path: string, token?: string, body?: object): Promise<Answer> {
  const headers = new Headers();
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(new URL(`api/${path}`, document.baseURI), { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }).catch(() => {
    throw new Refused('OFFLINE', 'The messaging server is not reachable right now.');
  });
  const answer = (await response.json()) as Answer & Problem;
  if (!response.ok) throw new Refused(answer.code, answer.detail);
  return answer;
}

/**
 * What an operator asks of the running extension from a command line, over its administration interface: address and token are read from
 * the same server.conf that the server was started with. What comes back is judged before it is shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import {
  largestPage,
  liveCalls,
  registrationsPage,
  registrationStates,
  shownRegistration,
  untoldCalls,
  type LadderForm,
  type ListedState,
  type LiveCalls,
  type RegistrationsPage,
  type ShownRegistration,
  type UntoldCalls,
} from '../admin/shapes.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import { readServerConf } from '../config/read.js';
import { toSipConfig } from '../config/schema.js';

export { ladderForms, listedStates, type LadderForm, type ListedState, type LiveCalls, type ShownCall, type ShownRegistration } from '../admin/shapes.js';

/** How long an answer may take. */
const patienceMs = 10 * second;
/** A longer one means that the token was refused too often. */
const longestWaitMs = 2 * second;

const shownStatus = z.object({
  ready: z.boolean(),
  nodeId: z.string(),
  uptimeMs: z.number(),
  registrations: z.object({
    total: z.number(),
    byState: z.record(z.enum(registrationStates), z.number()),
    convergesInMs: z.number().optional(),
    queues: z.array(z.object({ registrar: z.string(), unknown: z.string().optional() })).optional(),
  }),
  calls: z.object({ live: z.number() }),
  listening: z.array(z.string()),
  rejectedRows: z.array(z.object({ id: z.number().optional(), problem: z.string() })),
});
export type ShownStatus = z.infer<typeof shownStatus>;

const problem = z.object({ code: z.string(), detail: z.string() });

export interface RegistrationsFilter {
  state?: ListedState;
  /** The messenger user. */
  user?: number;
}

/**
 * @param url in place of the address that server.conf gives: another node, a tunnel, a port that the system chose
 * @throws ConfigError; ExtensionError ADMIN_UNAVAILABLE when it is off
 */
export async function openAdminClient(configFile: string, url?: string): Promise<AdminClient> {
  const { admin } = toSipConfig(await readServerConf(configFile));
  if (!admin.on) {
    throw new ExtensionError(
      'ADMIN_UNAVAILABLE',
      `modules.sip.admin is off in ${configFile}: set admin.on = true and an admin.token, and restart the server.`,
    );
  }
  if (url === undefined && admin.port === 0) {
    throw new ExtensionError('ADMIN_UNAVAILABLE', `modules.sip.admin.port is 0 in ${configFile}, any free port: give --url with the one that the server logged at its start.`);
  }
  return new AdminClient(url ?? `http://${reachableHost(admin.host)}:${admin.port}`, admin.token);
}

export class AdminClient {
  constructor(
    readonly url: string,
    private readonly token: string,
    private readonly wait: (ms: number) => Promise<unknown> = sleep,
  ) {}

  status(): Promise<ShownStatus> {
    return this.#ask('GET', '/api/status', shownStatus);
  }

  /** Page by page: there may be a hundred thousand. */
  async *registrations({ state, user }: RegistrationsFilter): AsyncGenerator<ShownRegistration[], void, undefined> {
    const query = new URLSearchParams({ limit: String(largestPage) });
    if (state !== undefined) query.set('state', state);
    if (user !== undefined) query.set('user', String(user));
    for (let after = 0; ; ) {
      query.set('after', String(after));
      const { items, next }: RegistrationsPage = await this.#ask('GET', `/api/registrations?${query.toString()}`, registrationsPage);
      yield items;
      if (next === undefined) return;
      // A page that does not lead on would be asked for for ever.
      if (next <= after) throw this.#stranger();
      after = next;
    }
  }

  /** The calls that go on, the longest first, as many as one answer holds. @param user a messenger user */
  calls(user?: number): Promise<LiveCalls> {
    const query = new URLSearchParams({ limit: String(largestPage) });
    if (user !== undefined) query.set('user', String(user));
    return this.#ask('GET', `/api/calls?${query.toString()}`, liveCalls);
  }

  registration(mappingId: number): Promise<ShownRegistration> {
    return this.#ask('GET', `/api/registrations/${mappingId}`, shownRegistration);
  }

  act(action: 'register' | 'unregister', mappingId: number): Promise<ShownRegistration> {
    return this.#ask('POST', `/api/registrations/${mappingId}/${action}`, shownRegistration);
  }

  /**
   * A ladder as it was drawn over there.
   * @param of a call by its id or SIP Call-ID, or a registration by its mapping
   * @param width columns of a text
   */
  ladder(of: { callId: string } | { mappingId: number }, as: LadderForm, width: number, messages: boolean): Promise<Buffer> {
    const query = new URLSearchParams({ as, width: String(width), messages: String(messages) });
    const whose = 'callId' in of ? `calls/${encodeURIComponent(of.callId)}` : `registrations/${of.mappingId}`;
    return this.#request('GET', `/api/${whose}/ladder?${query.toString()}`);
  }

  /** SIP calls that were refused before the messenger heard of them. */
  untoldCalls(): Promise<UntoldCalls> {
    return this.#ask('GET', '/api/untold-calls', untoldCalls);
  }

  /** @throws ExtensionError ADMIN_UNAVAILABLE, ADMIN_REFUSED */
  async #ask<Shape>(method: string, path: string, shape: z.ZodType<Shape>): Promise<Shape> {
    const read = shape.safeParse(parseJson((await this.#request(method, path)).toString()));
    if (read.success) return read.data;
    throw this.#stranger();
  }

  /**
   * A list of very many asks faster than it may: it waits as it is told.
   * @throws ExtensionError ADMIN_UNAVAILABLE, ADMIN_REFUSED
   */
  async #request(method: string, path: string): Promise<Buffer> {
    let status: number;
    let waitMs: number;
    let body: Buffer;
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { authorization: `Bearer ${this.token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      status = response.status;
      waitMs = Number(response.headers.get('retry-after') ?? 0) * second;
      body = Buffer.from(await response.arrayBuffer());
    } catch (thrown) {
      const why = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : messageOf(thrown);
      throw new ExtensionError(
        'ADMIN_UNAVAILABLE',
        `Nothing answers at ${this.url} (${why}). Is the server running? It takes up modules.sip.admin when it starts.`,
        { cause: thrown },
      );
    }
    if (status < 300) return body;
    if (status === 429 && waitMs > 0 && waitMs <= longestWaitMs) {
      await this.wait(waitMs);
      return this.#request(method, path);
    }
    const refusal = problem.safeParse(parseJson(body.toString()));
    if (!refusal.success) throw this.#stranger();
    const { code, detail } = refusal.data;
    throw new ExtensionError(
      'ADMIN_REFUSED',
      code === 'TOKEN_REFUSED'
        ? `The server at ${this.url} refused the token: it was started with another modules.sip.admin.token. Use its server.conf, or restart it.`
        : `The server at ${this.url} refused: ${detail}`,
    );
  }

  #stranger(): ExtensionError {
    return new ExtensionError('ADMIN_REFUSED', `What answers at ${this.url} is not the administration interface of this version: is modules.sip.admin.port another program's?`);
  }
}

/** A server that listens on all addresses is reached at the loopback one. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

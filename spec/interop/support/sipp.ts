/**
 * Runs sipp's scenarios of `spec/interop/scenarios` on 127.0.0.1 as the far end of calls, and tells what became of
 * them. `@WORDS@` in a scenario are filled in before it runs; `@OFFER@` and `@ANSWER@` are webrtc.sdp.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/ports.js';
import { Program } from './program.js';

const scenarios = new URL('../scenarios/', import.meta.url);

export interface SippOptions {
  /** File name without `.xml`, or the scenario itself. */
  scenario: string;
  /** Calls after which it ends by itself. Default 1. */
  calls?: number;
  transport?: 'udp' | 'tcp';
  /** Its own port. Default a free one. */
  port?: number;
  /** Values of the scenario's @WORDS@: `{ STATUS: '486' }`. */
  words?: Record<string, string>;
}

export interface SippCallerOptions extends SippOptions {
  /** Port of the proxy on 127.0.0.1. */
  proxyPort: number;
  /** One line a call, used in turn. */
  lines: readonly SippLine[];
  /** New calls a second. Default 50. */
  rate?: number;
  /** Calls at one time. Default 20. */
  atOnce?: number;
}

export interface SippLine {
  /** Whose name and account the call uses. */
  caller: string;
  password: string;
  /** The user in the Request-URI. */
  dialled: string;
  /** The user in To. Default `dialled`. */
  to?: string;
}

export interface SippOutcome {
  successful: number;
  failed: number;
  /** sipp's own complaints, '' when there are none. */
  errors: string;
}

/** So many calls, and all as the scenario has them. */
export function allWell(calls = 1): SippOutcome {
  return { successful: calls, failed: 0, errors: '' };
}

/** RTP as telephones had it before WebRTC. */
const plainSdp = 'v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 54400 RTP/AVP 8\na=rtpmap:8 PCMA/8000';

export class Sipp {
  private constructor(
    private readonly program: Program,
    private readonly folder: string,
    readonly port: number,
  ) {}

  /** Waits for calls; resolves when it listens. */
  static async answer(options: SippOptions): Promise<Sipp> {
    const { port, folder, args } = await prepare(options);
    const sipp = new Sipp(new Program('sipp', args, { cwd: folder }), folder, port);
    await sipp.#listens();
    return sipp;
  }

  /** Starts calling at once. */
  static async call(options: SippCallerOptions): Promise<Sipp> {
    const { port, folder, args } = await prepare(options);
    const lines = options.lines.map(
      ({ caller, password, dialled, to }) =>
        `${caller};${dialled};${to ?? dialled};[authentication username=${caller} password=${password}]`,
    );
    writeFileSync(join(folder, 'lines.csv'), `SEQUENTIAL\n${lines.join('\n')}\n`);
    const rate = ['-inf', 'lines.csv', '-r', String(options.rate ?? 50), '-l', String(options.atOnce ?? 20)];
    return new Sipp(new Program('sipp', [`127.0.0.1:${options.proxyPort}`, ...args, ...rate], { cwd: folder }), folder, port);
  }

  /** Resolves when all its calls are over. Rejects with what it logged when they are not `withinMs`. */
  async outcome(withinMs = 60_000): Promise<SippOutcome> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => {
        reject(new Error(`sipp has calls left after ${withinMs} ms: ${JSON.stringify(this.#counts())}\n${this.#errors()}`));
      }, withinMs);
    });
    try {
      await Promise.race([this.program.ended, late]);
    } finally {
      clearTimeout(deadline);
    }
    return { ...this.#counts(), errors: this.#errors() };
  }

  /** Everything it sent and received so far. Complete once it has ended. */
  get messages(): string {
    return this.#read('messages.log');
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.program.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** It writes statistics once it has its sockets. Who tries its port to see whether it has, takes it away from it now and then. */
  async #listens(): Promise<void> {
    while (!existsSync(join(this.folder, 'statistics.csv'))) {
      if (!this.program.running) throw new Error(`sipp ended: ${this.program.describe()}\n${this.#errors()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #counts(): Omit<SippOutcome, 'errors'> {
    const rows = this.#read('statistics.csv').trim().split('\n').map((row) => row.split(';'));
    const last = rows.at(-1) ?? [];
    const count = (name: string): number => Number(last[rows[0]?.indexOf(name) ?? -1] ?? 0);
    return { successful: count('SuccessfulCall(C)'), failed: count('FailedCall(C)') };
  }

  /** Without what came again after a call was over and good: on a busy machine a 200 is repeated, and so is its ACK. */
  #errors(): string {
    const events = this.#read('errors.log').split(/^(?=\d{4}-\d\d-\d\d\t)/m);
    return events
      .filter((event) => !event.startsWith('The following events occurred') && !/Dead call \S+ \(successful\), received/.test(event))
      .join('')
      .trim();
  }

  #read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }
}

async function prepare(options: SippOptions): Promise<{ port: number; folder: string; args: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'sipp-'));
  const port = options.port ?? (await freePort());
  writeFileSync(join(folder, 'scenario.xml'), scenarioText(options.scenario, options.words ?? {}));
  return {
    port,
    folder,
    args: [
      ...['-sf', 'scenario.xml', '-m', String(options.calls ?? 1), '-t', options.transport === 'tcp' ? 't1' : 'u1'],
      ...['-i', '127.0.0.1', '-p', String(port), '-ci', '127.0.0.1', '-cp', String(await freePort())],
      ...['-mi', '127.0.0.1', '-mp', String(await freePort()), '-nostdin', '-skip_rlimit'],
      // Its watchdog would tell among the errors that a busy machine left it alone for half a second.
      ...['-watchdog_interval', '0'],
      ...['-trace_err', '-error_file', 'errors.log', '-trace_stat', '-stf', 'statistics.csv', '-fd', '1'],
      ...['-trace_msg', '-message_file', 'messages.log', '-timeout', '100', '-timeout_error'],
    ],
  };
}

function scenarioText(name: string, words: Record<string, string>): string {
  const sdp = (setup: string): string =>
    readFileSync(new URL('webrtc.sdp', scenarios), 'utf8').trim().replace('@SETUP@', setup).replaceAll(/^/gm, '      ');
  const text = name.startsWith('<?xml') ? name : readFileSync(new URL(`${name}.xml`, scenarios), 'utf8');
  const all: Record<string, string> = {
    CONTACT_USER: 'sipp',
    TALK_MS: '50',
    ...words,
    OFFER: sdp('actpass'),
    ANSWER: sdp('active'),
    HOLD: sdp('actpass').replace('a=sendrecv', 'a=sendonly'),
    PLAIN: plainSdp,
  };
  return text.replaceAll(/@([A-Z_]+)@/g, (whole, word: string) => {
    const value = all[word];
    if (value === undefined) throw new Error(`scenario ${name.slice(0, 60)} wants a value for ${whole}`);
    return value;
  });
}

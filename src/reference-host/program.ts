/**
 * The demonstration from start to end: playground registrar, extension, reference host, two users, one call, the ladder of what
 * happened; then it serves until it is told to stop. All output goes through `print`; what was opened is closed last-in first-out.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'winston';
import { messageOf } from '../base/errors.js';
import { Releasers } from '../base/releasers.js';
import { second } from '../base/units.js';
import type { HostExtension } from '../index.js';
import { observed, type Crossing } from './crossings.js';
import { callOnce } from './demo.js';
import { avoidBusyPorts, demoSettings, type DemoSettings } from './demo-settings.js';
import { EchoPhone } from './echo-phone.js';
import { drawLadder } from './ladder.js';
import { startPlayground, type Playground, type PlaygroundMessage } from './playground/playground.js';
import { startReferenceHost, type ReferenceHost, type ReferenceHostOptions } from './server.js';

export interface ProgramOptions {
  /** The path of server.conf. */
  conf: string;
  /** Ends after the call instead of serving on. */
  once: boolean;
  /** 8080 unless it is busy; 0: any free port. */
  httpPort: number;
  /** The folder of the session descriptions that stand for two browsers. */
  sdpFolder: URL;
  readServerConf(file: string): Promise<{ tree: Record<string, unknown> }>;
  loadExtension(tree: Record<string, unknown>): Promise<HostExtension>;
  logger: Logger;
  print: (line: string) => void;
  /** Aborted when the program is to end. */
  stopAsked: AbortSignal;
}

const alice = { id: 1, name: 'Alice' };
const bob = { id: 2, name: 'Bob' };
const echo = { id: 3, name: 'Echo' };
/** Whom the playground rings for a number. */
const numbers = { '600': echo };

/** Ctrl-C must be over within 3 s; a start must have registered everybody within 15 s. */
const closingMs = 2.7 * second;
const registeringMs = 15 * second;

/** @returns the exit code */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const { print, stopAsked } = options;
  const releasers = new Releasers((message) => options.logger.warn(message));
  const stopped = new Promise<'stopped'>((resolve) => {
    stopAsked.addEventListener('abort', () => {
      resolve('stopped');
    });
  });
  let code = 0;
  try {
    const outcome = await Promise.race([demonstrate(options, releasers), stopped]);
    if (outcome !== 'stopped' && !options.once) await stopped;
  } catch (thrown) {
    print(`The demonstration failed: ${messageOf(thrown)}`);
    code = 1;
  }
  const deadline = new AbortController();
  const closed = releasers.releaseAll().then(() => true);
  const late = wait(closingMs, false, { signal: deadline.signal }).catch(() => false);
  const inTime = await Promise.race([closed, late]);
  deadline.abort();
  if (inTime) return code;
  print(`Not everything was closed within ${closingMs / second} s.`);
  return 1;
}

async function demonstrate(options: ProgramOptions, releasers: Releasers): Promise<void> {
  const { print, conf } = options;
  const settings = demoSettings((await options.readServerConf(conf)).tree, conf);
  const { registrar, tree } = settings;
  const seen: Crossing[] = [];
  const crossings = { record: (crossing: Crossing) => void seen.push(crossing) };

  const playground = await openPlayground(settings, print, crossings);
  releasers.add('the playground registrar', () => playground.stop());
  if (playground.udpPort !== registrar.port) await moveRegistrar(tree, playground.udpPort, releasers);
  for (const note of await avoidBusyPorts(tree)) print(note);

  const extension = observed(await options.loadExtension(tree), (crossing) => {
    crossings.record(crossing);
  });
  const opening = openHost({ extension, config: { tree }, logger: options.logger, port: options.httpPort }, print);
  // Also when the program is told to stop while it starts.
  releasers.add('the reference host', async () => {
    const host = await opening.catch(() => undefined);
    await host?.stop({ drainMs: 0 });
    const left = playground.bindings().length;
    if (host !== undefined) print(left === 0 ? 'Un-registered all users. Good-bye.' : `${left} contacts stay registered.`);
  });
  const host = await opening;

  for (const user of [alice, bob]) {
    await host.users.create(user);
    await registered(`sip:${registrar.userPrefix}${user.id}@${registrar.host}`, extension, playground, options.stopAsked);
  }
  const address = `sip:${registrar.userPrefix}${bob.id}@${registrar.host}`;
  const [offer, answer] = await Promise.all(
    ['chrome-audio-offer.sdp', 'chrome-audio-answer.sdp'].map((name) => readFile(new URL(name, options.sdpFolder), 'utf8')),
  );
  await callOnce({ url: host.url, alice, bob, address, offer: offer ?? '', answer: answer ?? '' });

  const callers = [alice, bob].map(({ id }) => `${registrar.userPrefix}${id}`);
  const shown = seen.filter((crossing) => crossing.kind !== 'sip' || callers.includes(crossing.message.fromUser ?? ''));
  for (const line of report(host, playground, shown)) print(line);
  if (options.once) return;
  // Nothing more is drawn, so nothing more is kept.
  crossings.record = () => undefined;
  const echoes = await openEcho(host, options.logger, releasers);
  for (const line of whereToGoOn(host, settings, conf, echoes)) print(line);
}

/** @returns whether it answers */
async function openEcho(host: ReferenceHost, logger: Logger, releasers: Releasers): Promise<boolean> {
  await host.users.create(echo);
  const phone = await EchoPhone.open(host.url, echo, (message) => logger.warn(message));
  if (phone === undefined) return false;
  releasers.add('the echo', () => phone.close());
  return true;
}

async function openPlayground({ registrar }: DemoSettings, print: (line: string) => void, crossings: { record(crossing: Crossing): void }): Promise<Playground> {
  const isOurUser = (user: string): boolean =>
    user.startsWith(registrar.userPrefix) && /^\d+$/.test(user.slice(registrar.userPrefix.length));
  const options = {
    host: registrar.host,
    udpPort: registrar.port,
    recordRoute: true,
    numbers: Object.fromEntries(Object.entries(numbers).map(([number, { id }]) => [number, `${registrar.userPrefix}${id}`])),
    passwordOf: (user: string) => (isOurUser(user) ? registrar.password : undefined),
    onMessage: (message: PlaygroundMessage) => {
      crossings.record({ kind: 'sip', message });
    },
  };
  try {
    return await startPlayground(options);
  } catch (thrown) {
    if (!isBusy(thrown instanceof Error ? thrown.cause : undefined)) throw thrown;
    const playground = await startPlayground({ ...options, udpPort: 0 });
    print(`Port ${registrar.port} is busy: the playground registrar takes ${playground.udpPort}.`);
    return playground;
  }
}

async function openHost(options: ReferenceHostOptions, print: (line: string) => void): Promise<ReferenceHost> {
  try {
    return await startReferenceHost(options);
  } catch (thrown) {
    if (!isBusy(thrown) || options.port === 0) throw thrown;
    const host = await startReferenceHost({ ...options, port: 0 });
    print(`HTTP port ${options.port ?? ''} is busy: the reference host takes ${new URL(host.url).port}.`);
    return host;
  }
}

/**
 * The accounts in the configured database name the configured port. With another one they get a database of this run alone, so that the
 * next start finds its own as it was.
 * @throws Error when the database is a server
 */
async function moveRegistrar(tree: DemoSettings['tree'], port: number, releasers: Releasers): Promise<void> {
  const { autocreate } = tree.modules.sip;
  const database = tree.services.postgresql;
  if (database.embedded === undefined) {
    throw new Error(`Port ${autocreate.port} is busy, and the accounts in the database name it: set another modules.sip.autocreate.port.`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'dialog-sip-demo-'));
  releasers.add('the database of this run', () => rm(folder, { recursive: true, force: true }));
  autocreate.port = port;
  database.embedded = folder;
}

/**
 * Resolves when the registrar has a contact for `aor` and the extension knows of it.
 * @throws Error saying what keeps the user from being registered
 */
async function registered(aor: string, extension: HostExtension, playground: Playground, stopAsked: AbortSignal): Promise<void> {
  const deadline = Date.now() + registeringMs;
  for (;;) {
    const { byState, troubled } = extension.status().registrations;
    const bound = playground.bindings();
    if (bound.some((binding) => binding.aor === aor) && byState.registered >= bound.length) return;
    if (Date.now() > deadline) {
      const trouble = troubled.find((registration) => registration.aor === aor);
      const reason = trouble === undefined ? 'no reason was given.' : `it is ${trouble.state}: ${trouble.lastError ?? 'no answer yet.'}`;
      throw new Error(`${aor} was not registered within ${registeringMs / second} s; ${reason}`);
    }
    await wait(20, undefined, { signal: stopAsked });
  }
}

function report(host: ReferenceHost, playground: Playground, crossings: Crossing[]): string[] {
  return [
    '',
    `Alice and Bob are messenger users. Each got a SIP account and was registered;`,
    `then Alice called Bob's SIP address through the registrar. What happened:`,
    '',
    ...drawLadder(crossings),
    '',
    `Messages that the registrar passed on have an arrow at both ends. Left out: 100`,
    `Trying, ACKs of refusals, retransmissions.`,
    '',
    `Extension:  SIP on ${host.extension.status().listening.join(', ')}`,
    `Registrar:  a playground on ${playground.host}, udp and tcp ${playground.udpPort}, ws ${playground.wsPort}`,
  ];
}

function whereToGoOn(host: ReferenceHost, settings: DemoSettings, conf: string, echoes: boolean): string[] {
  const { registrar } = settings;
  return [
    `Messenger:  ${host.url}`,
    '',
    'Open it in two tabs of a browser, sign in as Alice in one and as Bob in the',
    'other, and call: you hear and see each other.',
    echoes ? 'Alone? Call 600: an echo answers.' : 'No echo answers at 600: it needs the optional dependency werift.',
    'Or in another terminal:',
    '',
    `  URL=${host.url}`,
    `  curl -s $URL/api/status`,
    `  TOKEN=$(curl -s $URL/api/session -H 'content-type: application/json' \\`,
    `    -d '{"userId":1}' | cut -d'"' -f4)`,
    `  curl -s $URL/api/users -H 'content-type: application/json' \\`,
    `    -H "authorization: Bearer $TOKEN" -d '{"name":"Carol"}'`,
    '',
    `The last makes a fourth user, registered as ${registrar.userPrefix}4. README.md says the rest.`,
    ...whoIsRegistered(settings, conf),
    `A configuration of your own is checked by`,
    '',
    '  node dist/cli/main.js check-config FILE',
    '',
    `Serving until Ctrl-C.`,
  ];
}

/** The command that asks the running extension; server.conf says where and with which token, unless that port was busy. */
function whoIsRegistered({ tree, adminPort }: DemoSettings, conf: string): string[] {
  const { on, host, port } = tree.modules.sip.admin;
  if (!on) return [];
  const words = ['  node dist/cli/main.js registrations', `--config ${relative('', conf)}`, ...(port === adminPort ? [] : [`--url http://${host}:${port}`])];
  const line = words.join(' ');
  const console = `Console:    http://${host}:${port}, with the token of ${relative('', conf)}`;
  return ['', console, '', 'Who is registered, and who is not and why, is told there, and by', '', ...(line.length > 80 ? words.join(' \\\n    ').split('\n') : [line]), ''];
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';
}

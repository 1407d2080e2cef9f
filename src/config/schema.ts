/**
 * From the tree of server.conf to `SipConfig`, the settings the rest of the program reads: validated, with every default filled in,
 * durations in milliseconds and paths absolute. What is wrong is told all at once, each with its place in the file.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { ConfigError, messageOf } from '../base/errors.js';
import type { ConfigIssue } from '../base/errors.js';
import type { SipTransport } from '../base/sip-transport.js';
import { postgresqlServerKeys, serverConfSchema } from './keys.js';
import { knownKeys } from './json-schema.js';
import { nearestName } from './nearest.js';
import type { ConfigTree } from './read.js';
import { isRecord, readSecretKey } from './values.js';

/** `modules.sip` and `services.postgresql`. The keys' meaning stands in `keys.ts`; every `...Ms` is in milliseconds. */
export interface SipConfig {
  extension: string;
  traceLevel: 0 | 2 | 4 | 8 | 16 | 32;
  ignoreContact: boolean;
  register: {
    expiresMs: number;
    intervalMs: number;
    /** Per second and registrar. */
    maxRate: number;
    maxInFlight: number;
  };
  autocreate: {
    on: boolean;
    /** Always there when `on`. */
    host?: string;
    port: number;
    parameters: { transport: SipTransport; method?: string };
    headers: { host?: string; location?: string };
    register: boolean;
    canCall: boolean;
    canBeCalled: boolean;
    userPrefix: string;
    password: { mode: 'none' } | { mode: 'fixed'; value: string } | { mode: 'derived'; secret: string } | { mode: 'random' };
  };
  listen: {
    host: string;
    udpPort: number;
    tcpPort: number;
    /** Absent: TLS connections are not taken. */
    tlsPort?: number;
    advertisedHost?: string;
    /** Addresses and CIDR blocks. */
    trusted: string[];
    /** Absolute paths of PEM files. */
    tls: { cert?: string; key?: string; ca?: string; verify: boolean };
  };
  calls: {
    setupTimeoutMs: number;
    ringTimeoutMs: number;
    candidateTimeoutMs: number;
    sessionExpiresMs: number;
    statedIdentity: 'none' | 'preferred' | 'asserted';
    drainMs: number;
    records: { on: boolean; keepMs: number };
    /** 0: no limit. */
    maxPerUser: number;
    maxPerMinute: number;
    maxTotal: number;
    /** Patterns, as they were written. */
    allow: string[];
    deny: string[];
    /** `defaultCountry`: two capitals. `match`: a regular expression that cannot take long. */
    number: { defaultCountry?: string; rewrite: { match: string; to: string }[] };
  };
  /** Keys of 32 bytes; as `KeyObject`s they show nothing of themselves when printed. Without a key, passwords are stored as they are. */
  secrets: { key?: KeyObject; previous: KeyObject[] };
  webrtc: {
    /** Encoding names, lower case. */
    audio: string[];
    video: string[];
    bundlePolicy: 'balanced' | 'max-compat' | 'max-bundle';
    rtcpMuxPolicy: 'require' | 'negotiate';
    enforce: boolean;
  };
  admin: AdminConfig;
  /** Absent: the host hands over its own pool. */
  database?: DatabaseConfig;
}

/** `off` keeps what is set, so that it can be shown. */
export type AdminConfig = { host: string; port: number; ladderMegabytes: number } & ({ on: true; token: string } | { on: false; token?: string });

export type DatabaseConfig =
  /** An absolute path. */
  | { kind: 'embedded'; directory: string }
  | {
      kind: 'postgresql';
      host: string;
      port: number;
      db: string;
      user: string;
      /** Empty: none is sent. */
      password: string;
      ssl: boolean;
      /** 0: none. */
      statementTimeoutMs: number;
      poolMax: number;
    };

/** A tree the host parsed already has neither a file nor positions; its relative paths count from the working directory. */
export type SomeTree = ConfigTree | { tree: Record<string, unknown> };

type ServerConf = z.output<typeof serverConfSchema>;

/**
 * Validates and converts.
 * @throws ConfigError with every issue
 */
export function toSipConfig(conf: SomeTree): SipConfig {
  const folder = 'file' in conf ? dirname(resolve(conf.file)) : process.cwd();
  const parsed = serverConfSchema.safeParse(conf.tree);
  const found = [...(parsed.error?.issues ?? []).flatMap(describe), ...databaseIssues(conf.tree), ...fileIssues(conf.tree, folder)];
  if (!parsed.success || found.length > 0) throw new ConfigError(found.map((issue) => locate(issue, conf)).sort(inOrderOfText));
  return convert(parsed.data, folder);
}

interface Found {
  path: string[];
  message: string;
}

function describe(issue: z.core.$ZodIssue): Found[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => {
    const known = knownKeys(path);
    const nearest = nearestName(key, known);
    const hint = nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean ${[...path, nearest].join('.')}?`;
    return { path: [...path, key], message: `is not a known key; ${hint}` };
  });
}

/** A server needs all of its keys; with none of them, the section is the host's business alone. */
function databaseIssues(tree: Record<string, unknown>): Found[] {
  const section = valueAt(tree, ['services', 'postgresql']);
  if (!isRecord(section) || isSet(section.embedded)) return [];
  const missing = postgresqlServerKeys.filter((key) => !isSet(section[key]));
  if (missing.length === postgresqlServerKeys.length) return [];
  return missing.map((key) => ({
    path: ['services', 'postgresql', key],
    message: `is missing, want ${postgresqlServerKeys.join(', ')} together, or embedded = "folder"`,
  }));
}

/** The certificate and key are read only when TLS is taken, the authorities whenever they are named. */
function fileIssues(tree: Record<string, unknown>, folder: string): Found[] {
  const listen = valueAt(tree, ['modules', 'sip', 'listen']);
  const tls = valueAt(tree, ['modules', 'sip', 'listen', 'tls']);
  if (!isRecord(listen) || !isRecord(tls)) return [];
  const names = isSet(listen['tls-port']) ? ['cert', 'key', 'ca'] : ['ca'];
  return names.flatMap((name) => {
    const file = tls[name];
    if (typeof file !== 'string') return [];
    const problem = whyUnreadable(resolve(folder, file));
    return problem === undefined ? [] : [{ path: ['modules', 'sip', 'listen', 'tls', name], message: problem }];
  });
}

function whyUnreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isFile() ? undefined : `found ${JSON.stringify(file)}, which is no file; want a PEM file`;
  } catch (thrown) {
    return `found ${JSON.stringify(file)}, which cannot be read (${messageOf(thrown)}); want a PEM file`;
  }
}

/** A key that is missing stands where the object that lacks it does. */
function locate({ path, message }: Found, conf: SomeTree): ConfigIssue {
  const key = path.join('.');
  if (!('position' in conf)) return { key, message };
  for (let length = path.length; length > 0; length -= 1) {
    const at = conf.position(path.slice(0, length));
    if (at !== undefined) return { key, ...at, message };
  }
  return { key, file: conf.file, message };
}

/** As somebody reads the file from its top; those of an included file stay together. */
function inOrderOfText(one: ConfigIssue, other: ConfigIssue): number {
  if (one.file !== other.file) return (one.file ?? '') < (other.file ?? '') ? -1 : 1;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function convert({ modules: { sip }, services }: ServerConf, folder: string): SipConfig {
  const { register, autocreate, listen, calls, secrets, webrtc, admin } = sip;
  const { cert, key, ca, verify } = listen.tls;
  const database = convertDatabase(services.postgresql, folder);
  return {
    extension: sip.extension,
    traceLevel: sip['trace-level'],
    ignoreContact: sip['dialog-ignore-contact-field'],
    register: {
      expiresMs: register.expires,
      intervalMs: register.interval,
      maxRate: register['max-rate'],
      maxInFlight: register['max-in-flight'],
    },
    autocreate: {
      on: autocreate.on,
      ...given('host', autocreate.host),
      port: autocreate.port,
      parameters: { transport: autocreate.parameters.transport, ...given('method', autocreate.parameters.method) },
      headers: { ...given('host', autocreate.headers.host), ...given('location', autocreate.headers.location) },
      register: autocreate.register,
      canCall: autocreate['can-call'],
      canBeCalled: autocreate['can-be-called'],
      userPrefix: autocreate['user-prefix'],
      password: convertPassword(autocreate.password),
    },
    listen: {
      host: listen.host,
      udpPort: listen['udp-port'],
      tcpPort: listen['tcp-port'],
      ...given('tlsPort', listen['tls-port']),
      ...given('advertisedHost', listen['advertised-host']),
      trusted: listen.trusted,
      tls: {
        ...given('cert', cert && resolve(folder, cert)),
        ...given('key', key && resolve(folder, key)),
        ...given('ca', ca && resolve(folder, ca)),
        verify,
      },
    },
    calls: {
      setupTimeoutMs: calls['setup-timeout'],
      ringTimeoutMs: calls['ring-timeout'],
      candidateTimeoutMs: calls['candidate-timeout'],
      sessionExpiresMs: calls['session-expires'],
      statedIdentity: calls['stated-identity'],
      drainMs: calls.drain,
      records: { on: calls.records.on, keepMs: calls.records.keep },
      maxPerUser: calls['max-per-user'],
      maxPerMinute: calls['max-per-minute'],
      maxTotal: calls['max-total'],
      allow: calls.allow,
      deny: calls.deny,
      number: { ...given('defaultCountry', calls.number['default-country']), rewrite: calls.number.rewrite },
    },
    secrets: {
      ...given('key', secrets.key === undefined ? undefined : toKey(secrets.key)),
      previous: secrets.previous.map(toKey),
    },
    webrtc: {
      audio: webrtc.audio,
      video: webrtc.video,
      bundlePolicy: webrtc['bundle-policy'],
      rtcpMuxPolicy: webrtc['rtcp-mux-policy'],
      enforce: webrtc.enforce,
    },
    admin: convertAdmin(admin),
    ...given('database', database),
  };
}

/** The schema has seen to it that it is one. */
function toKey(text: string): KeyObject {
  return createSecretKey(readSecretKey(text) ?? Buffer.alloc(0));
}

function convertPassword({ mode, value = '', secret = '' }: ServerConf['modules']['sip']['autocreate']['password']): SipConfig['autocreate']['password'] {
  switch (mode) {
    case 'fixed':
      return { mode, value };
    case 'derived':
      return { mode, secret };
    default:
      return { mode };
  }
}

/** The schema has seen to it that what is on has a token. */
function convertAdmin({ on, host, port, token, 'ladder-megabytes': ladderMegabytes }: ServerConf['modules']['sip']['admin']): AdminConfig {
  const place = { host, port, ladderMegabytes };
  return on && token !== undefined ? { on, ...place, token } : { on: false, ...place, ...given('token', token) };
}

function convertDatabase(section: ServerConf['services']['postgresql'], folder: string): DatabaseConfig | undefined {
  if (section === undefined) return undefined;
  const { embedded, host, port, db, user, password = '', ssl, pool, 'statement-timeout': statementTimeoutMs } = section;
  if (embedded !== undefined) return { kind: 'embedded', directory: resolve(folder, embedded) };
  if (host === undefined || db === undefined || user === undefined) return undefined;
  return { kind: 'postgresql', host, port, db, user, password, ssl, statementTimeoutMs, poolMax: pool.max };
}

/** The property when it has a value, else nothing: absent and undefined are not the same to who spreads it. */
function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, part) => (isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined), tree);
}

/**
 * The effective configuration as a person would write it: every key with its value, defaults filled in, secrets as
 * `"***"`, the guide's names, HOCON that reads back to the same settings once the secrets are filled in.
 */
import { writeDuration } from './durations.js';
import type { SipConfig } from './schema.js';

/** What stands in place of a secret. */
const mask = '***';

/** In place of a token: as long as the shortest, so that it reads back. */
const tokenMask = '*'.repeat(16);

/** A line, or a named group of lines; `undefined` is a key that is not set, and is left out. */
type Value = string | number | boolean | readonly (string | Row)[] | Duration | Group | undefined;
/** An element of a list, on a line of its own. */
type Row = Readonly<Record<string, string>>;
interface Group {
  [key: string]: Value;
}
class Duration {
  constructor(readonly ms: number) {}
}

const widest = 80;

/** HOCON text, ending in a line break. */
export function writeEffectiveConf(config: SipConfig): string {
  const { register, autocreate, listen, calls, secrets, webrtc, admin } = config;
  const sip: Group = {
    extension: config.extension,
    'trace-level': config.traceLevel,
    'dialog-ignore-contact-field': config.ignoreContact,
    register: {
      expires: new Duration(register.expiresMs),
      interval: new Duration(register.intervalMs),
      'max-rate': register.maxRate,
      'max-in-flight': register.maxInFlight,
    },
    autocreate: {
      on: autocreate.on,
      host: autocreate.host,
      port: autocreate.port,
      parameters: { ...autocreate.parameters },
      headers: { ...autocreate.headers },
      register: autocreate.register,
      'can-call': autocreate.canCall,
      'can-be-called': autocreate.canBeCalled,
      'user-prefix': autocreate.userPrefix,
      password: {
        mode: autocreate.password.mode,
        value: autocreate.password.mode === 'fixed' ? mask : undefined,
        secret: autocreate.password.mode === 'derived' ? mask : undefined,
      },
    },
    listen: {
      host: listen.host,
      'udp-port': listen.udpPort,
      'tcp-port': listen.tcpPort,
      'tls-port': listen.tlsPort,
      'advertised-host': listen.advertisedHost,
      trusted: listen.trusted,
      tls: { ...listen.tls },
    },
    calls: {
      'setup-timeout': new Duration(calls.setupTimeoutMs),
      'ring-timeout': new Duration(calls.ringTimeoutMs),
      'candidate-timeout': new Duration(calls.candidateTimeoutMs),
      'session-expires': new Duration(calls.sessionExpiresMs),
      'stated-identity': calls.statedIdentity,
      drain: new Duration(calls.drainMs),
      'max-per-user': calls.maxPerUser,
      'max-per-minute': calls.maxPerMinute,
      'max-total': calls.maxTotal,
      allow: calls.allow,
      deny: calls.deny,
      records: { on: calls.records.on, keep: new Duration(calls.records.keepMs) },
      number: { 'default-country': calls.number.defaultCountry, rewrite: calls.number.rewrite },
    },
    secrets: {
      key: secrets.key === undefined ? undefined : mask,
      previous: secrets.previous.map(() => mask),
    },
    webrtc: {
      audio: webrtc.audio,
      video: webrtc.video,
      'bundle-policy': webrtc.bundlePolicy,
      'rtcp-mux-policy': webrtc.rtcpMuxPolicy,
      enforce: webrtc.enforce,
    },
    admin: {
      on: admin.on,
      host: admin.host,
      port: admin.port,
      token: admin.token === undefined ? undefined : tokenMask,
      'ladder-megabytes': admin.ladderMegabytes,
    },
  };
  const groups = [writeGroup('modules.sip', sip, ''), writeGroup('services.postgresql', databaseGroup(config.database), '')];
  return `${groups.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function databaseGroup(database: SipConfig['database']): Group {
  if (database === undefined) return {};
  if (database.kind === 'embedded') return { embedded: database.directory };
  const { host, port, db, user, password, ssl, statementTimeoutMs, poolMax } = database;
  return { host, port, db, user, password: password === '' ? undefined : mask, ssl, 'statement-timeout': new Duration(statementTimeoutMs), pool: { max: poolMax } };
}

/** A group of nothing but an unset database is left out altogether; other empty ones are `{}`, which says as much. */
function writeGroup(name: string, group: Group, indent: string): string[] {
  const entries = Object.entries(group).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return indent === '' ? [] : [`${indent}${name} = {}`];
  const inner = `${indent}  `;
  const lines = entries.flatMap(([key, value]) =>
    isGroup(value) ? writeGroup(key, value, inner) : writeLine(key, value, inner),
  );
  return [`${indent}${name} {`, ...lines, `${indent}}`];
}

function writeLine(key: string, value: Exclude<Value, Group>, indent: string): string[] {
  const line = `${indent}${key} = ${writeValue(value)}`;
  if (!isList(value) || line.length <= widest) return [line];
  return [`${indent}${key} = [`, ...value.map((element) => `${indent}  ${writeElement(element)}`), `${indent}]`];
}

function writeValue(value: Exclude<Value, Group>): string {
  if (value instanceof Duration) return writeDuration(value.ms);
  return isList(value) ? `[${value.map(writeElement).join(', ')}]` : JSON.stringify(value);
}

function writeElement(element: string | Row): string {
  if (typeof element === 'string') return JSON.stringify(element);
  return `{ ${Object.entries(element).map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join(', ')} }`;
}

function isList(value: Value): value is readonly (string | Row)[] {
  return Array.isArray(value);
}

function isGroup(value: Value): value is Group {
  return typeof value === 'object' && !isList(value) && !(value instanceof Duration);
}

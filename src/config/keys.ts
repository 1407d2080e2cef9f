/**
 * Every key of server.conf that the extension reads, with its limits, its default and, in words, its unit and what 0
 * means. Those marked (guide) keep the name and meaning that the SIP Integration Guide gives them. The JSON Schema that
 * editors use is made from this file.
 */
import * as z from 'zod';
import { sipTransports } from '../base/sip-transport.js';
import { hour, minute, second } from '../base/units.js';
import {
  addressBlock, addressPattern, country, dropNulls, duration, durationOrNone, flag, groupsOf, host, isRecord, list, oneWordOf, rate, readNumber, readObject, regex, secret, secretKey,
  section, text, token, wants, whole,
} from './values.js';

/** What loads the class of this package. */
const builtInExtension = 'im.dlg.sip.extension.SipExtension';

/** A rule over several keys: it is checked whatever else is wrong in the section, so that all is told at once. */
function rule(path: string[], error: string): { path: string[]; error: string; when: (payload: { value: unknown }) => boolean } {
  return { path, error, when: ({ value }) => isRecord(value) };
}

const register = section({
  expires: duration(minute, 24 * hour).default(30 * minute)
    .describe('(guide) How long a registration is asked to last: the Expires header of REGISTER. Default 30 minutes. 0 is not accepted.'),
  interval: duration(second, 24 * hour).default(30 * minute)
    .describe('(guide) The longest time between two REGISTERs of one account. An expiry granted by the registrar that needs an earlier refresh wins. Default 30 minutes. 0 is not accepted.'),
  'max-rate': rate(100_000).default(200)
    .describe('REGISTERs per second to one registrar, over all accounts. Default 200. 0 is not accepted.'),
  'max-in-flight': whole(1, 1_000_000).default(500)
    .describe('REGISTERs to one registrar that may wait for their answer at once. Default 500. 0 is not accepted.'),
});

const password = section({
  mode: oneWordOf(['none', 'fixed', 'derived', 'random']).default('none')
    .describe('Where the SIP password of a new mapping comes from: none, it has none; fixed, it is `value`; derived, it is made of `secret` and the user id; random, it is 24 random bytes in base64url. Default none.'),
  value: secret().optional().describe('The SIP password of every new mapping when mode is fixed. Never printed or logged.'),
  secret: secret(16).optional()
    .describe('With mode = derived: the password of user 434 is HMAC-SHA256(secret, "434") in base64url, 43 characters, so that the registrar can derive it too. At least 16 characters. Never printed or logged.'),
})
  .refine(
    (value) => value.mode !== 'fixed' || value.value !== undefined,
    rule(['value'], 'is missing, want the password that mode = fixed gives to every account'),
  )
  .refine(
    (value) => value.mode === 'fixed' || value.value === undefined,
    rule(['value'], 'has no effect without mode = fixed; set that, or leave it out'),
  )
  .refine(
    (value) => value.mode !== 'derived' || value.secret !== undefined,
    rule(['secret'], 'is missing, want the secret that mode = derived makes passwords of'),
  )
  .refine(
    (value) => value.mode === 'derived' || value.secret === undefined,
    rule(['secret'], 'has no effect without mode = derived; set that, or leave it out'),
  );

const parameters = section({
  transport: oneWordOf(sipTransports).default('udp').describe('(guide) How SIP travels to the registrar. Default udp.'),
  method: text('an HTTP method like GET', /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/).optional()
    .describe('(guide) For ws and wss: the HTTP verb of the WebSocket handshake. Absent: GET.'),
});

const headers = section({
  host: text('"host" or "host:port"', /^[A-Za-z0-9._\-:[\]]{1,255}$/).optional()
    .describe('(guide) For ws and wss: the Host header of the WebSocket handshake, "example.com:port". Absent: host and port of the registrar.'),
  location: text('a path that starts with /', /^\/[!-~]*$/).optional()
    .describe('(guide) For ws and wss: the HTTP path of the WebSocket handshake. Absent: /.'),
});

const autocreate = section({
  on: flag().default(false).describe('(guide) Whether a new messenger user gets a SIP account by itself. Default false.'),
  host: host().optional().describe('(guide) The registrar of new accounts: host name or IP address. Needed when on is true.'),
  port: whole(0, 65_535, 'a port, 0 to 65535').default(5060)
    .describe('(guide) The port of the registrar. Default 5060. 0: none; the registrar is located by DNS: SRV for the transport, else addresses and its usual port.'),
  parameters: z.preprocess(readObject, parameters).prefault({}).describe('(guide) As sip_parameters of the mapping table: {"transport": "udp"}, or the same as JSON in a text.'),
  headers: z.preprocess(readObject, headers).prefault({}).describe('(guide) As sip_headers of the mapping table: {} or {"host": "example.com:port", "location": "/index"}.'),
  register: flag().default(true).describe('(guide) Whether new accounts are registered at the registrar. Default true.'),
  'can-call': flag().default(true).describe('Whether new accounts may call out, messenger to SIP. Default true.'),
  'can-be-called': flag().default(true).describe('Whether new accounts may be called, SIP to messenger. Default true.'),
  'user-prefix': text('letters, digits and -_.!~*\'()&=+$,;?/ alone', /^[A-Za-z0-9\-_.!~*'()&=+$,;?/]{0,64}$/).default('')
    .describe('(guide) What stands before the user id: with "dialog", user 434 is sip:dialog434@host. Default nothing.'),
  password: z.preprocess(dropNulls, password).prefault({}).describe('The SIP password of new accounts.'),
}).refine(
  (value) => !value.on || value.host !== undefined,
  rule(['host'], 'is missing, want the host of the registrar, since autocreate.on is true'),
);

const tls = section({
  cert: text('the path of a file').optional().describe('Our certificate chain, a PEM file; relative paths count from the folder of server.conf.'),
  key: text('the path of a file').optional().describe('The private key of `cert`, a PEM file.'),
  ca: text('the path of a file').optional().describe('Whom we trust as a registrar, a PEM file. Absent: the authorities that Node.js trusts.'),
  verify: flag().default(true).describe('Whether the certificate of a registrar is checked. Default true.'),
});

const listen = section({
  host: host().default('0.0.0.0').describe('The local address on which SIP is taken. Default 0.0.0.0, all of them.'),
  'udp-port': whole(0, 65_535, 'a port, 0 to 65535').default(5060).describe('The local UDP port. Default 5060. 0: any free port.'),
  'tcp-port': whole(0, 65_535, 'a port, 0 to 65535').default(5060).describe('The local TCP port. Default 5060. 0: any free port.'),
  'tls-port': whole(0, 65_535, 'a port, 0 to 65535').optional()
    .describe('The local TLS port; needs tls.cert and tls.key. Absent: TLS is not taken, only opened towards registrars. 0: any free port.'),
  'advertised-host': host().optional()
    .describe('What Contact and Via say when it is not the local address. Absent: the local address that leads to the registrar.'),
  trusted: list(addressBlock()).default([]).describe('Addresses or CIDR blocks, beside the registrars themselves, that may send us requests. Default none.'),
  tls: z.preprocess(dropNulls, tls).prefault({}).describe('Certificates for tls and wss.'),
})
  .refine(
    (value) => value['tls-port'] === undefined || value.tls.cert !== undefined,
    rule(['tls', 'cert'], 'is missing, want the file of our certificate, since listen.tls-port is set'),
  )
  .refine(
    (value) => value['tls-port'] === undefined || value.tls.key !== undefined,
    rule(['tls', 'key'], 'is missing, want the file of our private key, since listen.tls-port is set'),
  );

const records = section({
  on: flag().default(true).describe('Whether a row of sip_calls is written for each call that is over, for `dialog-sip calls`. Default true.'),
  keep: duration(hour, 3_650 * 24 * hour).default(90 * 24 * hour)
    .describe('How long such a row is kept after the end of its call. Default 90 days. 0 is not accepted.'),
});

const rewriteRule = section({
  match: regex().describe('A regular expression (ECMAScript, flag u), of which part of what is dialled is matched: "^00".'),
  to: text('digits, letters, + * # . _ - and $1 to $9', /^(?:[A-Za-z0-9+*#._-]|\$[1-9])*$/).describe('What stands in its place; $1 is the first group.'),
}).refine(
  // Also told when something else is wrong with them, whatever they are then.
  ({ match, to }: { match: unknown; to: unknown }) => groupsOf(String(match)) >= Math.max(0, ...[...String(to).matchAll(/\$(\d)/g)].map(([, group]) => Number(group))),
  rule(['to'], 'names a group that match does not have'),
);

const number = section({
  'default-country': country().optional()
    .describe('Whose national numbers become E.164, by its two letters (ISO 3166-1): with DE, 030123456 is dialled as +4930123456. Extensions and SIP addresses stay. Absent: no number is changed.'),
  rewrite: list(z.preprocess(dropNulls, rewriteRule)).default([])
    .describe('Rules for what is dialled without a host; the first that matches holds: [{ match = "^0(\\\\d+)$", to = "$1" }]. Default none.'),
});

const patterns = 'A number or user, +4930123456; one that ends in * for all that begin so, +49*; user@host; a regular expression between slashes, /^0?900/.';

const calls = section({
  'setup-timeout': duration(1, hour).default(30 * second)
    .describe('How long an outgoing call waits for the first sign of the far end, milliseconds when a bare number. Default 30 seconds. 0 is not accepted.'),
  'ring-timeout': duration(1, hour).default(60 * second).describe('How long a call rings before it ends unanswered. Default 60 seconds. 0 is not accepted.'),
  'candidate-timeout': duration(0, minute).default(2 * second)
    .describe('How long an offer or answer waits for ICE candidates that come one by one. Default 2 seconds. 0: it is sent with what it has.'),
  'session-expires': durationOrNone(90 * second, 24 * hour).default(30 * minute)
    .describe('How long a call goes on without a sign of life of the far end (RFC 4028): half way it is asked for one. 90 seconds at least. Default 30 minutes. 0: we ask for none; what the far end asks for is kept.'),
  'max-per-user': whole(0, 1_000_000).default(0).describe('Calls that one user may have at once, in both directions. Default 0: as many as it likes.'),
  'max-per-minute': whole(0, 1_000).default(0).describe('Calls and transfers that one user may place within any minute. Default 0: as many as it likes.'),
  'max-total': whole(0, 1_000_000).default(0).describe('Calls at once, of all users in both directions. Default 0: as many as come.'),
  allow: list(addressPattern()).default([])
    .describe(`What may be called, after rewriting, beside the messenger's own users. ${patterns} Without a host: at the caller's registrar. Default none: everything may.`),
  deny: list(addressPattern()).default([])
    .describe(`What may not be called, whatever allow says. ${patterns} Without a host: anywhere. Default none.`),
  number: z.preprocess(dropNulls, number).prefault({}).describe('What becomes of numbers that are dialled.'),
  'stated-identity': oneWordOf(['none', 'preferred', 'asserted']).default('none')
    .describe('What calls to SIP say of the caller beside From: none; preferred, P-Preferred-Identity; asserted, P-Asserted-Identity, for registrars that trust this machine (RFC 3325). Default none.'),
  drain: duration(0, hour).default(30 * second).describe('How long stop waits for live calls to end by themselves. Default 30 seconds. 0: they are ended at once.'),
  records: z.preprocess(dropNulls, records).prefault({}).describe('The record of each call in the database.'),
});

const secrets = section({
  key: secretKey().optional()
    .describe('Encrypts sip_password in the table: 32 bytes in base64 or hex, from `openssl rand -base64 32`; best left out of the file: key = ${?SIP_SECRETS_KEY}. Never printed or logged. Absent: passwords are stored as they are.'),
  previous: list(secretKey()).default([])
    .describe('Keys that were used before: they open what they encrypted until `dialog-sip secrets rotate` has run. Never printed or logged. Default none.'),
}).refine(
  (value) => value.key !== undefined || value.previous.length === 0,
  rule(['key'], 'is missing, want the key that encrypts now, since previous names older ones'),
);

/** Encoding names of SDP (RFC 8866 section 6.6), in any case of letters. */
function codecs(some: string) {
  const accepted = `the name of a codec like ${some}`;
  return list(
    z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), text(accepted, /^[a-z0-9][a-z0-9._-]{0,31}$/)),
  );
}

const webrtc = section({
  audio: codecs('opus').default(['opus', 'pcma', 'pcmu'])
    .describe('(guide) The audio codecs that calls may use; others are taken out of offers and answers. Default opus, pcma, pcmu. None: no audio.'),
  video: codecs('vp8').default(['vp8']).describe('(guide) The video codecs that calls may use. Default vp8. None: no video.'),
  'bundle-policy': oneWordOf(['balanced', 'max-compat', 'max-bundle']).default('balanced')
    .describe('(guide) bundlePolicy of the messenger\'s clients. max-bundle: a far end with several streams outside of one BUNDLE group is refused. Default balanced.'),
  'rtcp-mux-policy': oneWordOf(['require', 'negotiate']).default('require')
    .describe('(guide) rtcpMuxPolicy of the messenger\'s clients. require: a far end without rtcp-mux is refused. Default require.'),
  enforce: flag().default(true)
    .describe('Whether offers and answers that are no WebRTC end the call, and codecs are taken out. false: they go through as they are, and the log says what is missing. Default true.'),
}).refine(
  // Also told when something else is wrong with them, whatever they are then.
  ({ audio, video }: { audio: unknown; video: unknown }) => !isEmpty(audio) || !isEmpty(video),
  rule(['audio'], 'is empty, and so is video: no call could have media; want a codec in one of them'),
);

const admin = section({
  on: flag().default(false).describe('Whether the extension answers `dialog-sip status`, `registrations`, `register` and `unregister`, and a monitoring system, over HTTP. Default false.'),
  host: host().default('127.0.0.1').describe('The local address on which it answers. Default 127.0.0.1, this machine alone: what is sent is not encrypted.'),
  port: whole(0, 65_535, 'a port, 0 to 65535').default(8088).describe('The local TCP port. Default 8088. 0: any free port, told in the log.'),
  token: token(16, 256).optional().describe('What a request must bring as `Authorization: Bearer`: 16 to 256 visible ASCII characters that nobody can guess. Needed when on is true. Never printed or logged.'),
  'ladder-megabytes': whole(0, 4_096, 'a number of megabytes, 0 to 4096').default(32)
    .describe('How much memory may be taken by what crossed lately, from which `dialog-sip ladder` draws calls and registrations. Default 32. 0: nothing is kept.'),
}).refine(
  (value) => !value.on || value.token !== undefined,
  rule(['token'], 'is missing, want a token of at least 16 characters, since admin.on is true'),
);

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** `modules.sip`. */
const sipSection = section({
  extension: text('a text').default(builtInExtension)
    .describe(`(guide) What the messaging server loads: "${builtInExtension}", or "package-or-path#ExportName". Default the former.`),
  'trace-level': z.preprocess(readNumber, z.literal([0, 2, 4, 8, 16, 32], { error: wants('one of 0, 2, 4, 8, 16, 32') })).default(0)
    .describe('(guide) How much is told of SIP: 0 nothing, 2 fatal, 4 errors, 8 warnings, 16 one line per message, 32 whole messages with secrets redacted. Default 0.'),
  'dialog-ignore-contact-field': flag().default(false)
    .describe('(guide) Whether incoming calls are routed by To and From alone, whatever Contact says. Default false.'),
  register: z.preprocess(dropNulls, register).prefault({}).describe('Registrations.'),
  autocreate: z.preprocess(dropNulls, autocreate).prefault({}).describe('SIP accounts made for new messenger users.'),
  listen: z.preprocess(dropNulls, listen).prefault({}).describe('Where SIP is taken.'),
  calls: z.preprocess(dropNulls, calls).prefault({}).describe('Limits of calls, what may be called, and records.'),
  secrets: z.preprocess(dropNulls, secrets).prefault({}).describe('How SIP passwords are kept in the table.'),
  webrtc: z.preprocess(dropNulls, webrtc).prefault({}).describe('(guide) What offers and answers have to be.'),
  admin: z.preprocess(dropNulls, admin).prefault({}).describe('Administration of the running extension over HTTP.'),
});

/** A section that the extension shares with others: what it does not know there, it passes over. */
function shared<S extends z.ZodRawShape>(shape: S) {
  return z.preprocess(dropNulls, z.looseObject(shape, { error: wants('an object, { ... }', true) }));
}

/** `services.postgresql`: the messaging server's own section, of which only these keys are read. */
const postgresqlSection = z
  .looseObject({
    embedded: text('the path of a folder', /^[^\0]+$/).optional()
      .describe('A folder for the embedded database, in place of a server: for demonstrations. Relative paths count from the folder of server.conf.'),
    host: host().optional().describe('The PostgreSQL server: host name or IP address.'),
    port: whole(1, 65_535, 'a port, 1 to 65535').default(5432).describe('Its port. Default 5432. 0 is not accepted.'),
    db: text('the name of a database', /^[^\0]+$/).optional().describe('The database that holds sip_user_mappings.'),
    user: text('the name of a database user', /^[^\0]+$/).optional().describe('The database user.'),
    password: secret().optional().describe('The password of that user. Never printed or logged. Absent: none is sent.'),
    ssl: flag().default(false).describe('Whether the connection is encrypted. Default false.'),
    'statement-timeout': duration(0, hour).default(10 * second)
      .describe('How long the server may work at one statement, milliseconds when a bare number. Default 10 seconds. 0: as long as it takes. Migrations take their time.'),
    pool: shared({ max: whole(1, 1_000).default(10).describe('Connections kept at most; one more listens for changes. Default 10. 0 is not accepted.') }).prefault({}).describe('Connections to the database.'),
  }, { error: wants('an object, { ... }', true) })
  .refine(
    (value) => value.embedded === undefined || value.host === undefined,
    rule(['embedded'], 'cannot stand beside host: want one or the other'),
  );

/** Keys that say which server to use; with one of them, all must be there. */
export const postgresqlServerKeys = ['host', 'db', 'user'] as const;

/** The parts of server.conf that the extension reads; everything else belongs to others and is passed over. */
export const serverConfSchema = z.looseObject({
  modules: shared({
    sip: z.preprocess(dropNulls, sipSection).prefault({}).describe('The SIP extension.'),
  }).prefault({}),
  services: shared({
    postgresql: z.preprocess(dropNulls, postgresqlSection).optional().describe('The database. Absent: the messaging server hands over its own.'),
  }).prefault({}),
});

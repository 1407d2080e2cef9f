import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.js';
import { parseServerConf, readServerConf } from '../../src/config/read.js';
import { toSipConfig } from '../../src/config/schema.js';
import type { SipConfig } from '../../src/config/schema.js';

function sip(text: string): SipConfig {
  return toSipConfig(parseServerConf(text, { file: 'conf/server.conf', env: {} }));
}

function complaints(read: () => unknown): string[] {
  try {
    read();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ConfigError);
    return (thrown as ConfigError).message.split('\n');
  }
  throw new Error('nothing was wrong');
}

async function fixtureComplaints(name: string): Promise<string[]> {
  const conf = await readServerConf(`fixtures/conf/${name}`, { env: {} });
  return complaints(() => toSipConfig(conf));
}

describe('the settings', () => {
  it('have a default for every key', () => {
    expect(sip('')).toEqual({
      extension: 'im.dlg.sip.extension.SipExtension',
      traceLevel: 0,
      ignoreContact: false,
      register: { expiresMs: 1_800_000, intervalMs: 1_800_000, maxRate: 200, maxInFlight: 500 },
      autocreate: {
        on: false,
        port: 5060,
        parameters: { transport: 'udp' },
        headers: {},
        register: true,
        canCall: true,
        canBeCalled: true,
        userPrefix: '',
        password: { mode: 'none' },
      },
      listen: { host: '0.0.0.0', udpPort: 5060, tcpPort: 5060, trusted: [], tls: { verify: true } },
      calls: { setupTimeoutMs: 30_000, ringTimeoutMs: 60_000, candidateTimeoutMs: 2_000, sessionExpiresMs: 1_800_000, statedIdentity: 'none', drainMs: 30_000, maxPerUser: 0, maxPerMinute: 0, maxTotal: 0, allow: [], deny: [], number: { rewrite: [] }, records: { on: true, keepMs: 90 * 24 * 3_600_000 } },
      secrets: { previous: [] },
      webrtc: { audio: ['opus', 'pcma', 'pcmu'], video: ['vp8'], bundlePolicy: 'balanced', rtcpMuxPolicy: 'require', enforce: true },
      admin: { on: false, host: '127.0.0.1', port: 8088, ladderMegabytes: 32 },
    });
  });

  it('take a key of 32 bytes in hex and in both alphabets of base64, and show none of it', () => {
    const bytes = Buffer.from('fbff'.repeat(16), 'hex');
    const texts = [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64'), bytes.toString('base64url')];
    for (const text of texts) {
      const { secrets } = sip(`modules.sip.secrets { key = "${text}", previous = ["${text}"] }`);
      expect([secrets.key, ...secrets.previous].map((key) => key?.export())).toEqual([bytes, bytes]);
      expect(inspect(secrets) + JSON.stringify(secrets)).not.toMatch(/fb/i);
    }
  });

  it.each(['ab'.repeat(31), 'ab'.repeat(33), 'A'.repeat(42), `${'A'.repeat(42)}B`, `${'A'.repeat(43)}==`, ''])('take no key that is not of 32 bytes: %s', (text) => {
    expect(complaints(() => sip(`modules.sip.secrets.key = "${text}"`)).join()).toContain('want a key of 32 bytes');
  });

  it('are read from the keys of the guide', () => {
    const config = sip(`
      modules.sip.extension = "im.dlg.sip.extension.SipExtension"
      modules.sip.trace-level = 32
      modules.sip.dialog-ignore-contact-field = true
      modules.sip.register.expires = 10 minutes
      modules.sip.register.interval = PT5M
      modules.sip.autocreate.on = true
      modules.sip.autocreate.host = "pbx.example.com"
      modules.sip.autocreate.port = 443
      modules.sip.autocreate.parameters = {"transport": "wss", "method": "GET"}
      modules.sip.autocreate.headers = {"host": "example.com:443", "location": "/index"}
      modules.sip.autocreate.register = false
      modules.sip.autocreate.user-prefix = dialog
    `);
    expect(config).toMatchObject({
      traceLevel: 32,
      ignoreContact: true,
      register: { expiresMs: 600_000, intervalMs: 300_000 },
      autocreate: {
        on: true,
        host: 'pbx.example.com',
        port: 443,
        parameters: { transport: 'wss', method: 'GET' },
        headers: { host: 'example.com:443', location: '/index' },
        register: false,
        userPrefix: 'dialog',
      },
    });
  });

  it('are read from a tree that the host has parsed, and from the demonstration', async () => {
    const tree = { modules: { sip: { register: { expires: '20 minutes' }, autocreate: null }, other: { x: 1 } } };
    expect(toSipConfig({ tree }).register.expiresMs).toBe(1_200_000);
    const demonstration = toSipConfig(await readServerConf('fixtures/server.conf'));
    expect(demonstration.autocreate).toMatchObject({ on: true, host: '127.0.0.1', port: 5070, userPrefix: 'dialog', password: { mode: 'fixed', value: 'playground' } });
    expect(demonstration.database).toEqual({ kind: 'embedded', directory: resolve('data') });
  });

  it('have rules for what is dialled', () => {
    const text = 'modules.sip.calls { allow = ["+49*", 600, "*@far.example"], deny = ["/^0?900/"], number { default-country = de, rewrite = [{ match = "^0(\\\\d+)$", to = "+49$1" }] } }';
    expect(sip(text).calls).toMatchObject({
      allow: ['+49*', '600', '*@far.example'],
      deny: ['/^0?900/'],
      number: { defaultCountry: 'DE', rewrite: [{ match: '^0(\\d+)$', to: '+49$1' }] },
    });
  });

  it('may be spread over included files', async () => {
    const config = toSipConfig(await readServerConf('fixtures/conf/includes.conf', { env: {} }));
    expect(config).toMatchObject({ traceLevel: 16, autocreate: { on: true, host: 'pbx.example.com', userPrefix: 'dialog' } });
  });

  it('take numbers and flags in quotes, and JSON in a text, as substitutions bring them', () => {
    const text = 'modules.sip { autocreate { on = ${ON}, host = ${HOST}, port = ${PORT}, parameters = ${PARAMETERS}, password { mode = fixed, value = 1.10 } } }';
    const env = { ON: 'yes', HOST: '192.0.2.7', PORT: '5062', PARAMETERS: '{"transport":"TCP"}' };
    expect(toSipConfig(parseServerConf(text, { file: 'f.conf', env })).autocreate).toMatchObject({
      on: true,
      host: '192.0.2.7',
      port: 5062,
      parameters: { transport: 'tcp' },
      password: { mode: 'fixed', value: '1.10' },
    });
  });

  it.each([
    ['30 minutes', 1_800_000],
    ['30m', 1_800_000],
    ['PT30M', 1_800_000],
    ['PT1H30M', 5_400_000],
    ['1.5 hours', 5_400_000],
    ['1 d', 86_400_000],
    ['90 seconds', 90_000],
    ['120000', 120_000],
    ['120000 millis', 120_000],
    ['90000000 micros', 90_000],
    ['90000000000 nanos', 90_000],
  ])('read the duration %s', (written, ms) => {
    expect(sip(`modules.sip.register.expires = ${written}`).register.expiresMs).toBe(ms);
  });

  it.each(['30 bananas', '1h 30 bananas', '30 minutes or so', '"1,5 h"', '1 month', 'P1M', 'PT', '-30 minutes', '59 seconds', '25 h', '30', 'true', '[]', '1e9 h'])(
    'refuse %s for register.expires, saying what is accepted',
    (written) => {
      expect(complaints(() => sip(`modules.sip.register.expires = ${written}`))).toEqual([
        expect.stringMatching(/^conf\/server\.conf:1:1: modules\.sip\.register\.expires: found .+, want a duration from 1 minute to 1 day, like/),
      ]);
    },
  );

  it('name the database server or its folder, or neither', () => {
    expect(sip('services.postgresql.embedded = "../data"').database).toEqual({ kind: 'embedded', directory: resolve('data') });
    expect(sip('services.postgresql { host = db, db = dialog, user = sip, password = p, pool.max = 3, statement-timeout = 5 s, theirs = 1 }').database).toEqual({
      kind: 'postgresql', host: 'db', port: 5432, db: 'dialog', user: 'sip', password: 'p', ssl: false, statementTimeoutMs: 5_000, poolMax: 3,
    });
    expect(sip('services.postgresql { jdbc-url = x }').database).toBeUndefined();
    expect(complaints(() => sip('services.postgresql { host = db, embedded = x }'))).toEqual([
      'conf/server.conf:1:34: services.postgresql.embedded: cannot stand beside host: want one or the other',
    ]);
  });
});

describe('what is wrong', () => {
  it('names an unknown key, its line and the nearest known one', async () => {
    expect(await fixtureComplaints('unknown-key.conf')).toEqual([
      'fixtures/conf/unknown-key.conf:4:5: modules.sip.register.exipres: is not a known key; did you mean modules.sip.register.expires?',
    ]);
  });

  it('lists the known keys when none is near', () => {
    expect(complaints(() => sip('modules.sip.register.colour = blue'))[0]).toContain('known here: expires, interval, max-rate, max-in-flight');
  });

  it('says what was found and what is accepted, but shows nothing that may be a secret', async () => {
    const told = await fixtureComplaints('wrong-types.conf');
    expect(told.map((line) => line.replace('fixtures/conf/wrong-types.conf:', ''))).toEqual([
      '3:3: modules.sip.trace-level: found "loud", want one of 0, 2, 4, 8, 16, 32',
      '4:3: modules.sip.dialog-ignore-contact-field: found "maybe", want true or false',
      expect.stringContaining('5:14: modules.sip.register.expires: found "30 bananas", want a duration'),
      '5:36: modules.sip.register.max-in-flight: found 1.5, want a whole number from 1 to 1000000',
      '7:5: modules.sip.autocreate.host: found "pbx.example.com:5060", want a host name or an IP address, without a port',
      '8:5: modules.sip.autocreate.port: found 70000, want a port, 0 to 65535',
      '9:20: modules.sip.autocreate.parameters.transport: found "pigeon", want one of udp, tcp, tls, ws, wss',
      '10:17: modules.sip.autocreate.headers.location: found "index", want a path that starts with /',
      '11:5: modules.sip.autocreate.password: found a text, want an object, { ... }',
      '13:33: modules.sip.listen.trusted.1: found "10.0.0.0/33", want an IP address or a block like 10.0.0.0/8',
    ]);
    expect(told.join()).not.toContain('hunter2');
  });

  it('is told all at once: rules over several keys, missing files and the database too', async () => {
    const told = await fixtureComplaints('several-errors.conf');
    const places = told.map((line) => /conf:(\d+:\d+): ([\w.-]+)/.exec(line)?.slice(1).join(' '));
    expect(places).toEqual([
      '3:3 modules.sip.autocreate.host',
      '5:5 modules.sip.autocreate.password.value',
      '5:30 modules.sip.autocreate.password.secret',
      '9:5 modules.sip.listen.tls.cert',
      '9:5 modules.sip.listen.tls.key',
      '9:11 modules.sip.listen.tls.ca',
      '11:3 modules.sip.calls.ring-timeout',
      '13:20 modules.sip.calls.deny.1',
      '15:23 modules.sip.calls.number.rewrite.0.to',
      '19:1 services.postgresql.db',
    ]);
    expect(told.join()).not.toContain('hunter2');
  });

  it.each([
    ['modules.sip.calls.session-expires = 89 s', 'modules.sip.calls.session-expires: found 89000, want 0, or a duration from 90 seconds to 1 day'],
    ['modules.sip.calls.session-expires = 25 h', 'found 90000000, want 0, or a duration from 90 seconds to 1 day'],
    ['modules = 1', 'modules: found a number, want an object'],
    ['modules.sip = [1]', 'modules.sip: found a list, want an object'],
    ['modules.sip.autocreate.password { value = x }', 'has no effect without mode = fixed'],
    ['modules.sip.autocreate.password { mode = guessed }', 'found "guessed", want one of none, fixed, derived, random'],
    ['modules.sip.autocreate.password { mode = random, value = x }', 'has no effect without mode = fixed'],
    ['modules.sip.autocreate.password { mode = derived }', 'password.secret: is missing, want the secret that mode = derived makes passwords of'],
    ['modules.sip.autocreate.password { mode = derived, secret = hunter2 }', 'want a text of at least 16 characters'],
    ['modules.sip.autocreate.password { mode = fixed, value = x, secret = hunter2hunter2hunter2 }', 'has no effect without mode = derived'],
    ['modules.sip.secrets.key = hunter2', 'found a text, want a key of 32 bytes in base64 or hex; this makes one: openssl rand -base64 32'],
    ['modules.sip.secrets.previous = ["hunter2"]', 'modules.sip.secrets.previous.0: found a text, want a key of 32 bytes'],
    [`modules.sip.secrets.previous = ["${'a'.repeat(64)}"]`, 'modules.sip.secrets.key: is missing, want the key that encrypts now'],
    ['modules.sip.autocreate.password { mode = fixed, value = [hunter2] }', 'found a list, want a text'],
    ['modules.sip.autocreate.user-prefix = "a@b"', 'found "a@b", want letters, digits'],
    ['modules.sip.autocreate.host = 127.0.0.300', 'found "127.0.0.300", want a host name or an IP address'],
    ['modules.sip.autocreate.parameters = "udp"', 'modules.sip.autocreate.parameters: found a text, want an object'],
    ['modules.sip.autocreate.parameters = {"transport": "ws", "methd": "GET"}', 'did you mean modules.sip.autocreate.parameters.method?'],
    ['modules.sip.autocreate.headers = {"host": "x\\r\\nEvil: 1"}', 'want "host" or "host:port"'],
    ['modules.sip.register.max-rate = 0', 'found 0, want a number above 0'],
    ['modules.sip.listen.udp-port = -1', 'found -1, want a port, 0 to 65535'],
    ['modules.sip.calls.allow = ["+49 30"]', 'modules.sip.calls.allow.0: found "+49 30", which has a blank or a slash; a regular expression stands between two slashes; want a number'],
    ['modules.sip.calls.deny = ["900", "/(a+)+/"]', 'modules.sip.calls.deny.1: found "/(a+)+/", which could take too long'],
    ['modules.sip.webrtc { audio = [], video = [] }', 'server.conf:1:22: modules.sip.webrtc.audio: is empty, and so is video'],
    ['modules.sip.calls.max-per-minute = -1', 'found -1, want a whole number from 0'],
    ['modules.sip.calls.deny = "900"', 'modules.sip.calls.deny: found a text, want a list'],
    ['modules.sip.calls.number.default-country = Germany', 'found "GERMANY", want a country by its two letters, like DE'],
    ['modules.sip.calls.number.rewrite = [{ match = "(" }]', 'rewrite.0.match: found "(", which is no regular expression'],
    ['modules.sip.calls.number.rewrite = [{ match = "(" }]', 'rewrite.0.to: is missing, want digits'],
    ['modules.sip.calls.number.rewrite = [{ match = "^0", to = "$1" }]', 'rewrite.0.to: names a group that match does not have'],
    ['modules.sip.calls.number.rewrite = [{ match = "^0", to = "sip:1@far" }]', 'rewrite.0.to: found "sip:1@far", want digits'],
    ['modules.sip.calls.number.rewrite = [{ match = "^0", too = "1" }]', 'did you mean modules.sip.calls.number.rewrite.0.to?'],
    ['modules.sip.admin.on = true', 'modules.sip.admin.token: is missing, want a token of at least 16 characters'],
    ['modules.sip.admin { on = true, token = "hunter2 hunter2 h" }', 'modules.sip.admin.token: want 16 to 256 visible ASCII characters without blanks'],
  ])('in %s', (text, expected) => {
    expect(complaints(() => sip(text)).join()).toContain(expected);
  });

  it('in a token that is too short, without showing it', () => {
    expect(complaints(() => sip('modules.sip.admin { on = true, token = hunter2-hunter2 }')).join()).not.toContain('hunter2');
    expect(sip('modules.sip.admin { on = true, token = hunter2-hunter2-h }').admin).toEqual({ on: true, host: '127.0.0.1', port: 8088, ladderMegabytes: 32, token: 'hunter2-hunter2-h' });
  });

  it('has no place, but a key, in a tree from the host; keys that reach a prototype are unknown ones', () => {
    const tree = JSON.parse('{"modules":{"sip":{"trace-level":3,"__proto__":{"x":1}}}}') as Record<string, unknown>;
    expect(complaints(() => toSipConfig({ tree }))).toEqual([
      'modules.sip.trace-level: found 3, want one of 0, 2, 4, 8, 16, 32',
      expect.stringContaining('modules.sip.__proto__: is not a known key'),
    ]);
  });
});

describe('any tree from a host', () => {
  const names = ['extension', 'trace-level', 'register', 'expires', 'autocreate', 'on', 'host', 'parameters', 'password', 'value', 'listen', 'tls', 'tls-port', 'ca', 'calls', 'allow', 'number', 'rewrite', 'match', 'to', 'pool', 'embedded', 'constructor'];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, 'yes', '', '{', '{"a":1}', 'hunter2', '30 minutes', 'tcp', Number.NaN, Number.POSITIVE_INFINITY, 0, 5060, '5060', undefined),
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 5, noNullPrototype: true }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;

  it('gives settings or ConfigError, and never what stands under a password', () => {
    fc.assert(
      fc.property(value, value, value, (sipValue, postgresql, password) => {
        const secrets = { autocreate: { password: { mode: 'fixed', value: { deep: 'hunter2' }, extra: 'hunter2' } } };
        for (const tree of [
          { modules: { sip: sipValue }, services: { postgresql } },
          { modules: { sip: { autocreate: { password } } }, services: { postgresql: { password } } },
          { modules: { sip: secrets }, services: sipValue },
        ]) {
          try {
            toSipConfig({ tree });
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(ConfigError);
            if (tree.modules.sip === secrets) expect((thrown as ConfigError).issues.filter(({ key }) => key?.includes('autocreate')).map(({ message }) => message).join()).not.toContain('hunter2');
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('files of certificates', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dialog-sip-tls-'));
    writeFileSync(join(folder, 'here.pem'), 'PEM');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function listen(text: string): SipConfig {
    return toSipConfig(parseServerConf(`modules.sip.listen { ${text} }`, { file: join(folder, 'server.conf'), env: {} }));
  }

  it('are found beside server.conf', () => {
    expect(listen('tls-port = 0, tls { cert = here.pem, key = here.pem, ca = here.pem }').listen).toMatchObject({
      tlsPort: 0,
      tls: { cert: join(folder, 'here.pem'), key: join(folder, 'here.pem'), ca: join(folder, 'here.pem') },
    });
  });

  it('must be there: cert and key when TLS is taken, ca always', () => {
    expect(complaints(() => listen('tls-port = 5061, tls { cert = gone.pem, key = here.pem, ca = "." }'))).toEqual([
      expect.stringContaining(`modules.sip.listen.tls.cert: found "${join(folder, 'gone.pem')}", which cannot be read`),
      expect.stringContaining('modules.sip.listen.tls.ca: found'),
    ]);
    expect(listen('tls { cert = gone.pem, key = gone.pem }').listen.tlsPort).toBeUndefined();
    expect(complaints(() => listen('tls { ca = gone.pem }'))).toHaveLength(1);
  });
});

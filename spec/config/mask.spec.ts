import { describe, expect, it } from 'vitest';
import { writeEffectiveConf } from '../../src/config/mask.js';
import { parseServerConf } from '../../src/config/read.js';
import { toSipConfig } from '../../src/config/schema.js';
import type { SipConfig } from '../../src/config/schema.js';

function read(text: string): SipConfig {
  return toSipConfig(parseServerConf(text, { file: 'server.conf', env: {} }));
}

const everything = `
  modules.sip {
    extension = "./other.js#Other", trace-level = 32, dialog-ignore-contact-field = on
    register { expires = 90 seconds, interval = 1500 ms, max-rate = 0.5, max-in-flight = 7 }
    autocreate {
      on = true, host = "2001:db8::1", port = 443, register = no, can-call = no, can-be-called = no, user-prefix = "dialog"
      parameters { transport = wss, method = PUT }, headers { host = "example.com:443", location = "/a\\"b" }
      password { mode = fixed, value = "hunter2-sip" }
    }
    listen {
      host = localhost, udp-port = 0, tcp-port = 0, advertised-host = "sip.example.com", tls { cert = a.pem, key = b.pem, verify = false }
      trusted = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48", "2001:db8:2::/48"]
    }
    calls {
      setup-timeout = 1 h, ring-timeout = 1 ms, candidate-timeout = 0, session-expires = 0, stated-identity = asserted, drain = 0, max-per-user = 3, max-per-minute = 20, max-total = 500, allow = ["+49*", "/^0?1/"], deny = ["600@far.example"]
      records { on = false, keep = 7 days }
      number { default-country = de, rewrite = [{ match = "^0(\\\\d+)$", to = "$1" }, { match = "^00", to = "+" }] }
    }
    admin { on = true, host = "::1", port = 0, token = "hunter2-admin-token", ladder-megabytes = 8 }
  }
  services.postgresql { host = db, db = dialog, user = sip, password = "hunter2-db", ssl = true, pool.max = 3 }
`;

describe('the effective configuration', () => {
  it('reads back to the same settings, but for the secrets', () => {
    const config = read(everything);
    const expected = {
      ...config,
      autocreate: { ...config.autocreate, password: { mode: 'fixed', value: '***' } },
      admin: { ...config.admin, token: '****************' },
      database: { ...config.database, password: '***' },
    };
    expect(read(writeEffectiveConf(config))).toEqual(expected);
  });

  it('reads back to the defaults, and to an embedded database', () => {
    for (const text of ['', 'services.postgresql.embedded = "data"']) {
      expect(read(writeEffectiveConf(read(text)))).toEqual(read(text));
    }
  });

  it('shows no secret and stays within 80 columns', () => {
    const text = writeEffectiveConf(read(everything));
    expect(text).not.toContain('hunter2');
    expect(text.match(/"\*\*\*"/g)).toHaveLength(2);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('masks the keys and the secret of derived passwords', () => {
    const key = Buffer.alloc(32, 'hunter2').toString('base64');
    const text = writeEffectiveConf(
      read(`modules.sip { secrets { key = "${key}", previous = ["${key}"] }, autocreate.password { mode = derived, secret = "hunter2-hunter2-hunter2" } }`),
    );
    expect(text).toContain('    key = "***"\n    previous = ["***"]\n');
    expect(text).toContain('      mode = "derived"\n      secret = "***"\n');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(key);
  });

  it('writes durations as a person would', () => {
    const text = writeEffectiveConf(read(everything));
    expect(text).toContain('expires = 90 seconds');
    expect(text).toContain('interval = 1500 ms');
    expect(text).toContain('setup-timeout = 1 hour');
  });
});

import { describe, expect, it } from 'vitest';
import { Interned } from '../../src/sip/interned.js';

describe('what many accounts have in common', () => {
  it('is one object for all values that look the same', () => {
    const targets = new Interned<{ host: string; port: number }>();
    expect(targets.of({ host: 'pbx', port: 5060 })).toBe(targets.of({ host: 'pbx', port: 5060 }));
    expect(targets.of({ host: 'pbx', port: 5061 })).not.toBe(targets.of({ host: 'pbx', port: 5060 }));
  });

  it('is another object for a value with a member more, less or of another text than the one before', () => {
    const targets = new Interned<{ host: string; port?: number; via?: { host: string } }>();
    const bare = targets.of({ host: 'pbx' });
    const full = targets.of({ host: 'pbx', port: 5060 });
    expect(full).toEqual({ host: 'pbx', port: 5060 });
    expect(targets.of({ host: 'pbx', port: undefined })).toBe(bare);
    expect(targets.of({ host: 'pbx' })).toBe(bare);
    expect(targets.of({ host: 'pbx', port: 5060 })).toBe(full);
    const routed = targets.of({ host: 'pbx', via: { host: 'a' } });
    expect(targets.of({ host: 'pbx', via: { host: 'b' } })).toEqual({ host: 'pbx', via: { host: 'b' } });
    expect(targets.of({ host: 'pbx', via: { host: 'a' } })).toBe(routed);
  });

  it('is not changed by who handed it in', () => {
    const mine = { host: 'pbx', port: 5060 };
    const shared = new Interned<{ host: string; port: number }>().of(mine);
    mine.port = 1;
    expect(shared).toEqual({ host: 'pbx', port: 5060 });
  });

  it('is forgotten rather than kept without bound', () => {
    const terms = new Interned<{ opaque: number }>();
    const first = terms.of({ opaque: 0 });
    for (let opaque = 1; opaque <= 1_000; opaque += 1) terms.of({ opaque });
    expect(terms.of({ opaque: 0 })).not.toBe(first);
    expect(terms.of({ opaque: 0 })).toEqual(first);
  });
});

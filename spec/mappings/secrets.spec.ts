import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formOf, keyId, Secrets, whyNoPassword } from '../../src/mappings/secrets.js';

const newKey = (): KeyObject => createSecretKey(randomBytes(32));
const key = newKey();
const secrets = new Secrets({ key, previous: [] });
const keyless = new Secrets({ previous: [] });

/** One character of a sealed password changed: the `index`th behind what all have in common. */
function tampered(sealed: string, index: number): string {
  const at = `enc:v1:${keyId(key)}:`.length + index;
  return sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
}

describe('a stored password', () => {
  it('comes back as it was, whatever it is, and differs each time it is sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        fc.pre(whyNoPassword(text) === undefined && formOf(text) === 'plain');
        const [one, other] = [secrets.seal(text), secrets.seal(text)];
        expect([secrets.open(one), secrets.open(other), secrets.open(text)]).toEqual([text, text, text]);
        expect(one).not.toBe(other);
        expect(one).toMatch(/^enc:v1:[0-9a-f]{8}:[\w-]{38,}$/);
      }),
    );
  });

  it('may be the MD5 hash of a password, sealed or not, in any case of letters', () => {
    const stored = 'ha1:939E7578ED9E3C518A452ACEE763BCE9';
    const opened = { ha1: '939e7578ed9e3c518a452acee763bce9' };
    expect(secrets.open(stored)).toEqual(opened);
    expect(secrets.open(secrets.seal(stored))).toEqual(opened);
    expect(secrets.seal(stored)).toMatch(/^enc:v1:/);
  });

  it('stays as it is without a key, when it is empty, and when it is sealed', () => {
    const sealed = secrets.seal('hush');
    expect([keyless.seal('hush'), secrets.seal(''), secrets.seal(sealed)]).toEqual(['hush', '', sealed]);
  });

  it('is opened by the key that sealed it, though that is a previous one now', () => {
    const next = new Secrets({ key: newKey(), previous: [newKey(), key] });
    expect(next.open(secrets.seal('hush'))).toBe('hush');
  });

  it.each([
    ['a key that is gone', (sealed: string) => [new Secrets({ key: newKey(), previous: [] }), sealed] as const, `sip_password is encrypted with the key ${keyId(key)}, which is neither modules.sip.secrets.key nor one of secrets.previous`],
    ['no key', (sealed: string) => [keyless, sealed] as const, 'sip_password is encrypted, and modules.sip.secrets.key is not set'],
    ['a changed IV', (sealed: string) => [secrets, tampered(sealed, 0)] as const, 'sip_password was changed after it was encrypted'],
    ['a changed text', (sealed: string) => [secrets, tampered(sealed, 17)] as const, 'sip_password was changed after it was encrypted'],
    ['a changed tag', (sealed: string) => [secrets, tampered(sealed, 30)] as const, 'sip_password was changed after it was encrypted'],
    ['half of it', (sealed: string) => [secrets, sealed.slice(0, 30)] as const, 'sip_password begins with "enc:v1:", but what follows is damaged'],
    ['nothing after the key', (sealed: string) => [secrets, sealed.slice(0, 16)] as const, 'sip_password begins with "enc:v1:", but what follows is damaged'],
  ])('cannot be opened with %s, and the reason is told without it', (_, situation, message) => {
    const [opener, stored] = situation(secrets.seal('hush'));
    expect(() => opener.open(stored)).toThrow(expect.objectContaining({ code: 'MAPPING_INVALID', message, fields: ['sip_password'] }) as Error);
  });

  it('cannot be passed off as sealed with another key', () => {
    const two = new Secrets({ key, previous: [newKey()] });
    const other = newKey();
    const both = new Secrets({ key, previous: [other] });
    const relabelled = two.seal('hush').replace(keyId(key), keyId(other));
    expect(() => both.open(relabelled)).toThrow('was changed after it was encrypted');
  });

  it('is sealed anew when the key was changed, and only then', () => {
    const next = new Secrets({ key: newKey(), previous: [key] });
    const resealed = next.reseal(secrets.seal('hush'));
    expect(resealed).toMatch(new RegExp(`^enc:v1:${next.currentId!}:`));
    expect(next.open(resealed)).toBe('hush');
    expect(next.reseal(resealed)).toBe(resealed);
    expect(formOf(next.reseal('plain'))).toBe('sealed');
    expect(keyless.reseal('plain')).toBe('plain');
  });

  it.each([
    ['ha1:', '"ha1:"'],
    ['ha1:939e7578', '"ha1:"'],
    [`HA1:${'g'.repeat(32)}`, '"ha1:"'],
    ['enc:v1:hush', '"enc:v1:"'],
    ['enc:v2:0123abcd:hush', 'a form that this version does not know'],
  ])('that begins as one of the forms and is not of it is told: %s', (stored, problem) => {
    expect(whyNoPassword(stored)).toContain(problem);
    expect(() => secrets.open(stored)).toThrow(mappingErrorWith(problem));
  });

  it.each(['', 'hush', 'ha1', 'encore', 'enc:hush', `ha1:${'a'.repeat(32)}`])('is otherwise fine as it is: %j', (stored) => {
    expect(whyNoPassword(stored)).toBeUndefined();
  });

  it('tells its form', () => {
    expect(['', 'hush', `ha1:${'a'.repeat(32)}`, secrets.seal('hush')].map(formOf)).toEqual(['none', 'plain', 'ha1', 'sealed']);
  });
});

function mappingErrorWith(problem: string): Error {
  return expect.objectContaining({ code: 'MAPPING_INVALID', message: expect.stringContaining(problem) as unknown }) as Error;
}

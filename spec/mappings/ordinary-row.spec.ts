import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mappingSchema } from '../../src/mappings/mapping-schema.js';
import { ordinaryMapping } from '../../src/mappings/ordinary-row.js';

/** What each column of a row is drawn from: mostly what it should be, and whatever has ever stood in one. */
const text = fc.constantFrom('434', 'anna', 'Жанна', '', ' ', 'a\nb', 'a\u0000', 'x'.repeat(255), 'x'.repeat(256), 7, null, undefined, true);
const password = fc.constantFrom('hush', '', 'ha1:0123456789abcdef0123456789ABCDEF', 'ha1:12', 'enc:v1:oops', 'enc:v2:x', 'a\tb', 'HA1:x', 'öß', null, undefined, 7);
const host = fc.constantFrom('pbx.example.com', 'PBX', '192.0.2.1', '300.1.1.1', '2001:db8::1', '[2001:db8::1]', 'pbx:5060', 'a b', '', '-', 'x.', null, undefined, 7);
const port = fc.constantFrom(5060, 1, 65_535, 0, 65_536, -1, 1.5, Number.NaN, '5060', null, undefined);
const parameters = fc.constantFrom<unknown>({ transport: 'udp' }, { transport: 'tcp' }, { transport: 'tls', x: 1 }, { transport: 'TLS' }, { transport: 'ws' }, { transport: 'sctp' }, {}, [], null, '{"transport":"udp"}', 'oops', undefined);
const headers = fc.constantFrom<unknown>({}, { host: 7 }, [], null, '{}', 'oops', undefined);
const id = fc.constantFrom<unknown>('7', 7, '0', '007', '-7', '9007199254740993', '12345678901234567', 1.5, Number.MAX_SAFE_INTEGER, 2 ** 53, 7n, '', ' 7', 'x', null, undefined);
const peerType = fc.constantFrom<unknown>(1, 2, 4, 3, '1', null, undefined);
const flag = fc.constantFrom<unknown>(true, false, 'true', 'no', 1, null, undefined);

const usual = {
  id: '7', sip_user: '434', sip_password: 'hush', sip_host: 'pbx.example.com', sip_port: 5060, sip_parameters: { transport: 'udp' }, sip_headers: {},
  peer_type: 1, peer_id: '434', peer_str_id: null, register: true, can_call: true, can_be_called: true, auth_user: null, display_name: null,
};
const drawn = {
  id, sip_user: text, sip_password: password, sip_host: host, sip_port: port, sip_parameters: parameters, sip_headers: headers,
  peer_type: peerType, peer_id: id, peer_str_id: text, register: flag, can_call: flag, can_be_called: flag, auth_user: text, display_name: text,
};
/** A usual row with some columns of another kind. */
const row = fc.record(drawn, { requiredKeys: [] }).chain((other) =>
  fc.subarray(Object.keys(other) as (keyof typeof other)[], { maxLength: 3 }).map((kept) => ({ ...usual, ...Object.fromEntries(kept.map((key) => [key, other[key]])) })),
);

describe('the short way for ordinary rows', () => {
  it('says of a row what the schema says, or nothing', () => {
    let short = 0;
    fc.assert(
      fc.property(row, (one) => {
        const mapping = ordinaryMapping(one);
        if (mapping === undefined) return;
        short += 1;
        const judged = mappingSchema.safeParse(one);
        expect(judged.error).toBeUndefined();
        expect(mapping).toEqual({ id: Number(one.id), ...judged.data });
      }),
      { numRuns: 3_000 },
    );
    expect(short).toBeGreaterThan(300);
  });

  it.each([
    ['as the guide has it', {}],
    ['with a name that is not ASCII and a user name of its own', { display_name: 'Жанна', auth_user: 'j' }],
    ['with a hash or a sealed password, over TLS', { sip_password: 'ha1:0123456789abcdef0123456789abcdef', sip_parameters: { transport: 'tls' } }],
    ['with ids as numbers', { id: 7, peer_id: 434 }],
  ])('is taken by a row %s', (_name, change) => {
    expect(ordinaryMapping({ ...usual, ...change })).toBeDefined();
  });

  it.each([[null], [undefined], ['row'], [7], [[]], [{}]])('says nothing of %j', (value) => {
    expect(ordinaryMapping(value)).toBeUndefined();
  });
});

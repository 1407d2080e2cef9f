import { describe, expect, it } from 'vitest';
import type { CallTarget } from '../../src/host/contract.js';
import type { RoutableMapping } from '../../src/calls/ports.js';
import { freeDialling, toDialling, type Dialling } from '../../src/calls/dialling.js';
import { routeIncoming, routeOutgoing, type DisabledUsers, type IncomingRules } from '../../src/calls/routes.js';
import type { CallerIdentity } from '../../src/sip/types.js';
import { address } from '../support/fake-sip.js';
import { lookup, mapping, offerSdp } from './call-fixture.js';

const caller = { type: 1, id: 7 } as const;
const callee = { type: 1, id: 8 } as const;

function route(
  mappings: readonly RoutableMapping[],
  to: CallTarget,
  more: { mappingId?: number; disabled?: DisabledUsers; dialling?: Dialling } = {},
): string {
  const { disabled, dialling = freeDialling, ...rest } = more;
  const decision = routeOutgoing({ from: caller, to, ...rest }, { mappings: lookup(mappings), dialling }, disabled);
  return 'place' in decision ? `${String(decision.place.mapping.id)} ${decision.place.uri}` : decision.refuse.reason;
}

describe('the way of an outgoing call', () => {
  const at = (id: number, sipHost: string, changes: Partial<RoutableMapping> = {}): RoutableMapping =>
    mapping(id, { peer: caller, sipHost, ...changes });

  it('leads to an extension at the host of the caller\'s lowest mapping', () => {
    expect(route([at(1, 'one.example'), at(2, 'two.example')], { address: '600' })).toBe('1 sip:600@one.example');
  });

  it('names no port where DNS decides it', () => {
    expect(route([at(1, 'one.example', { sipPort: 0 })], { address: '600' })).toBe('1 sip:600@one.example');
  });

  it('leads through the mapping at the host that the address names, else the lowest', () => {
    const mappings = [at(1, 'one.example'), at(2, 'Two.example')];
    expect(route(mappings, { address: 'sip:600@two.EXAMPLE:5070' })).toBe('2 sip:600@two.EXAMPLE:5070');
    expect(route(mappings, { address: '600@three.example' })).toBe('1 sip:600@three.example');
  });

  it('leads through the mapping that the host chose', () => {
    const mappings = [at(1, 'one.example'), at(2, 'two.example')];
    expect(route(mappings, { address: '600' }, { mappingId: 2 })).toBe('2 sip:600@two.example');
    expect(route(mappings, { address: '600' }, { mappingId: 3 })).toBe('unavailable');
    expect(route([...mappings, mapping(9, { peer: callee })], { address: '600' }, { mappingId: 9 })).toBe('unavailable');
  });

  it.each([
    ['udp', 5060, 'sip:600@one.example'],
    ['udp', 5070, 'sip:600@one.example:5070'],
    ['tcp', 5061, 'sip:600@one.example:5061'],
    ['tls', 5061, 'sip:600@one.example'],
    ['tls', 5060, 'sip:600@one.example:5060'],
    ['ws', 8088, 'sip:600@one.example'],
    ['wss', 443, 'sip:600@one.example'],
  ] as const)('names the port of a %s registrar on %i only when the address needs it', (transport, sipPort, uri) => {
    expect(route([at(1, 'one.example', { transport, sipPort })], { address: '600' })).toBe(`1 ${uri}`);
  });

  it('skips mappings that may not call, and is refused as caller_disabled when none may', () => {
    const mute = { canCall: false };
    expect(route([at(1, 'one.example', mute), at(2, 'two.example')], { address: '600' })).toBe('2 sip:600@two.example');
    expect(route([at(1, 'one.example', mute)], { address: '600' })).toBe('caller_disabled');
    expect(route([at(1, 'one.example', mute), at(2, 'two.example')], { address: '600' }, { mappingId: 1 })).toBe('caller_disabled');
    for (const asked of [{}, { mappingId: 1 }]) expect(route([], { address: '600' }, asked)).toBe('caller_disabled');
  });

  it('is explained by the accounts that are left, and by the registrar that both have or have not', () => {
    const mappings = [at(1, 'one.example', { canCall: false }), at(2, 'two.example'), mapping(3, { peer: callee, sipHost: 'three.example' })];
    const why: string[] = [];
    routeOutgoing({ from: caller, to: { peer: callee } }, { mappings: lookup(mappings), dialling: freeDialling }, {}, why);
    expect(why).toEqual([
      'user 7 has 431@one.example (mapping 1), 432@two.example (mapping 2).',
      'Those that may call (can_call) are left: 432@two.example (mapping 2).',
      'user 8 has 433@three.example (mapping 3) that takes calls (can_be_called).',
      'They have no registrar in common: the lowest mapping id counts, 432@two.example (mapping 2).',
    ]);
    why.length = 0;
    routeOutgoing({ from: caller, to: { peer: callee } }, { mappings: lookup([at(1, 'One.example'), mapping(3, { peer: callee, sipHost: 'one.example' })]), dialling: freeDialling }, {}, why);
    expect(why).toEqual([
      'user 7 has 431@One.example (mapping 1).',
      'user 8 has 433@one.example (mapping 3) that takes calls (can_be_called).',
      'Both sides have an account at one.example.',
    ]);
  });

  it('that leads nowhere shows no more than the beginning of what was typed', () => {
    const said = (typed: string): string => {
      const decision = routeOutgoing({ from: caller, to: { address: typed } }, { mappings: lookup([at(1, 'one.example')]), dialling: freeDialling });
      return 'refuse' in decision ? decision.refuse.message : '';
    };
    expect(said(`@${'x'.repeat(79)}`)).toContain(`"@${'x'.repeat(79)}" `);
    expect(said(`@${'x'.repeat(80)}`)).toContain(`"@${'x'.repeat(79)}..." `);
  });

  it('leads to the account of a messenger user, at a host that both have when there is one', () => {
    const mappings = [
      at(1, 'one.example'),
      at(2, 'two.example'),
      mapping(3, { peer: callee, sipHost: 'three.example', sipUser: '803' }),
      mapping(4, { peer: callee, sipHost: 'two.example', sipUser: '80 4', sipPort: 5070 }),
    ];
    expect(route(mappings, { peer: callee })).toBe('2 sip:80%204@two.example:5070');
    expect(route(mappings.slice(0, 3), { peer: callee })).toBe('1 sip:803@three.example');
  });

  it('prefers an account of the callee that takes calls', () => {
    const mappings = [
      at(1, 'one.example'),
      mapping(3, { peer: callee, sipHost: 'one.example', canBeCalled: false }),
      mapping(4, { peer: callee, sipHost: 'other.example' }),
    ];
    expect(route(mappings, { peer: callee })).toBe('1 sip:434@other.example');
    expect(route(mappings.slice(0, 2), { peer: callee })).toBe('1 sip:433@one.example');
  });

  it('is refused as unavailable for a user without an account, but a SIP peer is its own address', () => {
    expect(route([at(1, 'one.example')], { peer: callee })).toBe('unavailable');
    expect(route([at(1, 'one.example')], { peer: { type: 4, id: 0, strId: 'sip:600@far.example' } })).toBe('1 sip:600@far.example');
    expect(route([at(1, 'one.example')], { peer: { type: 4, id: 0, strId: '' } })).toBe('unavailable');
  });

  it('leads to the account of a group, and of a SIP peer that has one', () => {
    const group = { type: 2, id: 8 } as const;
    const far = { type: 4, id: 0, strId: '600@far.example' } as const;
    const mappings = [at(1, 'one.example'), mapping(3, { peer: group, sipHost: 'one.example' }), mapping(4, { peer: far, sipHost: 'one.example' })];
    expect(route(mappings, { peer: group })).toBe('1 sip:433@one.example');
    expect(route(mappings, { peer: callee })).toBe('unavailable');
    expect(route(mappings, { peer: far })).toBe('1 sip:434@one.example');
    expect(route(mappings, { peer: { ...far, strId: '700@far.example' } })).toBe('1 sip:700@far.example');
  });

  it('leads through the mapping that the host chose though another is at the host of the target', () => {
    const mappings = [at(1, 'one.example'), at(2, 'two.example'), mapping(3, { peer: callee, sipHost: 'two.example' })];
    expect(route(mappings, { peer: callee })).toBe('2 sip:433@two.example');
    expect(route(mappings, { peer: callee }, { mappingId: 1 })).toBe('1 sip:433@two.example');
    expect(route(mappings, { address: '600@two.example' }, { mappingId: 1 })).toBe('1 sip:600@two.example');
  });

  it('is refused for disabled users on either side', () => {
    const mappings = [at(1, 'one.example'), mapping(3, { peer: callee })];
    expect(route(mappings, { peer: callee }, { disabled: { caller: true } })).toBe('caller_disabled');
    expect(route(mappings, { peer: callee }, { disabled: { callee: true } })).toBe('callee_disabled');
  });

  describe('under rules for what is dialled', () => {
    const dialling = toDialling({
      allow: ['+49*', '6*'],
      deny: ['+49900*', '666'],
      number: { defaultCountry: 'DE', rewrite: [{ match: '^9', to: '' }] },
    });
    const mappings = [at(1, 'one.example'), mapping(3, { peer: callee, sipHost: 'one.example', sipUser: 'anna' }), mapping(4, { peer: { type: 1, id: 9 }, sipHost: 'one.example', sipUser: '666' })];

    it.each([
      [{ address: '9 030 123456' }, '1 sip:+4930123456@one.example'],
      [{ address: '600' }, '1 sip:600@one.example'],
      [{ address: 'tel:030123456' }, '1 sip:+4930123456@one.example'],
      [{ address: 'sip:9600@one.example' }, 'rejected'],
      [{ address: '9 0900 123456' }, 'rejected'],
      [{ address: 'sip:0900123456@far.example' }, 'rejected'],
      [{ address: '00 1 201 555 0123' }, 'rejected'],
      [{ address: '9' }, 'callee_not_found'],
      [{ peer: callee }, '1 sip:anna@one.example'],
      [{ peer: { type: 1, id: 9 } }, 'rejected'],
      [{ peer: { type: 4, id: 0, strId: '9600' } }, '1 sip:600@one.example'],
      [{ peer: { type: 4, id: 0, strId: 'sip:+1201@one.example' } }, 'rejected'],
    ] as [CallTarget, string][])('%j goes to %s', (to, expected) => {
      expect(route(mappings, to, { dialling })).toBe(expected);
    });
  });

  it('is refused as callee_not_found for what is no address, in a sentence that shows it safely', () => {
    const decision = routeOutgoing({ from: caller, to: { address: 'mailto:x@y\r\n' } }, { mappings: lookup([at(1, 'one.example')]), dialling: freeDialling });
    expect(decision).toEqual({
      refuse: {
        reason: 'callee_not_found',
        class: 'client',
        message: '"mailto:x@y\\r\\n" has the scheme "mailto:", and only sip:, sips: and tel: are called.',
      },
    });
  });
});

function rules(mappings: readonly RoutableMapping[], changes: Partial<IncomingRules> = {}): IncomingRules {
  return { mappings: lookup(mappings), dialling: freeDialling, ignoreContact: false, ...changes };
}

describe('the way of an incoming call', () => {
  const called = mapping(1);
  const from = address('sip:434@pbx.example', 'Anna');
  const known = mapping(4, { peer: { type: 1, id: 44 } });

  it('leads to the peer of the account that was called', () => {
    const decision = routeIncoming({ from, sdp: offerSdp }, called, rules([called]));
    expect(decision).toEqual({
      offer: { mapping: called, from: { uri: 'sip:434@pbx.example', user: '434', displayName: 'Anna' }, sdp: offerSdp },
    });
  });

  it.each([
    ['the account has no mapping any more', undefined, offerSdp, 404],
    ['the mapping may not be called', mapping(1, { canBeCalled: false }), offerSdp, 403],
    ['there is no offer', called, undefined, 488],
  ])('is refused when %s', (_why, target, sdp, status) => {
    const decision = routeIncoming({ from, ...(sdp === undefined ? {} : { sdp }) }, target, rules([called]));
    expect('refuse' in decision && decision.refuse.status).toBe(status);
  });

  it('without an offer tells the caller\'s side in Reason that it lacks one', () => {
    const decision = routeIncoming({ from }, called, rules([called]));
    expect('refuse' in decision && decision.refuse.reason).toEqual({ protocol: 'SIP', cause: 488, text: 'The INVITE has no offer (SDP)' });
  });

  const callerOf = (ignoreContact: boolean, contact?: ReturnType<typeof address>): unknown => {
    const call = { from, sdp: offerSdp, ...(contact === undefined ? {} : { contact }) };
    const other = mapping(5, { peer: { type: 1, id: 55 } });
    const decision = routeIncoming(call, called, rules([called, known, other], { ignoreContact }));
    return 'offer' in decision ? decision.offer.from : undefined;
  };
  const anna = { uri: 'sip:434@pbx.example', user: '434', displayName: 'Anna', peer: { type: 1, id: 44 } };

  it('shows a caller of the telephone network by the number in E.164, and leaves address and extension as they came', () => {
    const dialling = toDialling({ allow: [], deny: [], number: { defaultCountry: 'DE', rewrite: [{ match: '^0', to: '9' }] } });
    const shown = (uri: string): unknown => {
      const decision = routeIncoming({ from: address(uri), sdp: offerSdp }, called, rules([called, mapping(6, { sipUser: '030123456' })], { dialling }));
      return 'offer' in decision ? decision.offer.from : undefined;
    };
    expect(shown('sip:0891234567@pbx.example')).toEqual({ uri: 'sip:0891234567@pbx.example', user: '+49891234567' });
    expect(shown('sip:600@pbx.example')).toEqual({ uri: 'sip:600@pbx.example', user: '600' });
    expect(shown('sip:030123456@pbx.example')).toEqual({ uri: 'sip:030123456@pbx.example', user: '030123456', peer: { type: 1, id: 106 } });
  });

  it('leads to a group, whose members the host rings, and to a SIP peer, when the account is theirs', () => {
    for (const peer of [{ type: 2, id: 7 }, { type: 4, id: 0, strId: '600' }] as const) {
      const decision = routeIncoming({ from, sdp: offerSdp }, mapping(1, { peer }), rules([called]));
      expect('offer' in decision && decision.offer.mapping.peer).toEqual(peer);
    }
  });

  it('names the messenger user whose address stands in From', () => {
    expect(callerOf(false)).toEqual(anna);
    expect(callerOf(false, address('sip:asterisk@10.0.0.1'))).toEqual(anna);
  });

  it('names the messenger user whose address stands in Contact first', () => {
    const contact = address('sip:435@pbx.example');
    expect(callerOf(false, contact)).toEqual({ uri: 'sip:435@pbx.example', user: '435', displayName: 'Anna', peer: { type: 1, id: 55 } });
  });

  const identified = (identity: CallerIdentity, contact = address('sip:asterisk@10.0.0.1')): unknown => {
    const other = mapping(5, { peer: { type: 1, id: 55 } });
    const why: string[] = [];
    const decision = routeIncoming({ from, contact, identity, sdp: offerSdp }, called, rules([called, known, other]), why);
    return 'offer' in decision ? [decision.offer.from, decision.offer.forwarded, why.at(-1)] : undefined;
  };

  it('names the caller as the network does, before From, with the name that is there', () => {
    const asserted = { uri: 'sip:435@pbx.example', user: '435', host: 'pbx.example' };
    const because = 'The caller is told by P-Asserted-Identity (sip:435@pbx.example), since Contact names no account of ours: user 55.';
    const caller = { uri: 'sip:435@pbx.example', user: '435', peer: { type: 1, id: 55 } };
    expect(identified({ asserted, isPrivate: false, forwardedBy: [] })).toEqual([{ ...caller, displayName: 'Anna' }, undefined, because]);
    const named = { ...asserted, displayName: 'Front desk' };
    expect(identified({ asserted: named, isPrivate: false, forwardedBy: [] })).toEqual([{ ...caller, displayName: 'Front desk' }, undefined, because]);
    const decision = routeIncoming({ from, identity: { asserted, isPrivate: false, forwardedBy: [] }, sdp: offerSdp }, called, rules([called, known], { ignoreContact: true }));
    expect('offer' in decision && decision.offer.from).toEqual(anna);
  });

  it('names nobody when the caller would rather not be named, whatever else is said', () => {
    const asserted = { uri: 'sip:435@pbx.example', user: '435', host: 'pbx.example' };
    expect(identified({ asserted, isPrivate: true, forwardedBy: [] }, address('sip:435@pbx.example'))).toEqual([
      { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' },
      undefined,
      'The caller would rather not be named (Privacy).',
    ]);
  });

  it('says who forwarded the call', () => {
    const forwardedBy = [{ by: address('sip:601@pbx.example'), reason: 'user-busy' }, { by: address('sip:602@pbx.example') }];
    const sentence = 'The call was forwarded by sip:601@pbx.example (user-busy), then by sip:602@pbx.example.';
    expect(identified({ isPrivate: false, forwardedBy })).toEqual([anna, sentence, sentence]);
  });

  it('names the caller by From alone with dialog-ignore-contact-field', () => {
    expect(callerOf(true, address('sip:435@pbx.example'))).toEqual(anna);
    const why: string[] = [];
    routeIncoming({ from, sdp: offerSdp }, called, rules([called, known], { ignoreContact: true }), why);
    expect(why.at(-1)).toBe('The caller is told by From (sip:434@pbx.example) (dialog-ignore-contact-field is on): user 44.');
  });
});

import { describe, expect, it } from 'vitest';
import { sayAccount, toColumns } from '../../src/mappings/mapping.js';
import { parseMappingColumns, parseMappingRow, parseMappingRows } from '../../src/mappings/parse-mapping.js';

/** A row as the guide's INSERT leaves it and node-postgres reads it. */
const row = {
  id: '7',
  sip_user: '434',
  sip_password: 'hush',
  sip_host: 'pbx.example.com',
  sip_port: 5060,
  sip_parameters: { transport: 'udp' } as unknown,
  sip_headers: {} as unknown,
  peer_type: 1,
  peer_id: '434',
  peer_str_id: null,
  register: true,
  can_call: true,
  can_be_called: true,
  auth_user: null,
  display_name: null,
};

function problemOf(change: Record<string, unknown>): string | undefined {
  const parsed = parseMappingRow({ ...row, ...change });
  return 'rejected' in parsed ? parsed.rejected.problem : undefined;
}

function mappingOf(change: Record<string, unknown>): unknown {
  const parsed = parseMappingRow({ ...row, ...change });
  return 'mapping' in parsed ? parsed.mapping : parsed.rejected.problem;
}

describe('a row of sip_user_mappings', () => {
  it('is a mapping when it is as the guide says', () => {
    expect(mappingOf({})).toEqual({
      id: 7,
      sipUser: '434',
      sipPassword: 'hush',
      sipHost: 'pbx.example.com',
      sipPort: 5060,
      transport: 'udp',
      peer: { type: 1, id: 434 },
      register: true,
      canCall: true,
      canBeCalled: true,
    });
  });

  it.each([
    [{ sip_parameters: { transport: 'tcp' } }, { transport: 'tcp' }],
    [{ sip_parameters: '{"transport": "tls"}' }, { transport: 'tls' }],
    [{ sip_parameters: '"{\\"transport\\": \\"tls\\"}"' }, 'row 7: sip_parameters "{\\"transport\\": \\"tls\\"}" is not a JSON object'],
    [{ sip_parameters: { transport: 'WSS' } }, { transport: 'wss', webSocket: { method: 'GET', location: '/' } }],
    [{ sip_parameters: {} }, { transport: 'udp' }],
    [{ sip_parameters: null, sip_headers: '' }, { transport: 'udp' }],
    [
      { sip_parameters: { transport: 'ws', method: 'POST' }, sip_headers: '{"host": "example.com:8088", "location": "/index"}' },
      { transport: 'ws', webSocket: { method: 'POST', host: 'example.com:8088', location: '/index' } },
    ],
    [{ sip_host: '[2001:db8::1]' }, { sipHost: '2001:db8::1' }],
    [{ sip_host: '192.0.2.1' }, { sipHost: '192.0.2.1' }],
    [{ sip_host: 'my_pbx-1.local.' }, { sipHost: 'my_pbx-1.local.' }],
    [{ sip_password: null }, { sipPassword: '' }],
    [{ sip_user: 434 }, { sipUser: '434' }],
    [{ peer_type: 4, peer_id: 0, peer_str_id: 'sip:a@b' }, { peer: { type: 4, id: 0, strId: 'sip:a@b' } }],
    [{ peer_id: '9007199254740991', peer_str_id: '' }, { peer: { type: 1, id: 9_007_199_254_740_991 } }],
    [{ auth_user: 'auth', display_name: 'Zoë' }, { authUser: 'auth', displayName: 'Zoë' }],
  ])('reads %j', (change, expected) => {
    const read = mappingOf(change);
    if (typeof expected === 'string') expect(read).toBe(expected);
    else expect(read).toMatchObject(expected);
  });

  it.each([
    [{ sip_port: 70_000 }, 'row 7: sip_port 70000 is not a port (0 to 65535)'],
    [{ sip_port: -1 }, 'row 7: sip_port -1 is not a port (0 to 65535)'],
    [{ sip_port: 'http' }, 'row 7: sip_port "http" is not a port (0 to 65535)'],
    [{ sip_port: null }, 'row 7: sip_port is empty, want a port (0 to 65535)'],
    [{ sip_user: '' }, 'row 7: sip_user is empty, want a SIP user'],
    [{ sip_user: 'a\r\nVia: x' }, 'row 7: sip_user contains a control character or a line break'],
    [{ sip_user: 'a'.repeat(256) }, 'row 7: sip_user is longer than 255 characters'],
    [{ sip_host: 'pbx example' }, expect.stringMatching(/^row 7: sip_host "pbx example" is not a host name or an IP address/)],
    [{ sip_host: 'pbx:5060' }, expect.stringContaining('the port has a column of its own, sip_port')],
    [{ sip_host: '300.1.1.1' }, expect.stringContaining('sip_host "300.1.1.1" is not')],
    [{ sip_host: 'a..b' }, expect.stringContaining('sip_host "a..b" is not')],
    [{ sip_host: null }, 'row 7: sip_host is empty, want a host name or an IP address'],
    [{ sip_parameters: { transport: 'sctp' } }, 'row 7: sip_parameters.transport "sctp" is not one of udp, tcp, tls, ws, wss'],
    [{ sip_parameters: [] }, 'row 7: sip_parameters [] is not a JSON object'],
    [{ sip_parameters: '{"transport"' }, 'row 7: sip_parameters "{\\"transport\\"" is not a JSON object'],
    [
      { sip_parameters: { transport: 'ws' }, sip_headers: { location: 'index' } },
      'row 7: sip_headers.location "index" is not an HTTP path that starts with "/"',
    ],
    [
      { sip_parameters: { transport: 'ws' }, sip_headers: { location: '/a\r\nX: y' } },
      'row 7: sip_headers.location "/a\\r\\nX: y" is not an HTTP path that starts with "/"',
    ],
    [
      { sip_parameters: { transport: 'ws' }, sip_headers: { host: 'a b' } },
      'row 7: sip_headers.host "a b" is not an HTTP host (example.com or example.com:8443)',
    ],
    [{ sip_parameters: { transport: 'ws', method: 'G T' } }, 'row 7: sip_parameters.method "G T" is not an HTTP verb'],
    [{ peer_type: 3 }, 'row 7: peer_type 3 is not a peer type (1 user, 2 group, 4 SIP address)'],
    [{ peer_id: '9007199254740992' }, expect.stringContaining('row 7: peer_id 9007199254740992 is not')],
    [{ peer_id: null }, 'row 7: peer_id is empty, want a whole number'],
    [{ register: null }, 'row 7: register is empty, want true or false'],
    [{ sip_password: 'ha1:hush' }, 'row 7: sip_password begins with "ha1:", but 32 hexadecimal digits do not follow'],
    [{ sip_password: 'enc:v1:hush' }, 'row 7: sip_password begins with "enc:v1:", but what follows is damaged'],
    [{ auth_user: 'a\nb' }, 'row 7: auth_user contains a control character or a line break'],
    [{ display_name: 'a\u0000b' }, 'row 7: display_name contains a control character or a line break'],
    [
      { sip_port: -1, peer_id: 'x' },
      'row 7: sip_port -1 is not a port (0 to 65535); peer_id "x" is not a whole number',
    ],
  ])('is rejected in words for %j', (change, problem) => {
    expect(problemOf(change)).toEqual(problem);
  });

  it('never shows its password when it is rejected', () => {
    for (const sip_password of ['hush\r\nhush', { hush: true }, ['hush']]) {
      const problem = problemOf({ sip_password });
      expect(problem).toMatch(/^row 7: sip_password /);
      expect(problem).not.toContain('hush');
    }
  });

  it('without a port is located by DNS, by any transport when it names none', () => {
    const parse = (sip_parameters: string): unknown => {
      const { mappings } = parseMappingRows([{ ...row, sip_port: 0, sip_parameters, sip_headers: '{}' }]);
      expect(parseMappingRows([{ ...toColumns(mappings[0]!), id: 7 }]).mappings).toEqual(mappings);
      return mappings[0];
    };
    expect(parse('{}')).toMatchObject({ sipPort: 0, transport: 'udp', isTransportOpen: true });
    expect(parse('{"transport":"udp"}')).not.toHaveProperty('isTransportOpen');
    expect(parseMappingRows([{ ...row, sip_port: 5060, sip_parameters: '{}' }]).mappings[0]).not.toHaveProperty('isTransportOpen');
  });

  it('harms no other row', () => {
    const rows = [row, { ...row, id: 8, sip_port: -1 }, null, { ...row, id: 'x' }, { ...row, id: 9 }];
    const { mappings, rejected } = parseMappingRows(rows);
    expect(mappings.map(({ id }) => id)).toEqual([7, 9]);
    expect(rejected).toEqual([
      { id: 8, problem: 'row 8: sip_port -1 is not a port (0 to 65535)' },
      { problem: 'a row without a usable id' },
      { problem: 'a row without a usable id' },
    ]);
  });
});

describe('a mapping that is not in the table yet', () => {
  it("takes the table's defaults for what is not given", () => {
    expect(parseMappingColumns({ sip_user: '434', sip_host: 'pbx', peer_id: '434' })).toEqual({
      sipUser: '434',
      sipPassword: '',
      sipHost: 'pbx',
      sipPort: 5060,
      transport: 'udp',
      peer: { type: 1, id: 434 },
      register: true,
      canCall: true,
      canBeCalled: true,
    });
  });

  it('is refused with all its faults at once, by the names of their columns', () => {
    const attempt = (): unknown => parseMappingColumns({ sip_host: 'pbx', sip_port: 'x', peer_id: 1, register: 'maybe' });
    expect(attempt).toThrow(expect.objectContaining({ code: 'MAPPING_INVALID', fields: ['sip_user', 'sip_port', 'register'] }));
  });

  it('comes back the same from its columns', () => {
    const draft = parseMappingColumns({
      ...row,
      sip_parameters: { transport: 'wss', method: 'GET' },
      sip_headers: { host: 'example.com:443', location: '/index' },
      peer_type: 4,
      peer_str_id: 'sip:a@b',
      display_name: 'D',
    });
    const columns = toColumns(draft);
    expect(columns.sip_parameters).toBe('{"transport":"wss","method":"GET"}');
    expect(columns.sip_headers).toBe('{"host":"example.com:443","location":"/index"}');
    expect(parseMappingColumns(columns)).toEqual(draft);
  });
});

describe('the name of an account', () => {
  it('puts an IPv6 address in brackets', () => {
    expect(sayAccount({ sipUser: '1', sipHost: '::1', sipPort: 5060 })).toBe('1@[::1]:5060');
    expect(sayAccount({ sipUser: '1', sipHost: 'pbx', sipPort: 5061 })).toBe('1@pbx:5061');
  });
});

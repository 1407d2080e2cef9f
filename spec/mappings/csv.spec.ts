import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMappingsCsv, parseMappingsCsv, readMappingsCsv, type CsvBatch } from '../../src/mappings/csv.js';
import { sipTransports } from '../../src/base/sip-transport.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

async function* asPages(...pages: Mapping[][]): AsyncGenerator<Mapping[]> {
  for (const page of pages) yield await Promise.resolve(page);
}

async function format(mappings: Mapping[], withPasswords: boolean): Promise<string> {
  let text = '';
  for await (const part of formatMappingsCsv(asPages(mappings), { withPasswords })) text += part;
  return text;
}

async function readAll(text: string): Promise<CsvBatch[]> {
  const batches: CsvBatch[] = [];
  for await (const batch of readMappingsCsv(Buffer.from(text))) batches.push(batch);
  return batches;
}

const mapping: Mapping = { ...ordinaryDraft, id: 1, sipPassword: 'hush', sipHost: 'pbx', canBeCalled: false };

const header =
  'sip_user,sip_password,sip_host,sip_port,sip_parameters,sip_headers,peer_type,peer_id,peer_str_id,register,can_call,can_be_called,auth_user,display_name';

describe('mappings as CSV', () => {
  it("are written under the guide's column names, passwords only when asked for", async () => {
    expect(await format([mapping], true)).toBe(`${header}\n434,hush,pbx,5060,"{""transport"":""udp""}",{},1,434,,true,true,false,,\n`);
    expect(await format([mapping], false)).toBe(`${header}\n434,,pbx,5060,"{""transport"":""udp""}",{},1,434,,true,true,false,,\n`);
    expect(await format([], true)).toBe(`${header}\n`);
  });

  it('come back as they were, whatever their texts hold', async () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((value) => !/\p{Cc}/u.test(value));
    const arbitrary = fc
      .record({
        id: fc.nat(),
        sipUser: text,
        sipPassword: fc.oneof(text, fc.constant('')),
        sipHost: fc.domain(),
        sipPort: fc.integer({ min: 1, max: 65_535 }),
        transport: fc.constantFrom(...sipTransports),
        peer: fc.record({ type: fc.constantFrom(1 as const, 2 as const, 4 as const), id: fc.maxSafeInteger(), strId: text }),
        register: fc.boolean(),
        canCall: fc.boolean(),
        canBeCalled: fc.boolean(),
        authUser: text,
        displayName: text,
      })
      .map((base): Mapping =>
        base.transport.startsWith('ws') ? { ...base, webSocket: { method: 'GET', host: 'h:1', location: '/a?b="c",d' } } : base,
      );
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 5 }), async (mappings) => {
        const { rows, rejected } = parseMappingsCsv(await format(mappings, true));
        expect(rejected).toEqual([]);
        expect(rows.map(({ draft }, index) => ({ id: mappings[index]?.id, ...draft }))).toEqual(mappings);
      }),
    );
  });

  it('are read with any order of columns, and defaults for those that are not there or empty', () => {
    const { rows } = parseMappingsCsv('peer_id,register,sip_host,sip_user,id\r\n434,f,pbx,434,9\r\n435,,pbx,435,\r\n');
    expect(rows).toEqual([
      { line: 2, draft: { ...mapping, id: undefined, sipPassword: '', register: false, canBeCalled: true } },
      { line: 3, draft: { ...mapping, id: undefined, sipUser: '435', peer: { type: 1, id: 435 }, sipPassword: '', canBeCalled: true } },
    ]);
  });

  it('are read from what a spreadsheet saves: a byte order mark, CRLF, blank lines', () => {
    expect(parseMappingsCsv('\ufeffsip_user,sip_host,peer_id\r\n\r\n1,pbx,1\r\n').rows).toMatchObject([{ line: 3 }]);
  });

  it('say the line of each row that cannot be used and read the others', () => {
    const { rows, rejected } = parseMappingsCsv(
      'sip_user,sip_host,peer_id,sip_port,sip_password\n1,pbx,1,5060,a\n2,pbx,2,70000,hush\n3,pbx\n"4",p bx,x,,\n5,pbx,5,,\n',
    );
    expect(rows.map(({ line }) => line)).toEqual([2, 6]);
    expect(rejected.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(rejected.map(({ column }) => column)).toEqual(['sip_port', undefined, 'sip_host']);
    expect(rejected.map(({ problem }) => problem)).toEqual([
      'sip_port 70000 is not a port (0 to 65535)',
      '2 cells, the header has 5',
      expect.stringMatching(/^sip_host "p bx" is not .*; peer_id "x" is not a whole number$/),
    ]);
  });

  it.each([
    ['', /^The file is empty/],
    ['sip_user,sip_host,peer_id,colour\n', /there is no column "colour".*The columns are sip_user, /],
    ['sip_user,sip_user,sip_host,peer_id\n', /sip_user stands there twice/],
    ['sip_user\n1\n', /sip_host, peer_id must be there/],
    ['sip_user,sip_host,peer_id,sip_password\n1,pbx,1,"hush\n', /^line \d+: the quotes do not match/],
    ['sip_user,sip_host,peer_id,sip_password\n1,pbx,1,hu"sh\n', /^line 2: the quotes do not match/],
  ])('are refused as a whole when the file is %j', async (text, message) => {
    const attempt = (): unknown => parseMappingsCsv(text);
    const refusal = expect.objectContaining({ code: 'MAPPING_INVALID', message: expect.stringMatching(message) as unknown }) as Error;
    expect(attempt).toThrow(refusal);
    expect(attempt).not.toThrow(/hush|hu"sh/);
    await expect(readAll(text)).rejects.toEqual(refusal);
  });

  it('are judged batch by batch as they are all at once, wherever the file is cut', async () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => (index % 7 === 0 ? `${index},p bx,${index},x` : `${index},pbx,${index},"zwölf,\n${'é'.repeat(20)}"`));
    const text = `\ufeffsip_user,sip_host,peer_id,display_name\r\n${lines.join('\r\n').replaceAll('\n"', '"')}`;
    const batches = await readAll(text);
    expect(batches.map(({ rows, rejected }) => rows.length + rejected.length)).toEqual([...Array<number>(15).fill(200), 0]);
    expect(batches[0]?.columns).toEqual(new Set(['sip_user', 'sip_host', 'peer_id', 'display_name']));
    expect({ rows: batches.flatMap(({ rows }) => rows), rejected: batches.flatMap(({ rejected }) => rejected) }).toEqual(parseMappingsCsv(text));
  });
});

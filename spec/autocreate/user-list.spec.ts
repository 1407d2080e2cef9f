import { describe, expect, it } from 'vitest';
import { parseUserList } from '../../src/autocreate/user-list.js';

describe('a list of users', () => {
  it('is CSV with columns in any order, of which some count', () => {
    expect(parseUserList('\uFEFFname,ID,phone,disabled,nick\r\n"Ann ""A"" Lee",434,+1,f,\r\n,435,,yes,bob\r\n')).toEqual([
      { line: 2, user: { id: 434, name: 'Ann "A" Lee', disabled: false } },
      { line: 3, user: { id: 435, nick: 'bob', disabled: true } },
    ]);
  });

  it('is a JSON object on each line, blank lines apart', () => {
    expect(parseUserList('\n{"id":434,"name":"Ann","nick":null,"about":{}}\r\n\r\n{"id":"435","disabled":true}\n')).toEqual([
      { line: 2, user: { id: 434, name: 'Ann' } },
      { line: 4, user: { id: 435, disabled: true } },
    ]);
  });

  it('harms itself alone with a line that is none', () => {
    const csv = parseUserList('id,name,disabled\nx,Ann,\n0,Bob,\n9007199254740992,Cy,\n7\n8,Dan,perhaps\n9,Eve,\n');
    expect(csv.map((one) => ('problem' in one ? one.problem : one.user.id))).toEqual([
      'line 2: id is not a whole number above 0',
      'line 3: id is not a whole number above 0',
      'line 4: id is not a whole number above 0',
      'line 5: 1 cells, the header has 3',
      'line 6: disabled is neither true nor false',
      9,
    ]);
    const json = parseUserList('{"id":1}\n{"id":\n[2]\n3\n{"name":5}\n');
    expect(json.map((one) => ('problem' in one ? one.problem : one.user.id))).toEqual([
      1,
      'line 2: is no JSON object',
      'line 3: is no JSON object',
      'line 4: is no JSON object',
      'line 5: id is not a whole number above 0; name is not a text',
    ]);
  });

  it.each(['', '434\n435\n', 'name,nick\nAnn,a\n'])('is refused as a whole when it is neither: %j', (text) => {
    expect(() => parseUserList(text)).toThrow(expect.objectContaining({ code: 'MAPPING_INVALID', message: expect.stringMatching(/^line 1/) as unknown }) as Error);
  });
});

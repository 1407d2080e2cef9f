/** What `a=rtpmap` and `a=fmtp` lines say is read once for all calls that say the same. */
import { describe, expect, it } from 'vitest';
import { readFormats } from '../../src/sdp/formats.js';

const opus = 'a=rtpmap:111 opus/48000/2\na=fmtp:111 minptime=10;useinbandfec=1\n';
const other = (number: number): string => `a=rtpmap:96 VP8/90000\na=fmtp:96 x=${number}\n`;

describe('lines of codecs', () => {
  it('tell the name and the clock rate of each format, and its parameters', () => {
    const { codecs, parameters } = readFormats(opus);
    expect([...codecs]).toEqual([['111', { name: 'opus', rate: 48_000 }]]);
    expect([...parameters]).toEqual([['111', 'minptime=10;useinbandfec=1']]);
  });

  it('count once for a format, and not at all when they name no number', () => {
    const { codecs, parameters } = readFormats('a=rtpmap:0 PCMU/8000\na=rtpmap:0 opus/48000\na=rtpmap:x opus/48000\na=fmtp:0 a\na=fmtp:0 b\n');
    expect([[...codecs], [...parameters]]).toEqual([[['0', { name: 'pcmu', rate: 8_000 }]], [['0', 'a']]]);
  });

  it('are read once as long as they are among the last 64 different ones', () => {
    const own = 'a=rtpmap:97 opus/48000/2\n';
    const isReadOnce = (): boolean => {
      const before = readFormats(own);
      for (let number = 0; number < 10; number += 1) readFormats(other(number));
      return readFormats(own) === before;
    };
    // Other specs may have left it nearly full: then it is begun anew among the first ten.
    expect(isReadOnce() || isReadOnce()).toBe(true);
    const first = readFormats(own);
    for (let number = 0; number < 65; number += 1) readFormats(other(number));
    expect(readFormats(own)).not.toBe(first);
    expect(readFormats(own)).toEqual(first);
  });

  it('of a stranger are not kept when they are longer than those of any client', () => {
    const long = opus.repeat(100);
    expect(readFormats(long)).not.toBe(readFormats(long));
  });
});

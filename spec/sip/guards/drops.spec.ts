import { beforeEach, describe, expect, it } from 'vitest';
import { DropReport, type DropKind } from '../../../src/sip/guards/drops.js';
import { ManualClock } from '../../support/manual-clock.js';

const minute = 60_000;
let clock: ManualClock;
let lines: string[];
let counted: DropKind[];
let report: DropReport;

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  counted = [];
  const log = { debug: (line: string) => lines.push(`debug ${line}`), warn: (line: string) => lines.push(`warn ${line}`) };
  report = new DropReport(clock, log, (kind) => counted.push(kind));
});

describe('what is dropped', () => {
  it('is counted one by one and told in one line a kind and minute', async () => {
    for (let index = 0; index < 1_234; index += 1) report.note('stranger', `192.0.2.${String(7 + (index % 3))}`);
    report.note('unparsable', '192.0.2.9', 'no Call-ID');
    report.note('unmatched', '192.0.2.1');
    expect(lines).toEqual([]);
    await clock.advance(minute);
    expect(lines).toEqual([
      'warn Dropped in the last minute: 1,234 requests from addresses that are no registrar of ours; from 3 addresses, such as 192.0.2.7',
      'warn Dropped in the last minute: 1 messages that are not well-formed SIP; from one address, such as 192.0.2.9 (no Call-ID)',
      'debug Dropped in the last minute: 1 responses that nothing waited for; from one address, such as 192.0.2.1',
    ]);
    expect(counted.filter((kind) => kind === 'stranger')).toHaveLength(1_234);
  });

  it('is told again when it goes on, and needs no timer when it does not', async () => {
    report.note('flood', '192.0.2.1');
    await clock.advance(minute);
    expect(clock.pending).toBe(0);
    report.note('flood', '192.0.2.2');
    await clock.advance(minute);
    expect(lines.map((line) => line.slice(line.lastIndexOf(' ')))).toEqual([' 192.0.2.1', ' 192.0.2.2']);
  });

  it('remembers a bounded number of addresses', async () => {
    for (let index = 0; index < 5_000; index += 1) report.note('flood', `10.0.${String(index >> 8)}.${String(index & 255)}`);
    await clock.advance(minute);
    expect(lines[0]).toContain('5,000 messages');
    expect(lines[0]).toContain('from at least 1,000 addresses');
  });

  it('leaves no timer behind', () => {
    report.note('flood', '192.0.2.1');
    report.close();
    expect(clock.pending).toBe(0);
  });
});

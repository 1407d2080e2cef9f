import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from 'winston';
import { keptIn, LogTail } from '../../src/observability/log-tail.js';

const clock = { date: () => new Date('2026-01-01T00:00:00Z') };

describe('the end of the log', () => {
  it('is a thousand lines, the oldest first, however many there were', () => {
    const tail = new LogTail(clock);
    for (let line = 1; line <= 2_500; line += 1) tail.add('info', `line ${line}`);
    const held = tail.after(0);
    expect([held.length, held[0]?.n, held[0]?.message, held.at(-1)?.n, tail.last]).toEqual([1_000, 1_501, 'line 1501', 2_500, 2_500]);
    expect(tail.after(2_498).map(({ message }) => message)).toEqual(['line 2499', 'line 2500']);
    expect(tail.after(9_999)).toEqual([]);
  });

  it('holds no line without end', () => {
    const tail = new LogTail(clock);
    tail.add('info', 'x'.repeat(100_000));
    expect(tail.after(0)[0]?.message).toBe(`${'x'.repeat(4_000)}...`);
  });

  it('gives what is as bad as a level, or worse', () => {
    const tail = new LogTail(clock);
    for (const level of ['debug', 'info', 'warn', 'error'] as const) tail.add(level, level);
    expect(tail.after(0, 'warn').map(({ message }) => message)).toEqual(['warn', 'error']);
  });

  it('tells who listens, until they listen no more', () => {
    const tail = new LogTail(clock);
    const heard: string[] = [];
    const stop = tail.lines.add(({ n, message }) => heard.push(`${n} ${message}`));
    tail.add('info', 'a');
    stop();
    tail.add('info', 'b');
    expect(heard).toEqual(['1 a']);
  });
});

describe('a winston log that is kept', () => {
  it('says the same as before, and what its level keeps back is not kept either', () => {
    const shown: unknown[] = [];
    const stream = new Writable({
      objectMode: true,
      write: (record: Record<string, unknown>, _encoding, next) => {
        shown.push(JSON.parse(JSON.stringify(record)));
        next();
      },
    });
    const logger = createLogger({ level: 'info' });
    logger.pipe(stream);
    const tail = new LogTail(clock);
    const log = keptIn(tail, logger.child({ component: 'sip' }));
    log.info('100 %s of it');
    log.warn('with a reason', { mappingId: 7 });
    log.debug('in detail');
    expect(shown).toEqual([
      { level: 'info', message: '100 %s of it', component: 'sip' },
      { level: 'warn', message: 'with a reason', mappingId: 7, component: 'sip' },
      // Past every transport, which are what knows of levels.
      { level: 'debug', message: 'in detail', component: 'sip' },
    ]);
    expect(tail.after(0).map(({ level, message }) => `${level} ${message}`)).toEqual(['info 100 %s of it', 'warn with a reason']);
  });
});

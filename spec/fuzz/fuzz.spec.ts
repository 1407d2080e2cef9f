/** A minute of spoilt messages from one seed; `npm run fuzz` looks for others. `FUZZ_SECONDS` makes it longer. */
import { expect, it } from 'vitest';
import { fuzz, printReport } from './fuzz.js';
import { chop, spoil } from './mutations.js';
import { Random } from './random.js';

const mostMessages = 100_000;

it('nothing that arrives throws, keeps the loop, is answered by what is no SIP, or leaves anything behind', async () => {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 60);
  const report = await fuzz({ seed: 1, seconds, messages: seconds >= 60 ? mostMessages : 0 });
  process.stdout.write(`${printReport(report)}\n`);
  expect(report.faults).toEqual([]);
});

it('the same seed spoils the same message in the same way, and most times it is another message then', () => {
  const message = Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\r\n');
  const spoilt = (seed: number): string => spoil(message, new Random(seed), () => message).toString('latin1');
  const all = Array.from({ length: 200 }, (_, seed) => spoilt(seed));
  expect(all).toEqual(Array.from({ length: 200 }, (_, seed) => spoilt(seed)));
  expect(new Set(all).size).toBeGreaterThan(150);
});

it('what is chopped is whole when it is put together', () => {
  const bytes = Buffer.from('x'.repeat(500));
  for (let seed = 0; seed < 20; seed += 1) expect(Buffer.concat(chop(bytes, new Random(seed)))).toEqual(bytes);
});

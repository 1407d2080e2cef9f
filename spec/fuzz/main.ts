/** `npm run fuzz -- --seconds 60 --seed 7`: exit code 1 when something is found. */
import { parseArgs } from 'node:util';
import { fuzz, printReport } from './fuzz.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const report = await fuzz({ seconds: Number(values.seconds), seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)) });
process.stdout.write(`${printReport(report)}\n`);
process.exitCode = report.faults.length === 0 ? 0 : 1;

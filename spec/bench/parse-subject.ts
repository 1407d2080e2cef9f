/** One parser in a process of its own, whose name is its argument: nothing of another's is in its caches and its heap. */
import { createRequire } from 'node:module';
import type { parseMessage as ParseMessage } from '../../src/sip/parser/parse-message.js';
import type { ParseCommand, ParseReport } from './protocol.js';

/** A whole message; undefined when the bytes cannot be read. */
type Parse = (bytes: Buffer) => unknown;

const turnMicroseconds = 150_000;
/** Between two looks at the CPU's clock. */
const batch = 50;

const load = createRequire(import.meta.url);

const parsers: Readonly<Record<string, () => Promise<Parse>>> = {
  ours: async () => {
    const compiled = new URL('../../dist/sip/parser/parse-message.js', import.meta.url).href;
    const { parseMessage } = (await import(compiled)) as { parseMessage: typeof ParseMessage };
    return (bytes) => {
      const outcome = parseMessage(bytes);
      return 'fault' in outcome ? undefined : outcome;
    };
  },
  sip: () => {
    const { parse } = load('sip') as { parse: Parse };
    return Promise.resolve(parse);
  },
  jssip: () => {
    const { parseMessage } = load('jssip/lib/Parser.js') as { parseMessage(text: string, ua: object): unknown };
    return Promise.resolve((bytes) => parseMessage(bytes.toString('utf8'), {}));
  },
  'SIP.js': async () => {
    const { LoggerFactory, Parser } = await import('sip.js/lib/core/index.js');
    const loggers = new LoggerFactory();
    loggers.builtinEnabled = false;
    const logger = loggers.getLogger('bench');
    return (bytes) => Parser.parseMessage(bytes.toString('utf8'), logger);
  },
};

function turn(parse: Parse, bytes: Buffer): number | undefined {
  if (parse(bytes) === undefined) return undefined;
  const start = process.cpuUsage();
  for (let count = batch; ; count += batch) {
    for (let round = 0; round < batch; round += 1) parse(bytes);
    const { user, system } = process.cpuUsage(start);
    if (user + system >= turnMicroseconds) return Math.round((count / (user + system)) * 1_000_000);
  }
}

const parse = await parsers[process.argv[2] ?? '']?.();
if (parse === undefined) throw new Error(`There is no parser ${String(process.argv[2])}.`);
process.on('message', ({ text }: ParseCommand) => {
  report({ kind: 'parsed', perCpuSecond: turn(parse, Buffer.from(text)) ?? null });
});
report({ kind: 'ready' });

function report(message: ParseReport): void {
  process.send?.(message);
}

/**
 * `npm start`: the demonstration, as a program. `--once` ends after the call; `--conf FILE` takes another server.conf; `--port N`
 * another HTTP port. LOG_LEVEL (default `warn`) sets what of the log goes to the standard error output.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createLogger, format, transports } from 'winston';
import { messageOf } from '../base/errors.js';
import { loadExtension, readServerConf } from '../index.js';
import { runProgram } from './program.js';

/** The same from `src/` and from `dist/`. */
const fixtures = new URL('../../fixtures/', import.meta.url);

const usage = 'usage: npm start -- [--once] [--conf FILE] [--port N]';

function readArguments(): { once: boolean; conf: string; httpPort: number } {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      conf: { type: 'string', default: fileURLToPath(new URL('server.conf', fixtures)) },
      port: { type: 'string', default: '8080' },
    },
  });
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) throw new Error(`--port wants a number, not ${values.port}`);
  return { once: values.once, conf: values.conf, httpPort: Number(values.port) };
}

async function main(): Promise<number> {
  let chosen: ReturnType<typeof readArguments>;
  try {
    chosen = readArguments();
  } catch (thrown) {
    console.error(`${messageOf(thrown)}\n${usage}`);
    return 1;
  }
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const logger = createLogger({
    level: process.env.LOG_LEVEL ?? 'warn',
    format: format.combine(format.errors({ stack: true }), format.simple()),
    // winston declares its transports as interfaces with constructors, which the rule takes for a class of another name.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new transports.Console({ stderrLevels: ['error', 'warn', 'info', 'http', 'verbose', 'debug', 'silly'] })],
  });
  return runProgram({
    ...chosen,
    sdpFolder: new URL('sdp/', fixtures),
    readServerConf,
    loadExtension,
    logger,
    print: (line) => {
      console.log(line);
    },
    stopAsked: stop.signal,
  });
}

process.exitCode = await main();
// Everything is closed by now; what is not must not hold the terminal.
setTimeout(() => process.exit(), 200).unref();

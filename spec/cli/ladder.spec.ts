import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addLadderCommand } from '../../src/cli/ladder.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialog-sip-ladder-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  out: string;
  err: string;
  asked: unknown[];
  code?: number;
}

async function run(args: string, columns?: number): Promise<Run> {
  const seen: Run = { out: '', err: '', asked: [] };
  const program = new Command('dialog-sip').exitOverride().configureOutput({ writeErr: (text) => (seen.err += text), writeOut: (text) => (seen.out += text) });
  addLadderCommand(program, {
    open: () =>
      Promise.resolve({
        ladder: (...asked) => {
          seen.asked.push(asked);
          return Promise.resolve(Buffer.from('the drawing\n'));
        },
        untoldCalls: () => Promise.resolve({ items: [{ at: '2026-01-02T09:15:02.123Z', sipCallId: 'stranger', from: 'sip:ann@pbx', to: 'sip:600@pbx' }] }),
      }),
    write: (bytes) => {
      seen.out += String(bytes);
    },
    columns: () => columns,
  });
  try {
    await program.parseAsync(['ladder', ...args.split(' '), ...(args.includes('--help') ? [] : ['--config', 'server.conf'])], { from: 'user' });
  } catch (thrown) {
    seen.code = (thrown as { exitCode?: number }).exitCode ?? 1;
    if (!('exitCode' in (thrown as object))) seen.err += String(thrown);
  }
  return seen;
}

describe('dialog-sip ladder', () => {
  it('draws a call as wide as the terminal, 80 columns where there is none', async () => {
    expect(await run('c-1', 132)).toMatchObject({ out: 'the drawing\n', asked: [[{ callId: 'c-1' }, 'text', 132, false]] });
    expect(await run('c-1 --messages')).toMatchObject({ asked: [[{ callId: 'c-1' }, 'text', 80, true]] });
    expect(await run('c-1', 20)).toMatchObject({ asked: [[{ callId: 'c-1' }, 'text', 60, false]] });
  });

  it('draws a registration, and writes any form to a file', async () => {
    const file = join(folder, 'r.pcapng');
    expect(await run(`--registration 7 --as pcapng --out ${file}`)).toMatchObject({ out: `Written to ${file}.\n`, asked: [[{ mappingId: 7 }, 'pcapng', 80, false]] });
    expect(await readFile(file, 'utf8')).toBe('the drawing\n');
    expect((await run(`c --out ${folder}/none/x`)).err).toContain('cannot be written: there is no such file or directory');
  });

  it('lists the calls that the messenger never heard of', async () => {
    expect((await run('--untold')).out).toBe('2026-01-02 09:15:02  sip:ann@pbx -> sip:600@pbx\n                     stranger\n1 call.\n');
  });

  it('is asked wrongly without a call, with two, or for a form that there is not', async () => {
    expect((await run('--messages')).code).toBe(2);
    expect((await run('c --registration 7')).code).toBe(2);
    expect((await run('c --as png')).err).toContain('Allowed choices are text, svg, pcapng, json');
  });

  it('explains itself with examples, in 80 columns', async () => {
    const { out } = await run('--help');
    expect(out).toContain('$ dialog-sip ladder --untold');
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});

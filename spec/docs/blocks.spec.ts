/** What stands in blocks of code and in commands within the text is held against the programs that read it. */
import { describe, expect, it } from 'vitest';
import { parseServerConf } from '../../src/config/read.js';
import { toSipConfig } from '../../src/config/schema.js';
import { commandLines, refusalOf } from '../support/command-lines.js';
import { messageOf } from '../../src/base/errors.js';
import { pages, type Block, type Page } from '../support/pages.js';

const key = Buffer.alloc(32, 7).toString('base64');
const environment = { PGPASSWORD: 'secret', SIP_SECRETS_KEY: key, SIP_SECRETS_OLD_KEY: key, SIP_ADMIN_TOKEN: 'a-token-of-length-24-abc', SIP_DERIVE_SECRET: 'sixteen-or-more-characters' };

const blocks = pages.flatMap((page) => page.blocks.map((block) => ({ ...block, name: `${page.path}:${block.line}` })));

function whyNoServerConf({ text }: Pick<Block, 'text'>, file: string): string | undefined {
  // A part of it stands in modules.sip.
  const whole = /^\s*(?:#.*\n\s*)*(?:modules|services)\b/.test(text) ? text : `modules.sip {\n${text}\n}`;
  try {
    toSipConfig(parseServerConf(whole, { file, env: environment }));
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

describe('the parts of server.conf in the pages', () => {
  it.each(blocks.filter(({ language }) => language === 'hocon'))('are read without an error: $name', (block) => {
    expect(whyNoServerConf(block, block.name)).toBeUndefined();
  });

  it('are all marked as such', () => {
    const unmarked = blocks.filter(({ language, text }) => language !== 'hocon' && /^\s*modules\.sip[ .]/m.test(text));
    expect(unmarked.map(({ name }) => name)).toEqual([]);
  });

  it('are refused when a key of theirs is no more', () => {
    expect(whyNoServerConf({ text: 'calls { max-total = 3, max-totals = 4 }' }, 'x')).toContain('did you mean modules.sip.calls.max-total?');
  });
});

/** Commands within the text, of which what is needed may be left out: `dialog-sip status`. */
function named({ path, prose }: Page): { name: string; line: string }[] {
  return prose.flatMap((text, index) => [...text.matchAll(/`(dialog-sip [^`]*)`/g)].map(([, line = '']) => ({ name: `${path}:${index + 1}`, line: line.replace(/\b(?:ID|N)\b/, '7') })));
}

describe('the commands in the pages', () => {
  it('are taken by dialog-sip, each that stands in a block', async () => {
    const lines = blocks.flatMap(({ text }) => commandLines(text));
    expect(lines.length).toBeGreaterThan(10);
    const refusals = await Promise.all(lines.map((line) => refusalOf(line, true)));
    expect(refusals.filter((refusal) => refusal !== undefined)).toEqual([]);
  });

  it('are commands and options of dialog-sip, each that stands in the text', async () => {
    const refusals = await Promise.all(pages.flatMap(named).map(async ({ name, line }) => ({ name, refusal: await refusalOf(line, false) })));
    expect(refusals.filter(({ refusal }) => refusal !== undefined)).toEqual([]);
  });
});

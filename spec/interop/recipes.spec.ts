import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pages } from '../support/pages.js';
import { withSbin } from './support/kamailio-rpc.js';
import { Program } from './support/program.js';

it('docs/recipes.md has a configuration that Kamailio takes', async () => {
  const recipe = pages.find(({ path }) => path === 'docs/recipes.md')?.blocks.find(({ language }) => language === 'kamailio');
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  const file = join(folder, 'kamailio.cfg');
  writeFileSync(file, recipe?.text ?? 'there is none');
  const check = new Program('kamailio', ['-c', '-f', file], { env: withSbin() });
  const { code } = await check.ended;
  rmSync(folder, { recursive: true });
  expect({ code, output: code === 0 ? '' : check.output }).toEqual({ code: 0, output: '' });
});

/** Every block of TypeScript in the pages is printed to a file of `examples/`, which `npm run typecheck` then takes like any other. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pages } from '../support/pages.js';

const ours = "'../../../src/index.js'";

/** What a block takes from the host round it. */
const surroundings: Readonly<Record<string, { imports?: string; declares: string }>> = {
  logger: { imports: "import type { Logger } from 'winston';", declares: 'logger: Logger' },
  knex: { imports: "import type { Knex } from 'knex';", declares: 'knex: Knex' },
  users: { imports: `import type { HostUser } from ${ours};`, declares: 'users: { get: (id: number) => Promise<HostUser | undefined> }' },
  tellTheDevices: { imports: `import type { CallUpdate } from ${ours};`, declares: 'tellTheDevices: (update: CallUpdate) => Promise<void>' },
  offer: { imports: `import type { SessionDescription } from ${ours};`, declares: 'offer: SessionDescription' },
  callId: { declares: 'callId: string' },
};

const examples = pages.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language }) => language === 'ts')
    .map(({ text }, index) => {
      const taken = Object.entries(surroundings).flatMap(([name, surrounding]) => (new RegExp(`\\b${name}\\b`).test(text) ? [surrounding] : []));
      const declared = [...taken.flatMap(({ imports = [] }) => imports), ...taken.map(({ declares }) => `declare const ${declares};`)];
      const code = text.replaceAll("'dialog-sip-extension'", ours);
      const printed = `/** Printed from ${path} by \`npx vitest run --config spec/vitest.config.ts --project unit spec/docs -u\`. */\n${[...declared, '', code].join('\n')}`;
      return { name: `${path.replaceAll(/\W+/g, '-')}-${index + 1}.ts`, printed };
    }),
);

describe('the TypeScript in the pages', () => {
  it.each(examples)('is what is checked as $name', async ({ name, printed }) => {
    await expect(printed).toMatchFileSnapshot(`examples/${name}`);
  });

  it('has nothing beside it that stands in no page', () => {
    expect(readdirSync(new URL('examples', import.meta.url)).sort()).toEqual(examples.map(({ name }) => name).sort());
  });
});

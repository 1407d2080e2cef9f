import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExtensionError } from '../../src/base/errors.js';
import type { HostExtension } from '../../src/host/contract.js';
import { builtInExtensionId, createExtensionLoader } from '../../src/host/load-extension.js';

/** What stands for the extension of this package: only its identity matters here. */
class BuiltIn implements HostExtension {
  init = () => Promise.resolve();
  onUserCreated = () => Promise.resolve();
  onUserUpdated = () => Promise.resolve();
  onUserDeleted = () => Promise.resolve();
  onCall = () => Promise.resolve();
  stop = () => Promise.resolve();
  status(): never {
    throw new Error('not asked here');
  }
}

const other = `
export class Other {
  name = 'other';
  async init() {} async onUserCreated() {} async onUserUpdated() {} async onUserDeleted() {} async onCall() {} async stop() {}
  status() { return {}; }
}
export class Lacking { async init() {} status() { return {}; } }
export class Throwing { constructor() { throw new Error('out of order'); } }
export const text = 'no class';
export default Other;
`;

let folder = '';
const load = createExtensionLoader(() => new BuiltIn());
const conf = (extension: unknown): Record<string, unknown> => ({ modules: { sip: { extension } } });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dialog-sip-load-'));
  writeFileSync(join(folder, 'other.mjs'), other);
  writeFileSync(join(folder, 'broken.mjs'), 'export const = 1');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function refusal(tree: Record<string, unknown>): Promise<string> {
  const thrown: unknown = await load(tree).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ExtensionError);
  expect((thrown as ExtensionError).code).toBe('EXTENSION_UNKNOWN');
  return (thrown as ExtensionError).message;
}

describe('modules.sip.extension', () => {
  it('loads the extension of this package by the id of the guide, a new one each time', async () => {
    const one = await load(conf('im.dlg.sip.extension.SipExtension'));
    expect(one).toBeInstanceOf(BuiltIn);
    expect(await load(conf(builtInExtensionId))).not.toBe(one);
  });

  it('loads another class from a path, counted from the working directory, or absolute', async () => {
    const path = join(folder, 'other.mjs');
    const fromHere = `./${relative(process.cwd(), path)}`;
    for (const id of [`${path}#Other`, `${fromHere}#Other`, `${path}#default`]) {
      expect(await load(conf(id))).toMatchObject({ name: 'other' });
    }
  });

  it('loads another class from a package that the host installed', async () => {
    const home = join(folder, 'node_modules', 'dialog-other-extension');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"name":"dialog-other-extension","main":"index.mjs"}');
    writeFileSync(join(home, 'index.mjs'), other);
    const before = process.cwd;
    // The working directory of the process is shared by the specs of a worker; only what the loader asks is changed.
    process.cwd = () => folder;
    try {
      expect(await load(conf('dialog-other-extension#Other'))).toMatchObject({ name: 'other' });
    } finally {
      process.cwd = before;
    }
  });

  it.each([
    ['is not set', {}, 'is not set; want "im.dlg.sip.extension.SipExtension", or "package-or-path#ExportName"'],
    ['is null', conf(null), 'is not set'],
    ['is no text', conf(7), 'is no text; want'],
    ['names no export', conf('im.dlg.other.Extension'), 'is "im.dlg.other.Extension"; want "im.dlg.sip.extension.SipExtension"'],
    ['names an empty export', conf('package#'), 'want "im.dlg.sip.extension.SipExtension"'],
    ['names a package that is not there', conf('no-such-package-here#X'), 'names "no-such-package-here", which cannot be loaded'],
    ['names a path that is not there', conf('./no-such-file.js#X'), 'names "./no-such-file.js", which cannot be loaded'],
  ])('that %s is refused in words', async (_, tree, expected) => {
    expect(await refusal(tree)).toContain(expected);
  });

  it.each([
    ['broken.mjs#Other', 'cannot be loaded'],
    ['other.mjs#Nope', 'which exports only: Lacking, Other, Throwing, default, text'],
    ['other.mjs#text', 'which is not a class'],
    ['other.mjs#Throwing', 'cannot be constructed: out of order'],
    ['other.mjs#Lacking', 'lacks the hooks onUserCreated, onUserUpdated, onUserDeleted, onCall, stop'],
  ])('that names %s is refused in words', async (id, expected) => {
    expect(await refusal(conf(join(folder, id)))).toContain(expected);
  });
});

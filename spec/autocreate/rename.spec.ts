import { describe, expect, it } from 'vitest';
import type { Account, RenamedMappings } from '../../src/autocreate/ports.js';
import { createRename, type Rename } from '../../src/autocreate/rename.js';
import type { AutocreateSettings } from '../../src/autocreate/template.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { MappingDirectory } from '../../src/mappings/directory.js';
import { ordinaryDraft } from '../support/mapping-draft.js';
import { ordinarySettings } from './ordinary-settings.js';

const settings: AutocreateSettings = { ...ordinarySettings, userPrefix: 'dialog', password: { mode: 'random' } };

const own: Mapping = { ...ordinaryDraft, id: 1, sipUser: 'dialog434', sipHost: 'EXAMPLE.com', displayName: 'Ann' };

/** A rename over these mappings in memory, and what the table was asked for. */
function renameOver(known: Mapping[], change: Partial<AutocreateSettings> = {}): { rename: Rename; asked: [Account, string][] } {
  const directory = new MappingDirectory();
  for (const mapping of known) directory.put(mapping);
  const asked: [Account, string][] = [];
  const mappings: RenamedMappings = {
    rename: (account, displayName) => {
      asked.push([account, displayName]);
      return Promise.resolve([{ ...own, displayName }]);
    },
  };
  return { rename: createRename({ ...settings, ...change }, mappings, directory), asked };
}

describe('the display name of an account that autocreate made', () => {
  it('follows the name of its user', async () => {
    const { rename, asked } = renameOver([own]);
    expect(await rename({ id: 434, name: 'Ann\r\nLee' })).toEqual([{ ...own, displayName: 'Ann Lee' }]);
    expect(asked).toEqual([[expect.objectContaining({ peer: { type: 1, id: 434 }, sipUser: 'dialog434', sipHost: 'example.com' }), 'Ann Lee']]);
  });

  it('costs no query while it is the same, whatever other accounts the user has', async () => {
    const { rename, asked } = renameOver([own, { ...own, id: 2, sipUser: 'front-desk', displayName: 'Front Desk' }]);
    expect(await rename({ id: 434, name: 'Ann' })).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('is asked for in the table when it is not known here', async () => {
    const { rename, asked } = renameOver([{ ...own, sipHost: 'other.example' }]);
    await rename({ id: 434, name: 'Ann' });
    expect(asked).toHaveLength(1);
  });

  it('stays when the update tells no name, and when autocreate is off', async () => {
    const named = renameOver([own]);
    expect(await named.rename({ id: 434, disabled: true })).toEqual([]);
    const off = renameOver([own], { on: false });
    expect(await off.rename({ id: 434, name: 'Lee' })).toEqual([]);
    expect([...named.asked, ...off.asked]).toEqual([]);
  });
});

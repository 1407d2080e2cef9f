import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApi, operations } from '../../src/admin/openapi.js';
import { AdminSetup } from './setup.js';

let setup: AdminSetup;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
});

afterEach(() => setup.close());

describe('the OpenAPI document', () => {
  it('is the one in schema/', async () => {
    await expect(`${JSON.stringify(openApi(), null, 2)}\n`).toMatchFileSnapshot('../../schema/admin-api.openapi.json');
  });

  it('is served', async () => {
    expect((await setup.ask('GET', '/api/openapi.json')).body).toEqual(openApi());
  });

  it('names only what there is', async () => {
    for (const { asks } of operations) {
      const [method = '', path = ''] = asks.split(' ');
      const { text } = await setup.ask(method.toUpperCase(), path.replace(/:\w+/g, '1'));
      expect([asks, text.includes('There is nothing at')]).toEqual([asks, false]);
    }
  });
});

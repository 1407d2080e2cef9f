/**
 * The console in a real browser, beside the messenger page of the same host: an operator finds out why somebody is not registered, sets
 * accounts right, and looks at the call that failed a moment ago. Pictures of every view are kept.
 */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from 'winston';
import { SipExtension } from '../../src/index.js';
import { startPlayground, type Playground } from '../../src/reference-host/playground/playground.js';
import { startReferenceHost, type ReferenceHost } from '../../src/reference-host/server.js';
import { freePort } from '../support/ports.js';
import { graveFaults } from './support/axe.js';
import { TestBrowser } from './support/browser.js';
import { built } from './support/built.js';
import { lacks } from './support/install.js';
import { passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';

const token = 'a-token-that-nobody-guesses';
const views = ['overview', 'find?q=alice', 'user/1', 'registrations', 'mappings', 'calls/live', 'calls/ended', 'calls/untold', 'configuration', 'log'];
const telephone = { width: 375, height: 740 };

describe.skipIf(lacks('chromium', 'postgresql'))('the console', () => {
  let table: MappingsTable;
  let playground: Playground;
  let host: ReferenceHost;
  let browser: TestBrowser;
  let port: number;
  let url: string;
  let page: Page;

  beforeAll(async () => {
    await built();
    table = await MappingsTable.start();
    playground = await startPlayground({ passwordOf });
    const row = (user: string, password: string, peerId: number) => ({ user, password, port: playground.udpPort, peerId });
    await table.replace([row('alice', passwordOf('alice'), 1), row('bob', 'not-the-password', 2)]);
    port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    host = await startHost();
    browser = await TestBrowser.start();
  });

  const startHost = async (): Promise<ReferenceHost> => {
    const started = await startReferenceHost({
      extension: new SipExtension(),
      config: {
        tree: {
          modules: { sip: { extension: SipExtension.id, listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 }, admin: { on: true, port, token } } },
          services: { postgresql: table.settings },
        },
      },
      logger: createLogger({ silent: true }),
      port: 0,
    });
    await started.users.create({ id: 1, name: 'Alice' });
    await started.users.create({ id: 2, name: 'Bob' });
    await vi.waitFor(() => { expect(started.extension.status().registrations.byState).toMatchObject({ waiting: 0, registering: 0, parked: 1 }); }, { timeout: 15_000 });
    return started;
  };

  afterAll(async () => {
    await browser.stop();
    await host.stop({ drainMs: 0 });
    await playground.stop();
    await table.stop();
  });

  beforeEach(async () => {
    page = await signedIn();
  });

  afterEach(async () => {
    await page.context().close();
    expect(faults()).toEqual([]);
  });

  const signedIn = async (options: Parameters<TestBrowser['open']>[1] = {}): Promise<Page> => {
    const opened = await browser.open(url, options);
    await opened.getByLabel('Token').fill(token);
    await opened.getByRole('button', { name: 'Sign in' }).click();
    await opened.getByText('Live', { exact: true }).waitFor();
    return opened;
  };

  const untilStates = async (expected: Partial<Record<string, number>>): Promise<void> => {
    await vi.waitFor(() => { expect(host.extension.status().registrations.byState).toMatchObject(expected); }, { timeout: 15_000 });
  };

  /** What the pages told of errors since the last time. */
  const faults = (): string[] => browser.errors.splice(0);

  const go = (to: Page, view: string): Promise<void> => to.evaluate((hash) => { location.hash = hash; }, `#/${view}`);
  const entry = (holds: string) => page.getByRole('listitem').filter({ hasText: holds });

  test('a wrong token is told so, and the right one is kept for a reload', async () => {
    const stranger = await browser.open(url);
    await stranger.getByLabel('Token').fill('another-token-that-is-wrong');
    await stranger.getByRole('button', { name: 'Sign in' }).click();
    await stranger.getByText('That token is wrong.').waitFor();
    expect(await graveFaults(stranger)).toEqual([]);
    await browser.picture(stranger, 'console-sign-in');
    await stranger.context().close();
    expect(faults()).toEqual([expect.stringContaining('401')]);

    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('bob@127.0.0.1').waitFor();
  });

  test('a parked registration has its reason, and is tried again when somebody asks', async () => {
    await page.getByRole('link', { name: 'Registrations' }).click();
    await page.getByLabel('State').selectOption('parked');
    await entry('bob@127.0.0.1').getByText('The registrar refused the password').waitFor();
    await page.getByText('alice@127.0.0.1').waitFor({ state: 'detached' });

    await page.getByLabel('State').selectOption('');
    await page.getByRole('button', { name: 'Un-register alice@127.0.0.1' }).click();
    await untilStates({ registered: 0 });
    await page.getByLabel('SIP account holds').fill('LICE');
    await entry('alice@127.0.0.1').getByText('held', { exact: true }).waitFor();
    await page.getByText('bob@127.0.0.1').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Register alice@127.0.0.1', exact: true }).click();
    await untilStates({ registered: 1 });
    await entry('alice@127.0.0.1').getByText('registered', { exact: true }).waitFor();
  });

  test('a mapping that is added is registered, set right with what the server says, and deleted when somebody means it', async () => {
    await page.getByRole('link', { name: 'Mappings' }).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByLabel('SIP user', { exact: true }).fill('carol');
    await page.getByLabel('SIP password').fill(passwordOf('carol'));
    await page.getByLabel('Registrar').fill('127.0.0.1');
    await page.getByLabel('Port (0: by DNS)').fill('70000');
    await page.getByLabel('Id in the messenger').fill('3');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByText('70000').waitFor();
    expect(faults()).toEqual([expect.stringContaining('422')]);
    expect(await page.getByLabel('Port (0: by DNS)').getAttribute('aria-invalid')).toBe('true');
    expect(await graveFaults(page)).toEqual([]);
    await browser.picture(page, 'console-mapping');

    await page.getByLabel('Port (0: by DNS)').fill(String(playground.udpPort));
    await page.getByRole('button', { name: 'Save' }).click();
    await entry('carol@127.0.0.1').waitFor();
    await untilStates({ registered: 2 });
    await page.getByRole('link', { name: 'Registrations' }).click();
    await entry('carol@127.0.0.1').getByText('registered', { exact: true }).waitFor();

    await page.getByRole('link', { name: 'Mappings' }).click();
    await page.getByRole('button', { name: 'Delete carol@127.0.0.1' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('button', { name: 'Delete carol@127.0.0.1' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await entry('carol@127.0.0.1').waitFor({ state: 'detached' });
    await untilStates({ registered: 1 });
  });

  test('a file with faults is told line by line and writes nothing; one without is imported', async () => {
    const file = (...rows: string[]) => ({ name: 'users.csv', mimeType: 'text/csv', buffer: Buffer.from(['sip_user,sip_password,sip_host,sip_port,peer_id', ...rows].join('\n')) });
    const dave = `dave,${passwordOf('dave')},127.0.0.1,${playground.udpPort},4`;
    await go(page, 'mappings');
    await page.getByRole('button', { name: 'Import CSV' }).click();
    await page.getByLabel('CSV file').setInputFiles(file(dave, 'erin,x,127.0.0.1,70000,5'));
    await page.getByRole('button', { name: 'Look through it' }).click();
    await page.getByRole('cell', { name: '70000' }).waitFor();
    await page.getByRole('cell', { name: '3', exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Import', exact: true }).isDisabled()).toBe(true);
    expect(await graveFaults(page)).toEqual([]);
    await browser.picture(page, 'console-import');

    await page.getByLabel('CSV file').setInputFiles(file(dave));
    await page.getByRole('button', { name: 'Look through it' }).click();
    await page.getByText('1 row, none wrong: 1 new').waitFor();
    expect(host.extension.status().registrations.total).toBe(2);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByText('Imported 1 row').waitFor();
    await untilStates({ registered: 2 });
  });

  test('a call that failed a moment ago shows the step that it failed at, with its sentence and its message', async () => {
    const alice = await browser.open(host.url);
    expect(await graveFaults(alice)).toEqual([]);
    await alice.getByRole('button', { name: 'Alice' }).click();
    await alice.getByText('Connected').waitFor();
    await alice.getByLabel('Number or SIP address').fill('999');
    await alice.getByRole('button', { name: 'Dial', exact: true }).click();
    await alice.getByText(/480 Temporarily Unavailable/).first().waitFor();
    expect(await graveFaults(alice)).toEqual([]);
    await alice.setViewportSize(telephone);
    await browser.picture(alice, 'messenger-narrow');
    await alice.context().close();

    await go(page, 'calls/ended');
    await page.getByRole('link', { name: /^Ladder of the call from alice/ }).first().click();
    const message = page.getByLabel('The chosen step');
    await message.getByText('It failed here.').waitFor();
    expect(await page.locator('.ladder .failing').getAttribute('aria-pressed')).toBe('true');
    expect(await message.getByLabel('The whole message').textContent()).toMatch(/^SIP\/2\.0 480 /);
    expect(await graveFaults(page)).toEqual([]);
    await browser.picture(page, 'console-ladder');

    await page.locator('.ladder .failing').focus();
    await page.keyboard.press('Home');
    await message.getByRole('heading', { name: 'create: 999' }).waitFor();
    await page.locator('.ladder [data-step]').filter({ hasText: 'INVITE 999' }).first().click();
    await message.getByText(/^INVITE sip:999@/).waitFor();

    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as pcapng' }).click();
    expect((await saved).suggestedFilename()).toMatch(/^ladder-.+\.pcapng$/);
  });

  test('who says that a call did not ring is found from everywhere, and is three clicks from the ladder of that call', async () => {
    const alice = await browser.open(host.url);
    await alice.getByRole('button', { name: 'Alice' }).click();
    await alice.getByText('Connected').waitFor();
    await alice.getByLabel('Number or SIP address').fill('998');
    await alice.getByRole('button', { name: 'Dial', exact: true }).click();
    await alice.getByRole('region', { name: 'Call with 998' }).getByText(/480 Temporarily Unavailable/).waitFor();
    await alice.context().close();

    await page.getByLabel('Find a user').fill('lice');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'User 1, alice@127.0.0.1' }).click();
    await page.getByRole('heading', { name: 'User 1' }).waitFor();
    await entry('alice@127.0.0.1').getByText('Registered: calls arrive').waitFor();
    await entry('to 998@127.0.0.1').getByText(/480 Temporarily Unavailable/).waitFor();
    const shared = page.url();
    await page.getByRole('link', { name: /^Ladder of the call from alice.* to 998@/ }).click();
    await page.getByText('It failed here.').waitFor();

    const colleague = await signedIn();
    await colleague.goto(shared);
    await colleague.getByRole('heading', { name: 'User 1' }).waitFor();
    await colleague.context().close();

    await page.getByLabel('Find a user').fill('2');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'User 2', exact: true }).click();
    await entry('bob@127.0.0.1').getByText('The registrar refused the password').waitFor();
  });

  test('a server that is stopped and started again is told of, and everything comes again without a reload', async () => {
    await go(page, 'registrations');
    await entry('alice@127.0.0.1').getByText('registered', { exact: true }).waitFor();
    await host.stop({ drainMs: 0 });
    await page.getByText(/^The extension is not reachable right now\. What is shown is of [\d:]+\./).waitFor();
    await page.getByText('Not reachable', { exact: true }).waitFor();
    expect(await graveFaults(page)).toEqual([]);
    await browser.picture(page, 'console-lost');

    host = await startHost();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByText('What is shown is of').count()).toBe(0);
    await page.getByRole('button', { name: 'Un-register alice@127.0.0.1' }).click();
    await entry('alice@127.0.0.1').getByText('held', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Register alice@127.0.0.1', exact: true }).click();
    await entry('alice@127.0.0.1').getByText('registered', { exact: true }).waitFor();
    // The log is the new server's, from its first line on.
    await go(page, 'log');
    await page.getByText(/SIP is ready/).waitFor();
    expect(await page.getByText(/SIP is ready/).count()).toBe(1);
    expect(faults().filter((fault) => !/ERR_CONNECTION_(?:REFUSED|RESET)|WebSocket/.test(fault))).toEqual([]);
  });

  test.each([
    ['wide-light', { viewport: { width: 1_280, height: 800 }, colorScheme: 'light' }],
    ['wide-dark', { viewport: { width: 1_280, height: 800 }, colorScheme: 'dark' }],
    ['narrow', { viewport: telephone }],
  ] as const)('every view has no grave fault and fits its screen: %s', async (name, options) => {
    const opened = await signedIn(options);
    for (const view of views) {
      await go(opened, view);
      await vi.waitFor(async () => { expect(await opened.locator('[aria-busy="true"]').count()).toBe(0); });
      expect({ view, faults: await graveFaults(opened) }).toEqual({ view, faults: [] });
      expect(await opened.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(options.viewport.width);
      await browser.picture(opened, `console-${view.replace(/\W+/g, '-')}-${name}`);
    }
    await opened.context().close();
  });
});

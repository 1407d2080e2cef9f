/**
 * The messenger page in a real browser: two people, each a user with a SIP account, call each other through a registrar and hear and
 * see one another.
 */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from 'winston';
import { SipExtension } from '../../src/index.js';
import { startPlayground } from '../../src/reference-host/playground/playground.js';
import { startReferenceHost, type ReferenceHost } from '../../src/reference-host/server.js';
import { nothing, received, TestBrowser, untilMore } from './support/browser.js';
import { built } from './support/built.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { allRegistered } from './support/subject.js';

const needs = lacks('chromium', 'kamailio', 'postgresql', 'openssl');

interface Registrar {
  port: number;
  stop(): Promise<void>;
}

const registrars: Record<string, () => Promise<Registrar>> = {
  Kamailio: async () => {
    const kamailio = await Kamailio.start();
    return { port: kamailio.ports.udp, stop: () => kamailio.stop() };
  },
  'the playground': async () => {
    const playground = await startPlayground({ passwordOf });
    return { port: playground.udpPort, stop: () => playground.stop() };
  },
};

describe.skipIf(needs).each(Object.keys(registrars))('two people at two browsers, through %s', (name) => {
  let table: MappingsTable;
  let registrar: Registrar;
  let host: ReferenceHost;
  let browser: TestBrowser;
  let alice: Page;
  let bob: Page;

  beforeAll(async () => {
    await built();
    table = await MappingsTable.start();
    const start = registrars[name];
    if (start === undefined) throw new Error(`there is no registrar ${name}`);
    registrar = await start();
    const row = (user: string, peerId: number) => ({ user, password: passwordOf(user), port: registrar.port, peerId });
    await table.replace([row('alice', 1), row('bob', 2), row('carol', 3)]);
    host = await startReferenceHost({
      extension: new SipExtension(),
      config: { tree: { modules: { sip: { extension: SipExtension.id, listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 } } }, services: { postgresql: table.settings } } },
      logger: createLogger({ silent: true }),
      port: 0,
    });
    await host.users.create({ id: 1, name: 'Alice' });
    await host.users.create({ id: 2, name: 'Bob' });
    await host.users.create({ id: 3, name: 'Carol' });
    await vi.waitFor(() => { expect(allRegistered(3)(host.extension.status())).toBe(true); }, { timeout: 15_000 });
    browser = await TestBrowser.start();
  });

  afterAll(async () => {
    await browser.stop();
    await host.stop({ drainMs: 0 });
    await registrar.stop();
    await table.stop();
  });

  beforeEach(async () => {
    [alice, bob] = await Promise.all([signedIn('Alice'), signedIn('Bob')]);
  });

  afterEach(async () => {
    await Promise.all([alice.context().close(), bob.context().close()]);
    expect(browser.errors).toEqual([]);
    await vi.waitFor(() => { expect(host.calls.live).toBe(0); }, { timeout: 15_000 });
  });

  const signedIn = async (who: string): Promise<Page> => {
    const page = await browser.open(host.url);
    await page.getByRole('button', { name: who }).click();
    await page.getByText('Connected').waitFor();
    return page;
  };

  const press = (page: Page, button: string): Promise<void> => page.getByRole('button', { name: button, exact: true }).click();
  const sees = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

  const talk = async (video: boolean): Promise<void> => {
    await press(alice, video ? 'Video call to Bob' : 'Call Bob');
    await press(bob, video ? 'Answer with video' : 'Answer');
    await Promise.all([sees(alice, /^Talking/), sees(bob, /^Talking/)]);
  };

  test('a video call: sound and pictures arrive at both ends, and the caller hangs up', async () => {
    await talk(true);
    await Promise.all([alice, bob].map((page) => untilMore(page, nothing, ['audioBytes', 'audioEnergy', 'videoFrames'])));
    await browser.picture(alice, `messenger-video-${name.replace(/ /g, '-')}`);
    await press(alice, 'Hang up');
    await Promise.all([sees(alice, 'The call was ended here.'), sees(bob, 'The other side hung up.')]);
  });

  test('by SIP address, held and gone on with, a camera turned on and off; the callee hangs up', async () => {
    await alice.getByLabel('Number or SIP address').fill(`sip:bob@127.0.0.1:${registrar.port}`);
    await press(alice, 'Dial');
    await press(bob, 'Answer');
    await sees(alice, /^Talking/);
    await untilMore(alice, nothing, ['audioEnergy']);

    await press(alice, 'Hold');
    await sees(bob, 'The other end holds');
    await press(alice, 'Hold');
    await sees(bob, /^Talking/);
    await untilMore(bob, await received(bob), ['audioBytes', 'audioEnergy']);

    await press(bob, 'Camera');
    await untilMore(alice, await received(alice), ['videoFrames']);
    await alice.getByLabel('Their picture').waitFor();
    await press(bob, 'Camera');
    await alice.getByLabel('Their picture').waitFor({ state: 'detached' });
    await press(bob, 'Hang up');
    await sees(alice, 'The other side hung up.');
  });

  test('keys that one presses are seen at the other', async () => {
    await talk(false);
    await alice.getByRole('button', { name: 'Keys', exact: true }).last().click();
    for (const key of ['1', 'hash']) await alice.getByRole('group', { name: 'Tones' }).getByRole('button', { name: key, exact: true }).click();
    await sees(bob, 'They pressed 1#');
    await press(alice, 'Hang up');
    await sees(bob, 'The other side hung up.');
  });

  test('a call that is declined says so', async () => {
    await press(alice, 'Call Bob');
    await press(bob, 'Decline');
    await sees(alice, /declined|rejected/i);
  });

  describe('a third person', () => {
    let carol: Page;

    beforeEach(async () => {
      carol = await signedIn('Carol');
    });

    afterEach(() => carol.context().close());

    const hearEachOther = (...pages: readonly Page[]): Promise<unknown> =>
      Promise.all(pages.map(async (page) => untilMore(page, await received(page), ['audioBytes', 'audioEnergy'])));

    test('is called in the place of whoever transfers, and both hear each other', async () => {
      await talk(false);
      await press(alice, 'Transfer');
      await alice.getByRole('form', { name: 'Transfer' }).getByRole('button', { name: 'Carol' }).click();
      await press(carol, 'Answer');
      await sees(alice, 'The call was transferred.');
      await sees(bob, 'Carol');
      await hearEachOther(bob, carol);
      await press(carol, 'Hang up');
      await sees(bob, 'The other side hung up.');
    });

    test('who was asked first takes the call over', async () => {
      await talk(false);
      await press(alice, 'Hold');
      await sees(bob, 'The other end holds');
      await press(alice, 'Call Carol');
      await press(carol, 'Answer');
      await sees(carol, /^Talking/);
      await alice.getByRole('button', { name: 'Transfer', exact: true }).first().click();
      await alice.getByRole('form', { name: 'Transfer' }).getByRole('button', { name: /Carol/ }).first().click();
      await sees(alice, 'The call was transferred.');
      await hearEachOther(bob, carol);
      await press(bob, 'Hang up');
      await sees(carol, 'The other side hung up.');
    });
  });

  test('a page that is loaded anew goes on with its call', async () => {
    await talk(true);
    await untilMore(bob, nothing, ['audioEnergy']);
    await alice.reload();
    await sees(alice, /^Talking/);
    await untilMore(alice, nothing, ['audioBytes', 'audioEnergy', 'videoFrames']);
    await untilMore(bob, await received(bob), ['audioBytes', 'audioEnergy']);
    await press(bob, 'Hang up');
    await sees(alice, 'The other side hung up.');
  });
});

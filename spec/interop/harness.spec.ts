import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { freePort } from '../support/ports.js';
import { Sipp, type SippLine } from './support/sipp.js';

/** When these hold and another interop spec fails, the fault is the extension's and not the peers'. */
describe.skipIf(lacks('kamailio', 'sipp', 'openssl'))('Kamailio and sipp between themselves', () => {
  const alice: SippLine = { caller: 'alice', password: passwordOf('alice'), dialled: '9001' };

  test.each(['udp', 'tcp'] as const)('register, refuse a wrong password, call and give up over %s', async (transport) => {
    const port = await freePort();
    const kamailio = await Kamailio.start({ authInvite: true, uas: { port } });
    const started: Sipp[] = [];
    const run = async (sipp: Promise<Sipp>): Promise<Sipp> => {
      started.push(await sipp);
      return sipp;
    };
    const call = (scenario: string, line: SippLine, words: Record<string, string> = {}): Promise<Sipp> =>
      run(Sipp.call({ scenario, transport, proxyPort: kamailio.ports[transport], lines: [line], words }));
    const good = { successful: 1, failed: 0, errors: '' };
    try {
      const words = { CONTACT_PORT: '30000' };
      expect(await (await call('uac-register', alice, words)).outcome()).toEqual(good);
      expect(await (await call('uac-register', { ...alice, caller: 'mallory' }, words)).outcome()).toMatchObject({
        failed: 1,
        errors: expect.stringContaining('401 Unauthorized') as string,
      });
      expect(await kamailio.users()).toEqual(['alice']);

      const answering = await run(Sipp.answer({ scenario: 'uas-answer', port }));
      expect(await (await call('uac-call', alice)).outcome()).toEqual(good);
      expect(await answering.outcome()).toEqual(good);

      const ringing = await run(Sipp.answer({ scenario: 'uas-no-answer', port }));
      expect(await (await call('uac-cancel', alice)).outcome()).toEqual(good);
      expect(await ringing.outcome()).toEqual(good);

      await kamailio.crash();
      await kamailio.startAgain();
      expect(await kamailio.users()).toEqual([]);
    } finally {
      for (const sipp of started) await sipp.stop();
      await kamailio.stop();
    }
    expect(execFileSync('ps', ['axo', 'stat=,args=']).toString()).not.toContain(`127.0.0.1 -p ${port} `);
  });
});

/** What makes a node that comes back replace its own binding instead of adding one (behaviour 6 and 7), on flows in memory. */
import { expect, it } from 'vitest';
import { SipAccounts } from '../../src/extension/sip-accounts.js';
import type { Mapping } from '../../src/mappings/mapping.js';
import { Secrets } from '../../src/mappings/secrets.js';
import { openGuardedStack, registered, registrarAddress } from '../sip/guards/guarded-stack.js';
import { ordinaryDraft } from '../support/mapping-draft.js';

const mapping: Mapping = { ...ordinaryDraft, id: 7, sipPassword: 'a', sipHost: registrarAddress };

interface Sent {
  /** User and host of our Contact. */
  readonly contact: string;
  readonly instance: string;
  readonly flowNumber: string;
  readonly callId: string;
  readonly cseq: number;
}

/** One life of a node: the REGISTERs of some mappings, each registered twice. */
async function lifeOf(nodeId: string, ...mappings: Mapping[]): Promise<Sent[]> {
  const { stack, at } = await openGuardedStack();
  const accounts = new SipAccounts(stack, nodeId, new Secrets({ previous: [] }));
  for (const one of mappings) {
    const account = accounts.put(one);
    await registered(account);
    await registered(account);
  }
  await stack.close();
  return at(registrarAddress).sent.map(read);
}

function read(request: string): Sent {
  const part = (pattern: RegExp): string => pattern.exec(request)?.[1] ?? 'not there';
  return {
    contact: part(/^Contact: <sip:([^;>]+)/m),
    instance: part(/\+sip\.instance="<(urn:uuid:[0-9a-f-]{36})>"/),
    flowNumber: part(/;reg-id=(\d+)/),
    callId: part(/^Call-ID: (\S+)/m),
    cseq: Number(part(/^CSeq: (\d+) REGISTER/m)),
  };
}

it('a node that starts again has the Contact, the instance and the flow number of before: its binding is replaced', async () => {
  const [before] = await lifeOf('node-1', mapping);
  const [after] = await lifeOf('node-1', { ...mapping, sipPassword: 'another', displayName: 'Ann' });
  expect(before).toMatchObject({ contact: expect.stringMatching(/^[0-9a-f]{20}@192\.0\.2\.99:5060$/) as string, flowNumber: '1' });
  expect(before?.instance).toMatch(/^urn:uuid:/);
  expect([after?.contact, after?.instance, after?.flowNumber]).toEqual([before?.contact, before?.instance, before?.flowNumber]);
});

it('a refresh has the Call-ID of the first REGISTER and the next CSeq (RFC 3261 10.2)', async () => {
  const [first, refresh] = await lifeOf('node-1', mapping);
  expect([refresh?.callId, refresh?.cseq, refresh?.contact]).toEqual([first?.callId, (first?.cseq ?? 0) + 1, first?.contact]);
});

it('another node, and another mapping of the same user, has a binding of its own', async () => {
  const [own, , other] = await lifeOf('node-1', mapping, { ...mapping, id: 8 });
  const [elsewhere] = await lifeOf('node-2', mapping);
  expect(new Set([own?.contact, other?.contact, elsewhere?.contact]).size).toBe(3);
  expect(new Set([own?.instance, other?.instance, elsewhere?.instance]).size).toBe(3);
});

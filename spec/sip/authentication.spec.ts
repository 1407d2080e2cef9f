/** Challenges on the wire; what the answers are made of is in digest.spec.ts. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSipStack } from '../../src/sip/stack.js';
import type { CallDialog, CallRefusal, OutgoingCallEvents, SipAccount, SipStack } from '../../src/sip/types.js';
import { ManualClock } from '../support/manual-clock.js';
import { ScriptedPeer, type Received } from '../support/scripted-peer.js';
import { quietDialog } from '../support/quiet-dialog.js';

let peer: ScriptedPeer;
let stack: SipStack;
let account: SipAccount;

beforeEach(async () => {
  peer = await ScriptedPeer.open();
  stack = await openSipStack(
    { flows: { listen: { host: '127.0.0.1', udpPort: 0, tcpPort: 0 }, tls: { verify: true } }, trusted: [], ignoresContact: false, userAgent: 'spec' },
    {
      clock: new ManualClock(),
      events: { onInvite: () => undefined, onFlowLost: () => undefined },
      log: { debug: () => undefined, warn: () => undefined },
    },
  );
  account = stack.addAccount({
    token: 'tok1',
    user: '1',
    domain: 'example.com',
    authUser: 'zo\u00eb',
    password: 'secret',
    target: { transport: 'udp', host: '127.0.0.1', port: peer.port },
  });
});

afterEach(async () => {
  await stack.close();
  await peer.close();
});

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const unknown = 'Digest realm="r", nonce="n", algorithm=AKAv1-MD5';
const whyUnknown = 'The server wants credentials of a kind that we do not have: Digest AKAv1-MD5';

/** Calls; resolves with the dialog, or with the refusal. */
function call(): Promise<CallDialog | CallRefusal> {
  return new Promise((resolve) => {
    const events: OutgoingCallEvents = {
      ...quietDialog,
      onProgress: () => undefined,
      onAccepted: ({ dialog }) => {
        resolve(dialog);
      },
      onRefused: resolve,
    };
    account.invite({ to: 'sip:600@example.com', sdp: 'v=0\r\n' }, events);
  });
}

describe('a challenge on the wire', () => {
  it('names the nonce of the next request with the answer to this one', async () => {
    const first = account.register(60);
    (await peer.next('REGISTER')).reply(401, ['WWW-Authenticate: Digest realm="r", nonce="n1", qop="auth"']);
    (await peer.next('REGISTER')).reply(200, ['Authentication-Info: nextnonce="n2", qop=auth']);
    await first;
    void account.register(60);
    const { text } = await peer.next('REGISTER');
    expect(text).toMatch(/^Authorization: Digest .*nonce="n2".*nc=00000001/m);
  });

  it('is answered in UTF-8, whatever realm and user are called', async () => {
    void account.register(60);
    (await peer.next('REGISTER')).reply(401, ['WWW-Authenticate: Digest realm="Gr\u00f6\u00dfe", nonce="n1", charset=UTF-8']);
    const credentials = (await peer.next('REGISTER')).header('authorization')!;
    expect(credentials).toContain('username="zo\u00eb", realm="Gr\u00f6\u00dfe"');
    expect(credentials).toContain(`response="${md5(`${md5('zo\u00eb:Gr\u00f6\u00dfe:secret')}:n1:${md5('REGISTER:sip:example.com')}`)}"`);
  });

  it('of a kind that we do not have is no wrong password', async () => {
    const outcome = account.register(60);
    (await peer.next('REGISTER')).reply(401, [`WWW-Authenticate: ${unknown}`]);
    expect(await outcome).toMatchObject({ kind: 'refused', status: 401, wrongPassword: false, unanswerable: whyUnknown });
    const refusal = call();
    (await peer.next('INVITE')).reply(407, ['Proxy-Authenticate: Digest realm="p", nonce="np"']);
    (await peer.next('INVITE')).reply(401, [`WWW-Authenticate: ${unknown}`]);
    expect(await refusal).toMatchObject({ status: 401, wrongPassword: false, unanswerable: whyUnknown });
  });

  it('of two proxies at once is answered to each of them, in the ACK and in the next call too', async () => {
    const realms = (request: Received): (string | undefined)[] => request.headers('proxy-authorization').map((value) => /realm="(\w)"/.exec(value)?.[1]);
    const answered = call();
    (await peer.next('INVITE')).reply(407, ['a', 'b'].map((realm) => `Proxy-Authenticate: Digest realm="${realm}", nonce="n", qop="auth"`));
    await peer.next('ACK');
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'v=0\r\n');
    await answered;
    void call();
    const sent = [invite, await peer.next('ACK'), await peer.next('INVITE')];
    expect(sent.map(realms)).toEqual([['a', 'b'], ['a', 'b'], ['a', 'b']]);
  });

  it('to a BYE costs the dialog one CSeq, each, and keeps the credentials of the other', async () => {
    const answered = call();
    const invite = await peer.next('INVITE');
    invite.reply(200, [`Contact: <sip:far@127.0.0.1:${String(peer.port)}>`], 'v=0\r\n');
    ((await answered) as CallDialog).bye();
    const first = await peer.next('BYE');
    first.reply(407, ['Proxy-Authenticate: Digest realm="p", nonce="np", qop="auth"']);
    const second = await peer.next('BYE');
    second.reply(401, ['WWW-Authenticate: Digest realm="r", nonce="nr", qop="auth"']);
    const third = await peer.next('BYE');
    expect([first, second, third].map(({ cseq }) => cseq - invite.cseq)).toEqual([1, 2, 3]);
    expect(third.header('proxy-authorization')).toContain('nonce="np"');
    expect(third.header('authorization')).toContain('nonce="nr"');
    third.reply(200);
  });
});

/** A process that is killed in the middle of a hundred calls, and the one that is started after it. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/ports.js';
import { ScriptedPeer, type Received } from '../support/scripted-peer.js';
import type { CrashSubjectOptions } from './support/crash-subject.js';
import { MappingsTable } from './support/mappings-table.js';
import { whyNoPostgres } from './support/postgres.js';
import { Program } from './support/program.js';
import { webrtcAnswer, webrtcOffer } from './support/sdp.js';

const missing = await whyNoPostgres();
if (missing !== undefined) console.warn(`Skipped, the crash in the middle of calls: ${missing}.`);

const main = fileURLToPath(new URL('support/crash-subject.ts', import.meta.url));
const placed = 70;
const ringing = 10;
const arrived = 30;
const ringingHere = 10;

describe.skipIf(missing !== undefined)('a server that is killed in the middle of calls', () => {
  let table: MappingsTable;
  let peer: ScriptedPeer;
  let port: number;
  const programs: Program[] = [];

  beforeAll(async () => {
    table = await MappingsTable.start();
    peer = await ScriptedPeer.open();
    port = await freePort();
    await table.replace([{ user: '434', password: 'secret', port: peer.port, peerId: 1 }]);
  });

  afterAll(async () => {
    await Promise.all(programs.map((program) => program.kill()));
    await peer.close();
    await table.stop();
  });

  function start(calls: number): Program {
    const options: CrashSubjectOptions = { postgresql: table.settings, port, calls };
    const program = new Program(process.execPath, ['--import', 'tsx', main, JSON.stringify(options)]);
    programs.push(program);
    return program;
  }

  const count = async (sql: string): Promise<number> => Number((await table.rows<{ count: string }>(`select count(*) as count from ${sql}`))[0]?.count);
  const contact = (): string => `Contact: <sip:9001@127.0.0.1:${String(peer.port)}>`;

  async function register(): Promise<Received> {
    const request = await peer.next('REGISTER');
    request.reply(200, [`Contact: ${request.header('contact') ?? ''}`]);
    return request;
  }

  it('ends them all when it is started again, each once, and closes their records', async () => {
    const first = start(placed + ringing);
    await first.prints('It is ready.', 30_000);
    const ours = /<([^>]*)>/.exec((await register()).header('contact') ?? '')?.[1] ?? '';
    const live = new Set<string>();
    const unanswered = new Map<string, Received>();
    for (let call = 0; call < placed + ringing; call += 1) {
      const invite = await peer.next('INVITE');
      const callId = invite.header('call-id') ?? '';
      invite.reply(180, [contact()]);
      if (unanswered.size < ringing) {
        unanswered.set(callId, invite);
        continue;
      }
      invite.reply(200, [contact()], webrtcAnswer.sdp);
      live.add(callId);
    }
    for (let call = 0; call < arrived; call += 1) {
      const request = { from: '<sip:9001@127.0.0.1>;tag=far', to: '<sip:434@127.0.0.1>', callId: `arrived-${String(call)}`, cseq: 1 };
      peer.send('INVITE', ours, { ...request, headers: [contact()], body: webrtcOffer.sdp }, port);
      const ok = await peer.nextResponse(200);
      peer.send('ACK', ours, { ...request, to: ok.header('to') ?? '' }, port);
      live.add(request.callId);
    }
    const waiting = new Map<string, Received>();
    for (let call = 0; call < ringingHere; call += 1) {
      const request = { from: '<sip:patient@127.0.0.1>;tag=far', to: '<sip:434@127.0.0.1>', callId: `patient-${String(call)}`, cseq: 1 };
      peer.send('INVITE', ours, { ...request, headers: [contact()], body: webrtcOffer.sdp }, port);
      waiting.set(request.callId, await peer.nextResponse(180));
    }
    await first.prints(`${placed + arrived} talk.`, 30_000);
    await expect.poll(() => count('sip_dialogs where way is not null'), { timeout: 10_000 }).toBe(placed + ringing + arrived + ringingHere);
    expect(await count('sip_calls')).toBe(0);
    expect(JSON.stringify(await table.rows('select * from sip_dialogs'))).not.toContain('secret');

    await first.kill();
    peer.received.length = 0;
    const second = start(0);
    await second.prints('It is ready.', 30_000);
    await register();

    // What is asked for in vain comes again over UDP: a transaction counts once.
    const ended = new Map<string, Set<string>>();
    while (ended.size < live.size || [...ended.values()].some(({ size }) => size < 2)) {
      const bye = await peer.next('BYE');
      const callId = bye.header('call-id') ?? '';
      ended.set(callId, (ended.get(callId) ?? new Set()).add(bye.header('via') ?? ''));
      if (bye.header('proxy-authorization') === undefined) bye.reply(407, ['Proxy-Authenticate: Digest realm="far", nonce="once"']);
      else bye.reply(200);
    }
    expect(new Set(ended.keys())).toEqual(live);
    expect([...ended.values()].filter(({ size }) => size !== 2)).toEqual([]);
    for (let call = 0; call < ringing; call += 1) {
      const cancel = await peer.next('CANCEL');
      const invite = unanswered.get(cancel.header('call-id') ?? '');
      expect([cancel.header('via'), cancel.uri]).toEqual([invite?.header('via'), invite?.uri]);
      unanswered.delete(cancel.header('call-id') ?? '');
      cancel.reply(200);
      if (invite !== undefined) cancel.replyTo(invite, 487, `${invite.header('to') ?? ''};tag=far`);
      await peer.next('ACK');
    }
    expect(unanswered.size).toBe(0);
    while (waiting.size > 0) {
      const final = await peer.nextResponse(480);
      const rings = waiting.get(final.header('call-id') ?? '');
      // Over UDP it comes until it is acknowledged.
      if (rings === undefined) continue;
      expect([final.headers('via'), final.header('to')]).toEqual([rings.headers('via'), rings.header('to')]);
      waiting.delete(final.header('call-id') ?? '');
      const { from, callId } = { from: final.header('from') ?? '', callId: final.header('call-id') ?? '' };
      peer.send('ACK', ours, { from, to: final.header('to') ?? '', callId, cseq: 1, via: final.header('via') ?? '' }, port);
    }

    expect(await count('sip_dialogs')).toBe(0);
    expect(await count('sip_runs')).toBe(0);
    const records = await table.rows(
      'select direction, reason, message, answered_at is null as unanswered, count(*)::int as calls from sip_calls group by 1, 2, 3, 4 order by calls desc, direction',
    );
    const restarted = { reason: 'error', message: 'The server was restarted during the call.' };
    expect(records).toEqual([
      { direction: 'outgoing', ...restarted, unanswered: false, calls: placed },
      { direction: 'incoming', ...restarted, unanswered: false, calls: arrived },
      { direction: 'incoming', ...restarted, unanswered: true, calls: ringingHere },
      { direction: 'outgoing', ...restarted, unanswered: true, calls: ringing },
    ]);
    const stopped = second.end();
    await register();
    await stopped;
  });
});

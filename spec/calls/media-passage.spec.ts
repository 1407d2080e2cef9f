/** The WebRTC profile on the way of each offer and answer: what passes is filtered, what lacks something ends the call and says why. */
import { describe, expect, it } from 'vitest';
import { audioSdp } from '../support/audio-sdp.js';
import { FakeIncomingCall } from '../support/fake-sip.js';
import { answerSdp, offerSdp, settings, world, type World, type WorldOptions } from './call-fixture.js';

const enforced: WorldOptions = { settings: { webrtc: { ...settings.webrtc, enforce: true } } };
const webRtcWorld = (): World => world(enforced);

const without = (attribute: string, sdp = offerSdp): string => sdp.split('\r\n').filter((line) => !line.startsWith(`a=${attribute}`)).join('\r\n');
const plain = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n';
/** With a codec that is not wanted. */
const twoCodecs = offerSdp.replace('SAVPF 111', 'SAVPF 111 9');
const candidate = 'candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host';
const hidden = 'candidate:2 1 udp 2122260223 0c0e0d.local 54321 typ host';

describe('an outgoing call', () => {
  it('offers the far end only wanted codecs, and hands on only wanted ones of the answer', async () => {
    const { create, account, updates } = webRtcWorld();
    await create({ description: { type: 'offer', sdp: twoCodecs } });
    expect(account.call.options.sdp).toBe(offerSdp);
    account.call.accept(twoCodecs);
    expect(updates.at(-1)).toMatchObject({ state: 'talking', description: { type: 'answer', sdp: offerSdp } });
  });

  it.each(['fingerprint', 'ice-pwd', 'rtcp-mux'])('whose offer lacks %s is not placed, and the host is told what its client has to do', async (attribute) => {
    const { create, account, told, ended, clock, router } = webRtcWorld();
    await create({ description: { type: 'offer', sdp: without(attribute) } });
    expect([told('out-1'), account.invites.length, clock.pending, router.live]).toEqual([['ended'], 0, 0, 0]);
    expect(ended('out-1')).toMatchObject({ reason: 'media' });
    expect(ended('out-1').message).toMatch(new RegExp(`^The messenger's offer lacks .*a=${attribute}.*client has to use WebRTC`));
  });

  it('whose offer lacks something is not placed even while candidates are still to come', async () => {
    const { create, account, told } = webRtcWorld();
    await create({ candidatesComplete: false, description: { type: 'offer', sdp: without('fingerprint') } });
    expect([told('out-1'), account.invites.length]).toEqual([['ended'], 0]);
  });

  it('takes what candidates come later through the profile too, and warns once when none of them is of use', async () => {
    const { create, account, router, logged } = webRtcWorld();
    await create({ candidatesComplete: false, description: { type: 'offer', sdp: `${twoCodecs}a=${hidden}\r\n` } });
    expect(logged).toEqual([]);
    await router.onCall({ type: 'candidates', callId: 'out-1', candidates: [{ candidate: hidden }], endOfCandidates: true });
    expect(account.call.options.sdp).toBe(`${offerSdp}a=end-of-candidates\r\n`);
    expect(logged).toEqual([{ level: 'warn', message: expect.stringContaining('names of mDNS (.local)') as string }]);
  });

  it('that the far end answers with plain RTP ends with BYE, and names the settings of the PBX', async () => {
    const { create, account, told, ended } = webRtcWorld();
    await create();
    account.call.accept(plain);
    expect(told('out-1')).toEqual(['trying', 'ended']);
    expect(ended('out-1')).toMatchObject({ reason: 'media' });
    expect(ended('out-1').message).toMatch(/^The other side's answer lacks a DTLS fingerprint .*Asterisk: webrtc=yes; FreeSWITCH: media_webrtc=true/);
    expect(account.call.dialog.byes).toMatchObject([{ protocol: 'SIP', cause: 488, text: expect.stringContaining('DTLS fingerprint') as string }]);
  });

  it('keeps early media that is no WebRTC from the host, and leaves the end to the answer', async () => {
    const { create, account, told, updates, logged } = webRtcWorld();
    await create();
    account.call.progress(183, plain);
    expect(updates.at(-1)).toEqual({ type: 'state', callId: 'out-1', state: 'progress' });
    expect(logged).toEqual([{ level: 'warn', message: expect.stringContaining('Early media is not handed on') as string }]);
    account.call.accept(answerSdp);
    expect(told('out-1')).toEqual(['trying', 'progress', 'talking']);
    expect(updates.at(-1)).toMatchObject({ description: { sdp: answerSdp } });
  });

  it('is warned of once when the 200 repeats the description of the 183, and the host has it from both', async () => {
    const { create, account, updates, logged } = webRtcWorld();
    await create();
    const mdns = `${answerSdp}a=${hidden}\r\n`;
    account.call.progress(183, mdns);
    account.call.accept(mdns);
    expect(updates.slice(-2)).toMatchObject(['progress', 'talking'].map((state) => ({ state, description: { type: 'answer', sdp: answerSdp } })));
    expect(logged).toEqual([{ level: 'warn', message: expect.stringContaining('names of mDNS (.local)') as string }]);
  });

  it('whose early media was no WebRTC and whose 200 brings nothing better ends with media', async () => {
    const { create, account, ended } = webRtcWorld();
    await create();
    account.call.progress(183, plain);
    account.call.accept();
    expect(ended('out-1')).toMatchObject({ reason: 'media', message: expect.stringContaining('lacks a DTLS fingerprint') as string });
    expect(account.call.dialog.byes).toHaveLength(1);
  });
});

describe('an incoming call', () => {
  it('whose offer is no WebRTC is refused with 488 and a Reason in words, and the host hears nothing', () => {
    const w = webRtcWorld();
    const call = new FakeIncomingCall(w.account, { sdp: plain });
    w.router.onIncoming(call);
    expect([call.statuses, w.updates, w.router.live, w.clock.pending]).toEqual([[488], [], 0, 0]);
    expect(call.sent[0]?.reason).toMatchObject({ protocol: 'SIP', cause: 488 });
    expect(call.sent[0]?.reason?.text).toMatch(/lacks a DTLS fingerprint .* Asterisk: webrtc=yes/);
    expect(w.logged).toEqual([{ level: 'info', message: expect.stringContaining('488 Not Acceptable Here') as string }]);
  });

  it('is offered with wanted codecs alone, and answered with wanted codecs alone', async () => {
    const w = webRtcWorld();
    const call = new FakeIncomingCall(w.account, { sdp: twoCodecs });
    w.router.onIncoming(call);
    expect(w.updates[0]).toMatchObject({ type: 'incoming', description: { type: 'offer', sdp: offerSdp } });
    await w.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: twoCodecs } });
    expect(call.sent).toEqual([{ status: 200, sdp: offerSdp }]);
  });

  it('is not said to offer video of which no codec is left', () => {
    const w = webRtcWorld();
    w.router.onIncoming(new FakeIncomingCall(w.account, { sdp: `${offerSdp}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n` }));
    expect(w.updates[0]).toMatchObject({ video: false });
  });

  it.each([true, false])('that the host answers with no WebRTC is refused with 488 and ends with media (candidates complete: %s)', async (candidatesComplete) => {
    const w = webRtcWorld();
    const call = new FakeIncomingCall(w.account, { sdp: offerSdp });
    w.router.onIncoming(call);
    await w.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: without('rtcp-mux') }, candidatesComplete });
    expect(call.sent).toMatchObject([{ status: 488, reason: { cause: 488, text: expect.stringContaining('rtcp-mux') as string } }]);
    expect(w.ended('in-1')).toMatchObject({ reason: 'media', sip: { status: 488 }, message: expect.stringContaining("messenger's answer") as string });
    expect([w.router.live, w.clock.pending]).toEqual([0, 0]);
  });

  it('is answered with the candidates that came one by one, those of mDNS left out', async () => {
    const w = webRtcWorld();
    const call = new FakeIncomingCall(w.account, { sdp: offerSdp });
    w.router.onIncoming(call);
    await w.router.onCall({ type: 'answer', callId: 'in-1', description: { type: 'answer', sdp: answerSdp }, candidatesComplete: false });
    await w.router.onCall({ type: 'candidates', callId: 'in-1', candidates: [{ candidate: hidden }, { candidate }], endOfCandidates: true });
    expect(call.sent).toEqual([{ status: 200, sdp: `${answerSdp}a=${candidate}\r\na=end-of-candidates\r\n` }]);
  });
});

describe('with webrtc.enforce off', () => {
  it('everything goes through as it is, and the log says what it lacks', async () => {
    const { create, account, updates, logged } = world();
    await create({ description: { type: 'offer', sdp: plain } });
    expect(account.call.options.sdp).toBe(plain);
    account.call.accept(twoCodecs);
    expect(updates.at(-1)).toMatchObject({ state: 'talking', description: { sdp: twoCodecs } });
    expect(logged.map(({ level, message }) => `${level} ${message}`)).toEqual([
      expect.stringMatching(/^warn The messenger's offer lacks a DTLS fingerprint .*goes through as it is/),
    ]);
  });
});

describe('the codecs of webrtc.audio and webrtc.video', () => {
  it('are what is named when none of them is there', async () => {
    const { create, ended } = webRtcWorld();
    await create({ description: { type: 'offer', sdp: audioSdp(1, '18 G729/8000') } });
    expect(ended('out-1').message).toContain('lacks a codec that both sides take (opus, pcma, pcmu, vp8)');
  });
});

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addCheckSdpCommand } from '../../src/cli/check-sdp.js';

const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/sdp/${name}.sdp`, import.meta.url), 'utf8');

/** Runs the command over a text, and gives what it printed and how it ended. */
async function check(sdp: string | Error, ...words: string[]): Promise<{ out: string; failed: unknown; read: string[] }> {
  let out = '';
  const read: string[] = [];
  const program = new Command().exitOverride();
  addCheckSdpCommand(program, {
    read: async function* (file) {
      read.push(file);
      if (sdp instanceof Error) throw sdp;
      yield await Promise.resolve(Buffer.from(sdp));
    },
    write: (text) => {
      out += text;
    },
  });
  const failed = await program.parseAsync(['node', 'dialog-sip', 'check-sdp', ...words]).then(() => undefined, (thrown: unknown) => thrown);
  return { out, failed, read };
}

describe('dialog-sip check-sdp', () => {
  it('says of a browser\'s offer which codecs stay and that it goes through', async () => {
    const { out, failed } = await check(fixture('chrome-audio-video-offer'), 'offer.sdp');
    expect(failed).toBeUndefined();
    expect(out).toContain('audio: with opus, red, pcmu, pcma, cn, telephone-event\n  codecs taken out: g722\n  candidates: 2\n');
    expect(out).toContain('video: with vp8, rtx\n  codecs taken out: h264, rtx, av1, vp9\n');
    expect(out).toMatch(/\n\nIt goes through\.\n$/);
  });

  it('says of plain RTP what it lacks, names the setting of each PBX, and fails', async () => {
    const { out, failed } = await check(fixture('asterisk-plain-offer'), '-');
    expect(failed).toMatchObject({ code: 'SDP_INVALID' });
    expect(out).toContain('It would be refused: it lacks a DTLS fingerprint (a=fingerprint)');
    expect(out).toMatch(/For rtcp-mux \(a=rtcp-mux\):\n {4}Asterisk {4}rtcp_mux=yes\n {4}FreeSWITCH {2}media_webrtc=true\n {4}Kamailio {4}rtcp-mux-offer/);
    expect(out).toContain('Together: Asterisk: webrtc=yes;');
    expect(out).toContain('use_avpf=yes');
  });

  it('warns of an offer whose candidates are all names of mDNS, and does not fail', async () => {
    const { out, failed } = await check(fixture('chrome-mdns-offer'), 'offer.sdp');
    expect([failed, out.includes('and 2 of mDNS taken out'), out.includes('Note: All its ICE candidates')]).toEqual([undefined, true, true]);
  });

  it('takes a description out of the trace, which does not show the ICE password', async () => {
    expect((await check(fixture('asterisk-webrtc-answer').replace(/^a=ice-pwd:.*$/m, 'a=ice-pwd:***'), '-')).failed).toBeUndefined();
  });

  it('reads the file it is given, and - as standard input', async () => {
    expect([(await check('', '-')).read, (await check('', 'a.sdp')).read]).toEqual([['-'], ['a.sdp']]);
  });

  it.each(['chrome-audio-video-offer', 'asterisk-plain-offer', 'chrome-mdns-offer', 'sdes-phone-offer'])('stays within 80 columns: %s', async (name) => {
    const { out } = await check(fixture(name), '-');
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('shows no control characters of a hostile description', async () => {
    const { out } = await check('v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF \u001b[2J\u009b 0\r\n', '-');
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it.each([new Error('no such file'), 'a'.repeat(70_000)])('says in a sentence when it cannot read it', async (sdp) => {
    expect((await check(sdp, 'x.sdp')).failed).toMatchObject({ code: 'SDP_INVALID', message: expect.stringMatching(/\.$|no such file/) as string });
  });
});

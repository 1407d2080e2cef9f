/**
 * Two WebRTC phones of somebody else's (baresip), registered at Kamailio, are called by clients of the reference host, and both sides hear
 * one another: offers, answers, ICE, DTLS-SRTP and opus as they are, with the extension between them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket, useOPUS } from 'werift';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLogger } from 'winston';
import { SipExtension } from '../../src/index.js';
import { DemoClient } from '../../src/reference-host/demo-client.js';
import type { ClientEvent } from '../../src/reference-host/devices.js';
import { startReferenceHost, type ReferenceHost } from '../../src/reference-host/server.js';
import { Baresip } from './support/baresip.js';
import { HostAlone } from './support/host-alone.js';
import { lacks } from './support/install.js';
import { Kamailio, passwordOf } from './support/kamailio.js';
import { MappingsTable } from './support/mappings-table.js';
import { allRegistered } from './support/subject.js';

const missing = lacks('kamailio', 'postgresql', 'openssl', 'baresip', 'iproute2');
const refusal = missing ? undefined : HostAlone.refusal();
if (refusal !== undefined) console.warn(`interop: skipping the WebRTC phones: this machine makes no network namespaces (${refusal})`);

type Of<Type extends ClientEvent['type']> = Extract<ClientEvent, { type: Type }>;
const isTalking = (event: ClientEvent): event is Of<'state'> => event.type === 'state' && event.state === 'talking';
const isEnded = (event: ClientEvent): event is Of<'ended'> => event.type === 'ended';

/** 20 ms of silence in opus (RFC 6716 3.1: one frame of CELT, full band, stereo). */
const silence = Buffer.from([0xfc, 0xff, 0xfe]);
/** What sounds is more than a frame of silence, bytes. */
const sounding = 20;
/** Three seconds of sound: a phone counts what it sent and received every time that it sends RTCP, so less would be none to it. */
const aWhile = 150;
/** A call that stands brought no sound once in some six runs, and nobody knows why yet: then it is called again, and the output says so. */
const attempts = 3;
const soundWithinMs = 15_000;

describe.skipIf(missing || refusal !== undefined)('WebRTC phones called by clients of the reference host', () => {
  let table: MappingsTable;
  let kamailio: Kamailio;
  let host: ReferenceHost;
  const hosts: HostAlone[] = [];
  const phones: Baresip[] = [];

  beforeAll(async () => {
    table = await MappingsTable.start();
    hosts.push(HostAlone.add(), HostAlone.add());
    kamailio = await Kamailio.start({ alsoAt: hosts.map(({ outside }) => outside) });
    phones.push(...(await Promise.all(hosts.map((alone, index) => Baresip.start(alone, `phone-${index + 1}`, kamailio.ports.udp)))));
    await table.replace([1, 2].map((id) => ({ user: `user-${id}`, password: passwordOf(`user-${id}`), port: kamailio.ports.udp, peerId: id })));
    const listen = { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0 };
    host = await startReferenceHost({
      extension: new SipExtension(),
      config: { tree: { modules: { sip: { extension: SipExtension.id, listen } }, services: { postgresql: table.settings } } },
      logger: createLogger({ silent: true }),
      port: 0,
    });
    await vi.waitFor(() => { expect(allRegistered(2)(host.extension.status())).toBe(true); }, { timeout: 20_000 });
  });

  afterAll(async () => {
    await host.stop({ drainMs: 0 });
    for (const phone of phones) await phone.stop();
    await kamailio.stop();
    for (const alone of hosts) alone.remove();
    await table.stop();
  });

  test('both calls stand at once, and sound is heard on every side', async () => {
    await Promise.all(hosts.map(({ outside }, index) => talkAtLast(index + 1, outside)));
    for (const phone of phones) {
      await expect.poll(() => phone.calls.some(({ sent, received }) => sent > 0 && received > 0), { timeout: 10_000, message: phone.describe() }).toBe(true);
    }
  });

  async function talkAtLast(id: number, network: string): Promise<void> {
    await host.users.create({ id, name: `User ${id}` });
    for (let attempt = 1; attempt < attempts; attempt += 1) {
      if (await talk(id, network)) return;
      console.warn(`phone-${id}: no sound within ${soundWithinMs} ms, calling again`);
    }
    expect(await talk(id, network), phones[id - 1]?.describe()).toBe(true);
  }

  /** The user calls the phone of the same number, until its tone was heard for a while. @returns whether it was */
  async function talk(id: number, network: string): Promise<boolean> {
    const user = { id, name: `User ${id}` };
    const client = await DemoClient.connect(host.url, user);
    const peer = new RTCPeerConnection({ codecs: { audio: [useOPUS()] } });
    const track = new MediaStreamTrack({ kind: 'audio' });
    let heard = 0;
    const enough = new Promise<void>((resolve) => {
      peer.addTransceiver(track, { direction: 'sendrecv' }).onTrack.once((theirs) => {
        theirs.onReceiveRtp.subscribe(({ payload }) => {
          if (payload.length > sounding) heard += 1;
          if (heard === aWhile) resolve();
        });
      });
    });
    const voice = speak(track);
    try {
      await peer.setLocalDescription(await peer.createOffer());
      const sdp = onNetwork(network, peer.localDescription?.sdp ?? '');
      client.send({ type: 'create', to: { address: `phone-${id}` }, description: { type: 'offer', sdp } });
      const { callId, description } = await client.next('the answer', isTalking);
      await peer.setRemoteDescription({ type: 'answer', sdp: withMid(description?.sdp ?? '') });
      const isHeard = await Promise.race([enough.then(() => true), wait(soundWithinMs, false, { ref: false })]);
      client.send({ type: 'hangup', callId });
      await client.next('the end', isEnded);
      return isHeard;
    } finally {
      clearInterval(voice);
      await peer.close();
      client.close();
    }
  }
});

/**
 * The client's offer as of a client that is on one network alone. werift sends from any address of this machine, whatever its candidate says.
 * The candidate stands in `c=` and `m=`, as with browsers (RFC 8839 4.2.1.1): baresip takes an offer without for one that has no ICE.
 */
function onNetwork(address: string, sdp: string): string {
  const [, port = ''] = new RegExp(`^a=candidate:\\S+ 1 udp \\d+ ${address} (\\d+) `, 'm').exec(sdp) ?? [];
  const isThere = (line: string): boolean => !line.startsWith('a=candidate:') || line.includes(` ${address} `);
  const there = sdp.split('\r\n').filter(isThere).join('\r\n');
  return there.replace(/^m=audio 9 /m, `m=audio ${port} `).replaceAll(/^c=IN IP4 0\.0\.0\.0$/gm, `c=IN IP4 ${address}`);
}

/** baresip names no streams. A browser counts them instead (RFC 8829 5.10); werift does not. */
function withMid(sdp: string): string {
  return sdp.includes('a=mid:') ? sdp : sdp.replace(/^m=audio .*$/m, '$&\r\na=mid:0');
}

/** Says nothing, fifty times a second. */
function speak(track: MediaStreamTrack): NodeJS.Timeout {
  let sequenceNumber = 0;
  return setInterval(() => {
    sequenceNumber += 1;
    track.writeRtp(new RtpPacket(new RtpHeader({ sequenceNumber, timestamp: sequenceNumber * 960, payloadType: 96, ssrc: 1 }), silence));
  }, 20);
}

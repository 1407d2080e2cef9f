/**
 * Two WebRTC phones of somebody else's (baresip), registered at Kamailio, are called by clients of the reference host, and both sides hear
 * one another: offers, answers, ICE, DTLS-SRTP and opus as they are, with the extension between them.
 */
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
    await Promise.all(hosts.map(({ outside }, index) => talk(index + 1, outside)));
    await expect.poll(() => phones.map(({ calls }) => calls.length), { timeout: 10_000 }).toEqual([1, 1]);
    for (const phone of phones) {
      expect(phone.calls[0]?.sent, phone.describe()).toBeGreaterThan(0);
      expect(phone.calls[0]?.received, phone.describe()).toBeGreaterThan(0);
    }
  });

  /** The user calls the phone of the same number, until its tone was heard for a while. */
  async function talk(id: number, network: string): Promise<void> {
    const user = { id, name: `User ${id}` };
    await host.users.create(user);
    const client = await DemoClient.connect(host.url, user);
    const peer = peerOn(network);
    const track = new MediaStreamTrack({ kind: 'audio' });
    let heard = 0;
    peer.addTransceiver(track, { direction: 'sendrecv' }).onTrack.once((theirs) => {
      theirs.onReceiveRtp.subscribe(({ payload }) => {
        if (payload.length > sounding) heard += 1;
      });
    });
    const voice = speak(track);
    try {
      await peer.setLocalDescription(await peer.createOffer());
      const sdp = withDefault(peer.localDescription?.sdp ?? '');
      client.send({ type: 'create', to: { address: `phone-${id}` }, description: { type: 'offer', sdp } });
      const { callId, description } = await client.next('the answer', isTalking);
      await peer.setRemoteDescription({ type: 'answer', sdp: withMid(description?.sdp ?? '') });
      await vi.waitFor(() => { expect(heard, phones[id - 1]?.describe()).toBeGreaterThanOrEqual(aWhile); }, { timeout: 20_000 });
      client.send({ type: 'hangup', callId });
      await client.next('the end', isEnded);
    } finally {
      clearInterval(voice);
      await peer.close();
      client.close();
    }
  }
});

/**
 * A client that is on this network alone. Else werift checks from every network of this machine, each with a socket of its own, and by the one
 * cable they all arrive: it may settle for a socket that its offer did not name, while baresip settles for the candidate that it knows. To each
 * of baresip's DTLS messages the answer then comes from another port, which baresip takes for another party, and nobody hears anything.
 */
function peerOn(network: string): RTCPeerConnection {
  return new RTCPeerConnection({ codecs: { audio: [useOPUS()] }, iceInterfaceAddresses: { udp4: network } });
}

/** The candidate stands in `c=` and `m=`, as with browsers (RFC 8839 4.2.1.1): baresip takes an offer without for one that has no ICE. */
function withDefault(sdp: string): string {
  const [, address = '', port = ''] = /^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) /m.exec(sdp) ?? [];
  return sdp.replace(/^m=audio 9 /m, `m=audio ${port} `).replaceAll(/^c=IN IP4 0\.0\.0\.0$/gm, `c=IN IP4 ${address}`);
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

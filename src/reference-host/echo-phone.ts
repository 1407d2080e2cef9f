/**
 * The echo that answers at `600` in the demonstration: a messenger user whose device is this program. It answers every call and sends back
 * what it hears and sees, by a WebRTC stack in Node (werift, an optional dependency).
 */
import { messageOf } from '../base/errors.js';
import { second } from '../base/units.js';
import type * as Werift from 'werift';
import { DemoClient } from './demo-client.js';
import type { ClientEvent } from './devices.js';

type Incoming = Extract<ClientEvent, { type: 'incoming' }>;

/** A picture that was damaged on its way is asked for again this often, milliseconds: nobody else asks for it here. */
const pictureEveryMs = 3 * second;

/** Calls at once; those above are told that the line is busy. */
const callsAtMost = 20;

export class EchoPhone {
  readonly #calls = new Map<string, Werift.RTCPeerConnection>();

  private constructor(
    private readonly client: DemoClient,
    private readonly werift: typeof Werift,
    private readonly report: (message: string) => void,
  ) {}

  /**
   * Signs in as that user, and answers from now on.
   * @param report told of calls that could not be answered
   * @returns undefined where werift is not installed
   */
  static async open(url: string, user: { id: number; name: string }, report: (message: string) => void): Promise<EchoPhone | undefined> {
    const werift = await import('werift').catch(() => undefined);
    if (werift === undefined) return undefined;
    const phone = new EchoPhone(await DemoClient.connect(url, user), werift, report);
    phone.client.follow((event) => {
      phone.#hear(event);
    });
    return phone;
  }

  async close(): Promise<void> {
    this.client.close();
    await Promise.all([...this.#calls.keys()].map((callId) => this.#over(callId)));
  }

  #hear(event: ClientEvent): void {
    if (event.type === 'incoming') void this.#attempt(event.callId, () => this.#answer(event));
    else if (event.type === 'offer') void this.#attempt(event.callId, () => this.#describe(event.callId, event.description.sdp));
    else if (event.type === 'ended') void this.#over(event.callId);
  }

  async #answer({ callId, description }: Incoming): Promise<void> {
    if (this.#calls.size >= callsAtMost) {
      this.client.send({ type: 'hangup', callId, reason: 'busy' });
      return;
    }
    const { RTCPeerConnection, useOPUS, usePCMU, useVP8 } = this.werift;
    const peer = new RTCPeerConnection({
      codecs: { audio: [useOPUS(), usePCMU()], video: [useVP8()] },
      // Without it two programs of a machine that is on no network would not meet.
      iceAdditionalHostAddresses: ['127.0.0.1'],
    });
    this.#calls.set(callId, peer);
    peer.onTransceiverAdded.subscribe((transceiver) => {
      transceiver.setDirection('sendrecv');
      transceiver.onTrack.once((track) => {
        void transceiver.sender.replaceTrack(track);
        if (track.kind !== 'video') return;
        const asking = setInterval(() => {
          if (track.ssrc !== undefined) void transceiver.receiver.sendRtcpPLI(track.ssrc);
        }, pictureEveryMs).unref();
        peer.connectionStateChange.subscribe((state) => {
          if (state === 'closed') clearInterval(asking);
        });
      });
    });
    this.client.send({ type: 'ringing', callId });
    await this.#describe(callId, description.sdp);
  }

  async #describe(callId: string, offer: string): Promise<void> {
    const peer = this.#calls.get(callId);
    if (peer === undefined) return;
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    await peer.setLocalDescription(await peer.createAnswer());
    this.client.send({ type: 'answer', callId, description: { type: 'answer', sdp: peer.localDescription?.sdp ?? '' } });
  }

  async #attempt(callId: string, act: () => Promise<void>): Promise<void> {
    await act().catch(async (thrown: unknown) => {
      this.report(`The echo could not answer: ${messageOf(thrown)}`);
      this.client.send({ type: 'hangup', callId, reason: 'error' });
      await this.#over(callId);
    });
  }

  async #over(callId: string): Promise<void> {
    const peer = this.#calls.get(callId);
    this.#calls.delete(callId);
    await peer?.close();
  }
}

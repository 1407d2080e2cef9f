/**
 * The media of one call: an RTCPeerConnection, our microphone and camera, and what comes from the other end. Offers and answers go in
 * the order of the call; a change of ours that meets one of theirs is rolled back, and asked for again by whoever wanted it.
 */
import { signal } from '@preact/signals';
import type { IceCandidate, SessionDescription } from '../../host/contract.js';

export type Kind = 'audio' | 'video';

/** What we want of the call. */
export interface Wish {
  readonly held: boolean;
  readonly muted: boolean;
  readonly video: boolean;
}

export class MicrophoneRefused extends Error {
  constructor(cause: unknown) {
    super('The browser gives no microphone: allow it for this page, or plug one in.', { cause });
    this.name = 'MicrophoneRefused';
  }
}

export class PeerMedia {
  readonly remote = signal(new MediaStream());
  readonly local = signal(new MediaStream());
  /** The other end does not want to hear us: it holds. */
  readonly heldByThem = signal(false);
  readonly #peer: RTCPeerConnection;
  #wish: Wish = { held: false, muted: false, video: false };
  /** Candidates wait until the description that they belong to has been sent. */
  #unsent: IceCandidate[] | undefined = [];
  #ended = false;

  constructor(private readonly onCandidates: (candidates: IceCandidate[], isLast: boolean) => void) {
    this.#peer = new RTCPeerConnection({ bundlePolicy: 'balanced', rtcpMuxPolicy: 'require' });
    this.#peer.onicecandidate = ({ candidate }) => {
      this.#gathered(candidate === null ? undefined : { candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex });
    };
    this.#peer.ontrack = ({ track }) => {
      this.remote.value = new MediaStream([...this.remote.value.getTracks().filter(({ kind }) => kind !== track.kind), track]);
    };
  }

  /** What stands in the description, m-line by m-line: a page that is loaded anew must offer as many (RFC 3264 section 8). */
  get kinds(): Kind[] {
    return this.#peer.getTransceivers().map((transceiver) => transceiver.receiver.track.kind as Kind);
  }

  /** Makes the m-lines of a call that another page of ours began. */
  reserve(kinds: readonly Kind[]): void {
    for (const kind of kinds) this.#peer.addTransceiver(kind, { direction: 'recvonly' });
  }

  /** @param isNew to another party than before: the connection is made anew @throws MicrophoneRefused */
  async offer(wish: Wish, isNew = false): Promise<SessionDescription> {
    await this.#apply(wish);
    this.#unsent = [];
    await this.#peer.setLocalDescription(await this.#peer.createOffer({ iceRestart: isNew }));
    return { type: 'offer', sdp: this.#localSdp };
  }

  /** Answers an offer of the other end. @throws MicrophoneRefused */
  async answer(offer: SessionDescription, wish: Wish): Promise<SessionDescription> {
    this.#unsent = [];
    // An offer of ours that crossed theirs is rolled back by this.
    await this.#peer.setRemoteDescription(offer);
    await this.#apply(wish);
    await this.#peer.setLocalDescription(await this.#peer.createAnswer());
    this.#see();
    return { type: 'answer', sdp: this.#localSdp };
  }

  /** The answer to our offer; `early` one that may be followed by another. */
  async answered({ sdp }: SessionDescription, early: boolean): Promise<void> {
    if (this.#peer.signalingState === 'stable') return;
    await this.#peer.setRemoteDescription({ type: early ? 'pranswer' : 'answer', sdp });
    this.#see();
  }

  /** Makes an early answer the answer. */
  async settle(): Promise<void> {
    const early = this.#peer.pendingRemoteDescription;
    if (early?.type === 'pranswer') await this.answered({ type: 'answer', sdp: early.sdp }, false);
  }

  /** The other end refused our offer. */
  async refused(before: Wish): Promise<void> {
    if (this.#peer.signalingState === 'have-local-offer') await this.#peer.setLocalDescription({ type: 'rollback' });
    await this.#apply(before);
  }

  /** The description was sent: so may its candidates be. */
  sent(): void {
    const waiting = this.#unsent ?? [];
    this.#unsent = undefined;
    const isLast = this.#peer.iceGatheringState === 'complete';
    if (waiting.length > 0 || isLast) this.onCandidates(waiting, isLast);
  }

  mute(muted: boolean): void {
    this.#wish = { ...this.#wish, muted };
    this.#switchMicrophone();
  }

  end(): void {
    this.#ended = true;
    this.#peer.close();
    for (const track of this.local.value.getTracks()) track.stop();
  }

  get #localSdp(): string {
    return this.#peer.localDescription?.sdp ?? '';
  }

  #gathered(candidate: IceCandidate | undefined): void {
    if (this.#unsent !== undefined) {
      if (candidate !== undefined) this.#unsent.push(candidate);
      return;
    }
    this.onCandidates(candidate === undefined ? [] : [candidate], candidate === undefined);
  }

  /** Brings tracks and directions in line with what is wanted. */
  async #apply(wish: Wish): Promise<void> {
    this.#wish = wish;
    await this.#send('audio', true, wish.held);
    await this.#send('video', wish.video, wish.held);
    this.#switchMicrophone();
  }

  async #send(kind: Kind, wanted: boolean, held: boolean): Promise<void> {
    let transceiver = this.#peer.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
    if (transceiver === undefined && !wanted) return;
    const track = wanted ? await this.#capture(kind) : undefined;
    if (!wanted) this.#release(kind);
    // Somebody may have hung up while the browser asked for leave.
    if (this.#ended) return;
    transceiver ??= this.#peer.addTransceiver(kind);
    await transceiver.sender.replaceTrack(track ?? null);
    transceiver.direction = wanted ? (held ? 'sendonly' : 'sendrecv') : held ? 'inactive' : 'recvonly';
  }

  async #capture(kind: Kind): Promise<MediaStreamTrack> {
    const present = this.local.value.getTracks().find((track) => track.kind === kind && track.readyState === 'live');
    if (present !== undefined) return present;
    const stream = await navigator.mediaDevices.getUserMedia({ [kind]: true }).catch((thrown: unknown) => {
      throw new MicrophoneRefused(thrown);
    });
    if (this.#ended) for (const track of stream.getTracks()) track.stop();
    this.local.value = new MediaStream([...this.local.value.getTracks(), ...stream.getTracks()]);
    const [track] = stream.getTracks();
    if (track === undefined) throw new MicrophoneRefused(undefined);
    return track;
  }

  #release(kind: Kind): void {
    for (const track of this.local.value.getTracks().filter((each) => each.kind === kind)) track.stop();
    this.local.value = new MediaStream(this.local.value.getTracks().filter((each) => each.kind !== kind));
  }

  #switchMicrophone(): void {
    for (const track of this.local.value.getAudioTracks()) track.enabled = !this.#wish.muted && !this.#wish.held;
  }

  #see(): void {
    const audio = this.#peer.getTransceivers().find(({ receiver }) => receiver.track.kind === 'audio');
    this.heldByThem.value = !this.#wish.held && (audio?.currentDirection === 'recvonly' || audio?.currentDirection === 'inactive');
    // A camera that was switched off leaves its last picture.
    const video = this.#peer.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video');
    if (video?.currentDirection !== 'sendrecv' && video?.currentDirection !== 'recvonly') {
      this.remote.value = new MediaStream(this.remote.value.getAudioTracks());
    } else if (this.remote.value.getVideoTracks().length === 0) {
      this.remote.value = new MediaStream([...this.remote.value.getTracks(), video.receiver.track]);
    }
  }
}

/** Candidates that the host tells apart from a description, kept until the description is sent. */
import type { IceCandidate } from '../host/contract.js';
import { withCandidates } from '../sdp/candidates.js';
import { withDefaultCandidates } from '../sdp/default-candidate.js';

/** More than any browser gathers; what comes beyond is not kept. */
const maximum = 256;

export class Gathering {
  readonly #candidates: IceCandidate[] = [];
  #complete = false;

  /** No more will come. */
  get isComplete(): boolean {
    return this.#complete;
  }

  add(candidates: readonly IceCandidate[], endOfCandidates: boolean): void {
    this.#candidates.push(...candidates.slice(0, maximum - this.#candidates.length));
    if (endOfCandidates) this.#complete = true;
  }

  /** The description with what has been gathered, one of it as the default. */
  applyTo(sdp: string): string {
    return withDefaultCandidates(withCandidates(sdp, this.#candidates, this.#complete));
  }
}

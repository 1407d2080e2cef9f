/**
 * What is wrong with bytes that were to be a SIP message, as a value: nothing from the wire throws.
 */

/** The header values of a request that a stateless answer repeats (RFC 3261 section 8.2.6.2), as they were received; none is made up. */
export interface RequestEcho {
  readonly method: string;
  /** The top one first. */
  readonly via: readonly string[];
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The answer adds a tag when there is none. */
  readonly toTag: string | undefined;
  readonly callId: string | undefined;
  readonly cseq: string | undefined;
}

export interface ParseFault {
  /** For a log: names what is wrong and never quotes the message. */
  readonly fault: string;
  /** What the sender deserves, 400 to 505. Present with `echo`: only for a request other than ACK that can be answered. */
  readonly statusCode?: number;
  readonly echo?: RequestEcho;
}

export function isParseFault(outcome: object): outcome is ParseFault {
  return 'fault' in outcome;
}

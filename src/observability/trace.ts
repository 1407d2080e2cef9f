/**
 * `modules.sip.trace-level` after JAIN-SIP's levels: below 16 no message is shown, at 16 one line a message, at 32 whole messages. Secrets
 * never are.
 */
import { redactSip } from './redact.js';

export type TraceLevel = 0 | 2 | 4 | 8 | 16 | 32;

/** What shows a message: the SIP stack calls it for each that crosses the wire. */
export interface MessageTrace {
  onMessage(direction: 'in' | 'out', transport: string, peer: string, text: string): void;
}

/** Undefined where nothing is to be shown, so that the hot path does not ask. */
export function messageTrace(level: TraceLevel, log: { info(message: string): unknown }): MessageTrace | undefined {
  if (level < 16) return undefined;
  return {
    onMessage: (direction, transport, peer, text) => {
      const line = `${direction === 'in' ? '<-' : '->'} ${transport} ${peer} ${redactSip(summary(text))}`;
      log.info(level < 32 ? line : `${line}\n${redactSip(text).trimEnd()}`);
    },
  };
}

/** `REGISTER sip:example.com, CSeq 2, Call-ID 4f...`: what tells one message from another. */
function summary(text: string): string {
  const startLine = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replace(/ SIP\/2\.0$/, '').slice(0, 200);
  const cseq = /^cseq[ \t]*:[ \t]*([^\r\n]*)/im.exec(text)?.[1] ?? '?';
  const callId = /^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)/im.exec(text)?.[1] ?? '?';
  return `${startLine} (CSeq ${cseq.slice(0, 60)}, Call-ID ${callId.slice(0, 100)})`;
}

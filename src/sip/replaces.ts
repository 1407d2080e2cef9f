/** Which call another one is to take over: Replaces (RFC 3891 6.1). */
import { readReplaces } from './parser/header-rules.js';
import { isToken } from './parser/scan.js';

/** The dialog, as whoever receives the INVITE sees it. */
export interface Replaces {
  readonly callId: string;
  /** Of the receiver. */
  readonly toTag: string;
  readonly fromTag: string;
  /** Not once it is answered. */
  readonly isEarlyOnly: boolean;
}

/** Undefined for what is no such value. */
export function parseReplaces(text: string): Replaces | undefined {
  const value = readReplaces(text);
  if (value === undefined || !isToken(value.replaces_to_tag) || !isToken(value.replaces_from_tag)) return undefined;
  return { callId: value.call_id, toTag: value.replaces_to_tag, fromTag: value.replaces_from_tag, isEarlyOnly: value.early_only === true };
}

export function writeReplaces({ callId, toTag, fromTag, isEarlyOnly }: Replaces): string {
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${isEarlyOnly ? ';early-only' : ''}`;
}

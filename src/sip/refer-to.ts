/**
 * What a REFER of the far end asks for (RFC 3515), read from what a stranger wrote: whom we are to call, in place of which call (RFC 3891), and
 * who says so (RFC 3892). Of the headers that a Refer-To may carry (RFC 3261 19.1.1) Replaces alone is heard: what stands in our INVITE is ours to say.
 */
import type { IncomingRequestMessage, URI } from 'sip.js/lib/core/index.js';
import { OpaqueUri, readUsableAddress } from './parser/uri.js';
import { parseReplaces, writeReplaces } from './replaces.js';
import { isKnownScheme } from './request-checks.js';

export interface AskedReferral {
  readonly target: string;
  readonly replaces?: string;
  readonly referredBy?: string;
}

/** @returns what is asked, or the status that refuses it */
export function readReferral(request: IncomingRequestMessage): AskedReferral | { readonly status: number } {
  const [value, ...others] = request.getHeaders('refer-to');
  // RFC 3515 2.4.2: there is one.
  if (value === undefined || others.length > 0) return { status: 400 };
  const uri = readUsableAddress(value)?.uri;
  if (uri === undefined) return { status: 400 };
  if (!isKnownScheme(uri.scheme)) return { status: 416 };
  // RFC 3261 21.5.2: nobody is called by another method.
  if ((uri.getParam('method') ?? 'INVITE') !== 'INVITE') return { status: 501 };
  const target = withoutHeaders(uri);
  const replaces = replacesOf(uri);
  if (target === undefined || replaces === null) return { status: 400 };
  const referredBy = referredByOf(request);
  return { target, ...(replaces === undefined ? {} : { replaces }), ...(referredBy === undefined ? {} : { referredBy }) };
}

/** RFC 3261 19.1.1, table 1: neither headers nor `method` stand in a Request-URI. A `tel:` has no headers at all (RFC 3966 3). */
function withoutHeaders(uri: URI): string | undefined {
  if (uri instanceof OpaqueUri) return uri.toString().includes('?') ? undefined : uri.toString();
  const target = uri.clone();
  target.headers = {};
  target.deleteParam('method');
  return target.toString();
}

/** Null: what stands there cannot be read. */
function replacesOf(uri: URI): string | undefined | null {
  const values = uri.getHeader('Replaces');
  if (values === undefined) return undefined;
  const [escaped, ...others] = values;
  const replaces = escaped === undefined || others.length > 0 ? undefined : parseReplaces(unescaped(escaped));
  return replaces === undefined ? null : writeReplaces(replaces);
}

/** RFC 3892 2.2: what is signed stands in a body that we do not pass on, and its `cid` would lead nowhere. */
function referredByOf(request: IncomingRequestMessage): string | undefined {
  const [value, ...others] = request.getHeaders('referred-by');
  const address = value === undefined || others.length > 0 ? undefined : readUsableAddress(value);
  address?.deleteParam('cid');
  return address?.toString();
}

/** What is not escaped as it should be is nothing that can be read. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

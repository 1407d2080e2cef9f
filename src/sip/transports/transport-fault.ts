/**
 * What can go wrong on the way to a peer, in sentences: system, TLS and WebSocket codes turned into what a person can act on. The
 * code stays in brackets, so that it can be searched for.
 */

import { isIPv6 } from 'node:net';
import { ExtensionError, messageOf } from '../../base/errors.js';
import type { SipTarget, SipTransport } from '../types.js';
import type { Endpoint } from './flow.js';

export function transportError(message: string, cause?: unknown): ExtensionError {
  return new ExtensionError('SIP_TRANSPORT', message, cause === undefined ? undefined : { cause });
}

/** `tcp:127.0.0.1:5060`, `udp:[::1]:5060`. */
export function sayPlace(transport: SipTransport, endpoint: Endpoint): string {
  return `${transport}:${hostPort(endpoint.address, endpoint.port)}`;
}

/** `example.com:5060`, `[::1]:5060`. */
export function hostPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The rejection of a flow that could not be opened; an `ExtensionError` keeps its own words. */
export function unreachable({ host, port, transport, isTransportOpen }: SipTarget, thrown: unknown): ExtensionError {
  const why = thrown instanceof ExtensionError ? thrown.message : sayFault(thrown);
  const what = port === 0 ? host : hostPort(host, port);
  return transportError(`Cannot reach ${what}${isTransportOpen === true ? '' : ` over ${transport}`}: ${why}.`, thrown);
}

/** The code of a Node.js or OpenSSL error. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** What is wrong, without full stop: `the connection was refused: nothing listens there (ECONNREFUSED)`. */
export function sayFault(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code === undefined) return plainly(messageOf(thrown));
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${sayWrongName(thrown)} (${code})`;
  const words = faults.get(code) ?? (code.startsWith('HPE_') ? notHttp : undefined) ?? plainly(messageOf(thrown));
  return words.includes(code) ? words : `${words} (${code})`;
}

const notHttp = 'what came back is not HTTP: is this a WebSocket port';

const faults: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'the name was not found'],
  ['ENODATA', 'the name has no address'],
  ['EAI_AGAIN', 'the name could not be looked up: the name server did not answer'],
  ['ECONNREFUSED', 'the connection was refused: nothing listens there, or a firewall says no'],
  ['ECONNRESET', 'the peer reset the connection'],
  ['EPIPE', 'the peer closed the connection'],
  ['ETIMEDOUT', 'nothing came back in time'],
  ['EHOSTUNREACH', 'there is no way to that host'],
  ['ENETUNREACH', 'there is no way to that network'],
  ['EINVAL', 'the address cannot be used from here'],
  ['EMSGSIZE', 'the message is too long for one datagram'],
  ['EPERM', 'this machine does not let it out: a firewall rule'],
  ['EACCES', 'this machine does not allow it'],
  ['EADDRNOTAVAIL', 'the address is not one of this machine'],
  ['EMFILE', 'too many open files: raise the limit of this process'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet: check the clocks'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed: name it, or its issuer, in modules.sip.listen.tls.ca'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate comes from an issuer that is not trusted: name the issuer in modules.sip.listen.tls.ca'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'the issuer of its certificate is not known: name it in modules.sip.listen.tls.ca'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the issuer of its certificate is not known: name it in modules.sip.listen.tls.ca'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the issuer of its certificate is not known: name it in modules.sip.listen.tls.ca'],
  ['CERT_SIGNATURE_FAILURE', 'the signature of its certificate is wrong: modules.sip.listen.tls.ca names another issuer'],
  ['INVALID_PURPOSE', 'its certificate is not one for a server'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS on that port'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it does not speak TLS on that port'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'it speaks no version of TLS that is safe to use'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'it speaks no version of TLS that is safe to use'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'it wants a certificate of ours: modules.sip.listen.tls.cert and key'],
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'it sent a message of more than 64 KB'],
]);

function sayWrongName(thrown: unknown): string {
  const names = subjectNames(thrown);
  return names === undefined ? 'its certificate is for another name' : `its certificate is for another name: ${plainly(names)}`;
}

function subjectNames(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('cert' in thrown)) return undefined;
  const { cert } = thrown;
  if (typeof cert !== 'object' || cert === null || !('subjectaltname' in cert)) return undefined;
  return typeof cert.subjectaltname === 'string' ? cert.subjectaltname : undefined;
}

/** Text that a peer may have had a hand in: one short printable line, no full stop. */
function plainly(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 200)
    .replace(/\.$/, '');
}

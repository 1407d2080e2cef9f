/** One REGISTER with all its challenges (RFC 3261 10.2, RFC 5626 4.2), and what its final response means (10.2.4). */
import { hash } from 'node:crypto';
import type { IncomingResponseMessage } from 'sip.js/lib/core/index.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import type { CoreOwner } from './account-core.js';
import { answerChallenge, takeNextNonces } from './challenges.js';
import { DigestExchange, type CredentialsHeader } from './digest.js';
import type { FinalResponse } from './internals.js';
import type { ViaValue } from './parser/via.js';
import { quoteDisplayName, writeSipAddress } from './parser/write-uri.js';
import { randomToken } from './random-token.js';
import { readRedirect, targetOf, type Redirect } from './redirect.js';
import { readDeltaSeconds, retryAfterMs } from './response-headers.js';
import type { StackContext } from './stack-context.js';
import type { Flow } from './transports/flow.js';
import type { RegisterOutcome } from './types.js';

const expiryOfBinding = /;\s*expires\s*=\s*"?(\d{1,10})/i;

export interface RegisteringAccount extends CoreOwner {
  readonly registerCallId: string;
  registerCSeq: number;
  flow: Flow | undefined;
  /** Its binding stands. */
  registered(): void;
}

/** What came of one REGISTER, and where its answer sends us on to. */
interface Attempt {
  readonly outcome: RegisterOutcome;
  readonly redirect?: Redirect;
}

/** Never rejects. A 301 or 302 is followed once (RFC 3261 8.1.3.4): who is asked then sends us nowhere. */
export async function registerOnce(account: RegisteringAccount, context: StackContext, expiresS: number): Promise<RegisterOutcome> {
  const { redirects, clock } = context;
  const known = redirects.get(account);
  if (known !== undefined && known.untilMs <= clock.now()) redirects.delete(account);
  const first = await attempt(account, context, expiresS).catch(failed);
  if (first.redirect !== undefined) redirects.set(account, first.redirect);
  const { outcome } = first.redirect === undefined ? first : await attempt(account, context, expiresS).catch(failed);
  if (outcome.kind === 'registered' && expiresS > 0) account.registered();
  const redirect = redirects.get(account);
  if (redirect === undefined || outcome.kind === 'registered') return outcome;
  // What does not work is forgotten: the next try is the registrar's own again.
  redirects.delete(account);
  return outcome.kind === 'unreachable' ? { ...outcome, sentOnTo: redirect.requestUri.toString() } : outcome;
}

/** Thousands are under way at a time: over a flow that is there, no more is held of each than its exchange. */
function attempt(account: RegisteringAccount, context: StackContext, expiresS: number): Promise<Attempt> {
  const target = targetOf(account, context);
  const flow = context.existingFlow(target);
  if (flow !== undefined) return exchange(account, flow, context, expiresS);
  return context.openFlow(target).then((opened) => exchange(account, opened, context, expiresS));
}

function failed(thrown: unknown): Attempt {
  const code = thrown instanceof ExtensionError && thrown.code === 'SIP_TIMEOUT' ? 'SIP_TIMEOUT' : 'SIP_TRANSPORT';
  return { outcome: { kind: 'unreachable', code, message: messageOf(thrown) } };
}

function exchange(account: RegisteringAccount, flow: Flow, context: StackContext, expiresS: number): Promise<Attempt> {
  return new Promise((resolve) => {
    account.flow = flow;
    const { settings } = account;
    const contact = `sip:${settings.token}${context.contactOn(flow).uriFromHost}`;
    const redirect = context.redirects.get(account);
    // RFC 3261 10.2: "The \"userinfo\" and \"@\" components of the SIP URI MUST NOT be present."
    const uri = redirect?.requestUri.toRaw() ?? writeSipAddress(settings.domain);
    const rest = restOf(account, contact, context, expiresS);
    const request = { method: 'REGISTER', uri, body: '' };
    const digest = account.digestFor('REGISTER');
    const rounds = new DigestExchange();
    const judge = judgeServer(flow, context);
    const send = (credentials: readonly [CredentialsHeader, string][]): void => {
      // RFC 3261 22.1: only the server that challenged a request knows its nonce.
      const wire = flow.isOpen ? context.wireOver(flow) : context.wireTo(targetOf(account, context));
      const branch = `${account.branchPrefix}${randomToken(8)}`;
      account.registerCSeq += 1;
      let text = `REGISTER ${uri} SIP/2.0\r\nVia: SIP/2.0/${wire.protocol} ${context.contactOn(flow).hostPort};branch=${branch};rport\r\n`;
      for (const [header, value] of credentials) text += `${header}: ${value}\r\n`;
      text += `CSeq: ${String(account.registerCSeq)} REGISTER\r\n${rest}`;
      context.registers.send(wire, branch, text, (response) => {
        takeNextNonces(response, digest);
        const answers = answerChallenge(response, digest, request, rounds);
        if (answers !== undefined) {
          send(answers);
          return;
        }
        judge(response, { isRegistrar: true });
        resolve({
          outcome: outcomeOf(response, contact, settings.token, flow, context, expiresS),
          redirect: redirect === undefined ? readRedirect(response, settings.target, flow.transport, context.clock.now()) : undefined,
        });
      });
    };
    send(digest.prepare(request, rounds));
  });
}

/** What all tries of one REGISTER have in common: they differ in Via, CSeq and credentials, which stand before it (RFC 3261 22.1). One text, not its parts. */
function restOf(account: RegisteringAccount, contact: string, context: StackContext, expiresS: number): string {
  const { settings } = account;
  const address = `<${writeSipAddress(settings.domain.toLowerCase(), settings.user)}>`;
  const name = settings.displayName === undefined || settings.displayName === '' ? '' : `${quoteDisplayName(settings.displayName)} `;
  const expires = String(expiresS);
  return [
    `To: ${address}`,
    `From: ${name}${address};tag=${randomToken(8)}`,
    `Call-ID: ${account.registerCallId}`,
    'Max-Forwards: 70',
    // RFC 5626 4.1: the instance and the flow's number make a restarted node replace its own binding.
    `Contact: <${contact}>;+sip.instance="<${instanceUrn(settings.token)}>";reg-id=1;expires=${expires}`,
    `Expires: ${expires}`,
    'Supported: path, outbound',
    `User-Agent: ${context.userAgent}`,
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n');
}

/**
 * RFC 3263 4.3: a server fails when it cannot be reached, is silent, or answers 503; whoever asks next is given another. Silence to one
 * request alone, as to an account that it bans, is none. A proxy's 503 to a call may speak of a line behind it: it counts when
 * the proxy asks to be left alone (RFC 3261 21.5.4).
 */
export function judgeServer(flow: Flow, context: StackContext): (response: FinalResponse, by: { isRegistrar: boolean }) => void {
  const wire = context.wireOver(flow);
  const { responses } = wire;
  return (response, { isRegistrar }) => {
    const { local, statusCode } = response;
    const restMs = statusCode === 503 && local === undefined ? retryAfterMs(response) : undefined;
    const isSilent = local?.code === 'SIP_TIMEOUT' && wire.responses === responses;
    const isBusy = statusCode === 503 && local === undefined && (isRegistrar || restMs !== undefined);
    if (isSilent || isBusy || local?.code === 'SIP_TRANSPORT') context.passOver(flow, restMs);
  };
}

function outcomeOf(response: FinalResponse, contact: string, token: string, flow: Flow, context: StackContext, askedS: number): RegisterOutcome {
  const status = response.statusCode ?? 0;
  if (response.local !== undefined) return { kind: 'unreachable', ...response.local };
  if (status >= 200 && status < 300) {
    const via = response.parseHeader('via') as ViaValue | undefined;
    return {
      kind: 'registered',
      expiresS: grantedExpiry(response, contact, token) ?? askedS,
      contactChanged: context.learnContact(flow, via?.received, via?.rport === undefined ? undefined : Number(via.rport)),
    };
  }
  return {
    kind: 'refused',
    status,
    phrase: response.reasonPhrase ?? '',
    wrongPassword: response.isPasswordRefused === true,
    ...(response.unanswerable === undefined ? {} : { unanswerable: response.unanswerable }),
    retryAfterMs: retryAfterMs(response),
    minExpiresS: status === 423 ? readDeltaSeconds(response.getHeader('min-expires')) : undefined,
  };
}

/** RFC 3261 10.2.4: the expiry of our own Contact among all bindings, else the Expires header. */
function grantedExpiry(response: IncomingResponseMessage, contact: string, token: string): number | undefined {
  const [ours, user] = [`<${contact}>`, `:${token}@`];
  let byUser: number | undefined;
  for (const binding of response.getHeaders('contact')) {
    const expires = readDeltaSeconds(expiryOfBinding.exec(binding.slice(binding.indexOf('>') + 1))?.[1]);
    if (expires === undefined) continue;
    if (binding.includes(ours) || binding.toLowerCase().includes(ours.toLowerCase())) return expires;
    // A registrar behind NAT may show the binding with parameters of its own; our token is still in it.
    if (binding.includes(user)) byUser = Math.max(byUser ?? 0, expires);
  }
  return byUser ?? readDeltaSeconds(response.getHeader('expires'));
}

/** RFC 5626 4.1: a URN that is the same after a restart: an RFC 4122 version 8 UUID made of the account's token. */
function instanceUrn(token: string): string {
  const hex = hash('sha256', `dialog-sip:${token}`, 'hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

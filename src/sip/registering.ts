/** One REGISTER with all its challenges (RFC 3261 10.2, RFC 5626 4.2), and what its final response means (10.2.4). */
import { hash } from 'node:crypto';
import type { IncomingResponseMessage, URI } from 'sip.js/lib/core/index.js';
import { ExtensionError, messageOf } from '../base/errors.js';
import { type AccountCore, contactUri, type CoreOwner } from './account-core.js';
import type { FinalResponse, SentRequest } from './internals.js';
import { makeSipUri } from './parser/uri.js';
import type { ViaValue } from './parser/via.js';
import { readRedirect, targetOf, type Redirect } from './redirect.js';
import { readDeltaSeconds, retryAfterMs } from './response-headers.js';
import type { StackContext } from './stack-context.js';
import type { Flow } from './transports/flow.js';
import type { RegisterOutcome } from './types.js';

export interface RegisteringAccount extends CoreOwner {
  readonly core: AccountCore;
  readonly registerCallId: string;
  registerCSeq: number;
  flow: Flow | undefined;
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
  const first = await attempt(account, context, expiresS);
  if (first.redirect !== undefined) redirects.set(account, first.redirect);
  const { outcome } = first.redirect === undefined ? first : await attempt(account, context, expiresS);
  const redirect = redirects.get(account);
  if (redirect === undefined || outcome.kind === 'registered') return outcome;
  // What does not work is forgotten: the next try is the registrar's own again.
  redirects.delete(account);
  return outcome.kind === 'unreachable' ? { ...outcome, sentOnTo: redirect.requestUri.toString() } : outcome;
}

async function attempt(account: RegisteringAccount, context: StackContext, expiresS: number): Promise<Attempt> {
  const target = targetOf(account, context);
  try {
    account.flow = context.existingFlow(target) ?? (await context.openFlow(target));
    return await exchange(account, account.flow, context, expiresS);
  } catch (thrown) {
    const code = thrown instanceof ExtensionError && thrown.code === 'SIP_TIMEOUT' ? 'SIP_TIMEOUT' : 'SIP_TRANSPORT';
    return { outcome: { kind: 'unreachable', code, message: messageOf(thrown) } };
  }
}

function exchange(account: RegisteringAccount, flow: Flow, context: StackContext, expiresS: number): Promise<Attempt> {
  const { settings, aor, core } = account;
  const contact = contactUri(account, context);
  const redirect = context.redirects.get(account);
  const registrar = redirect?.requestUri.clone() ?? makeSipUri({ host: settings.domain });
  account.registerCSeq += 1;
  const message = core.makeOutgoingRequestMessage(
    'REGISTER',
    registrar,
    aor,
    aor,
    { callId: account.registerCallId, cseq: account.registerCSeq, optionTags: ['path', 'outbound'] },
    [
      // RFC 5626 4.1: the instance and the flow's number make a restarted node replace its own binding.
      `Contact: <${contact.toString()}>;+sip.instance="<${instanceUrn(settings.token)}>";reg-id=1;expires=${String(expiresS)}`,
      `Expires: ${String(expiresS)}`,
    ],
  );
  sendKnownCredentials(message);
  const judge = judgeServer(flow, context);
  return new Promise((resolve) => {
    const onFinal = ({ message: response }: { message: FinalResponse }): void => {
      account.registerCSeq = message.cseq;
      judge(response, { isRegistrar: true });
      resolve({
        outcome: outcomeOf(response, contact, flow, context, expiresS),
        redirect: redirect === undefined ? readRedirect(response, settings.target, flow.transport, context.clock.now()) : undefined,
      });
    };
    core.register(message, { onAccept: onFinal, onRedirect: onFinal, onReject: onFinal });
  });
}

/** RFC 7616 3.6: answers the challenges met before, unasked. */
export function sendKnownCredentials(message: SentRequest): void {
  const request = { method: message.method, uri: message.ruri.toRaw(), body: message.body?.body ?? '' };
  for (const [header, value] of message.sender.digestFor(message.method).prepare(request, message.exchange)) {
    message.setHeader(header, value);
  }
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

function outcomeOf(response: FinalResponse, contact: URI, flow: Flow, context: StackContext, askedS: number): RegisterOutcome {
  const status = response.statusCode ?? 0;
  if (response.local !== undefined) return { kind: 'unreachable', ...response.local };
  if (status >= 200 && status < 300) {
    const via = response.parseHeader('via') as ViaValue | undefined;
    return {
      kind: 'registered',
      expiresS: grantedExpiry(response, contact) ?? askedS,
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
function grantedExpiry(response: IncomingResponseMessage, contact: URI): number | undefined {
  const ours = `<${contact.toString()}>`.toLowerCase();
  const user = `:${contact.user ?? ''}@`;
  let byUser: number | undefined;
  for (const binding of response.getHeaders('contact')) {
    const lower = binding.toLowerCase();
    const expires = readDeltaSeconds(/;\s*expires\s*=\s*"?(\d{1,10})/.exec(lower.slice(lower.indexOf('>') + 1))?.[1]);
    if (expires === undefined) continue;
    if (lower.includes(ours)) return expires;
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

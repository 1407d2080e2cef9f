/** What the registrar needs of the rest of the program, and no more: `SipAccount` and a winston logger fit. */
import type { Clock } from '../base/clock.js';
import type { AccountSettings, SipAccount, SipTarget } from '../sip/types.js';

/** The part of an account that registering needs. */
export interface RegisteringAccount extends Pick<SipAccount, 'register'>, Partial<Pick<SipAccount, 'flowName'>> {
  readonly settings: Pick<AccountSettings, 'user' | 'domain'>;
}

/** One mapping with `register`. */
export interface RegistrationEntry {
  readonly mappingId: number;
  /** Which registrar it belongs to, see {@link registrarKeyOf}: rates and limits are counted by it. */
  readonly registrarKey: string;
  readonly account: RegisteringAccount;
}

/** `urgent`: a single change that somebody waits for; it does not queue behind a start of many thousands. */
export type Urgency = 'ordinary' | 'urgent';

export interface RegistrarSettings {
  /** The expiry asked for, milliseconds (`modules.sip.register.expires`). A Min-Expires above it wins, and what is granted. */
  readonly expiresMs: number;
  /** The longest wait between two REGISTERs of one mapping, milliseconds, above 0 (`modules.sip.register.interval`). */
  readonly intervalMs: number;
  /** REGISTERs per second to one registrar, above 0. */
  readonly maxRate: number;
  /** REGISTERs on their way to one registrar at any moment, 1 and more. */
  readonly maxInFlight: number;
}

export interface RegistrarLog {
  info(message: string, meta: Record<string, unknown>): void;
  warn(message: string, meta: Record<string, unknown>): void;
  error(message: string, meta: Record<string, unknown>): void;
}

export interface RegistrarDependencies {
  readonly clock: Clock;
  /** A number in [0, 1): where jitter comes from. */
  readonly random: () => number;
  readonly log: RegistrarLog;
}

/** `sip:434@example.com` */
export function aorOf({ settings: { user, domain } }: Pick<RegisteringAccount, 'settings'>): string {
  return `sip:${user}@${domain}`;
}

/** `pbx.example.com:5060:udp`, an IPv6 address in brackets, no port when DNS decides. Mappings with the same key share a registrar's limits. */
export function registrarKeyOf(target: Pick<SipTarget, 'host' | 'port' | 'transport'>): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${host.toLowerCase()}${target.port === 0 ? '' : `:${target.port}`}:${target.transport}`;
}

/** `pbx.example.com:5060 over udp`: a registrar's key as a person reads it. */
export function sayRegistrar(registrarKey: string): string {
  return registrarKey.replace(/:([a-z]+)$/, ' over $1');
}

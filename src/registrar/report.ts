/** What a person gets to read of registrations: lines of the log, and the status of one. Holds no state; when a line is due, the registrar says. */
import type { Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { sayDuration, second } from '../base/units.js';
import type { RegistrationQueue, RegistrationStatus } from '../host/contract.js';
import type { Backlog } from './admission.js';
import { sayRegistrar, type RegistrarLog } from './ports.js';
import type { Registration } from './registration.js';
import { sayFlowLost } from './words.js';

export class Report {
  constructor(
    private readonly log: RegistrarLog,
    private readonly clock: Clock,
  ) {}

  registered(registration: Registration, grantedS: number, isFirst: boolean): void {
    const where = sayRegistrar(registration.registrarKey);
    this.log.info(
      `${nameOf(registration)} is registered${isFirst ? '' : ' again'} at ${where} for ${sayDuration(grantedS * second)}.`,
      metaOf(registration),
    );
  }

  /** Many were registered for the first time. */
  arrived(registered: number, total: number): void {
    const meta = { registered, registrations: total };
    if (registered === total) this.log.info(`All ${counted(total)} mappings are registered.`, meta);
    else this.log.info(`${counted(registered)} of ${counted(total)} mappings are registered.`, meta);
  }

  /** @param nextTryMs until when it sleeps by now, on the clock's scale */
  troubled(registration: Registration, words: string, nextTryMs: number | undefined): void {
    const { code } = registration.trouble;
    const wait = this.#sayUntil(nextTryMs ?? this.clock.now());
    const next = registration.state === 'parked' ? `Parked: asked again in ${wait}, or when its row changes.` : `Next try in ${wait}.`;
    this.log.warn(`${nameOf(registration)} is not registered: ${words} ${next}`, {
      ...metaOf(registration),
      ...(code === undefined ? {} : { status: code }),
    });
  }

  keptBinding(registration: Registration, words: string): void {
    const rest = this.#sayUntil(registration.bindingUntilS * second);
    this.log.warn(
      `${nameOf(registration)} could not be un-registered: ${words} Its binding ends by itself within ${rest}.`,
      metaOf(registration),
    );
  }

  /** One line for all that used the connection. */
  flowLost(registrarKey: string, why: string, registrations: number): void {
    this.log.warn(`${sayFlowLost(registrarKey, why)} Registrations to renew: ${String(registrations)}.`, {
      registrar: registrarKey,
      registrations,
    });
  }

  noOutcome(registration: Registration, waitedMs: number): void {
    this.log.error(
      `The REGISTER of ${nameOf(registration)} had no outcome after ${sayDuration(waitedMs)}: taken as unanswered.`,
      metaOf(registration),
    );
  }

  threw(registration: Registration, thrown: unknown): void {
    this.log.error(`The REGISTER of ${nameOf(registration)} failed inside this program: ${messageOf(thrown)}`, {
      ...metaOf(registration),
      error: thrown,
    });
  }

  #sayUntil(momentMs: number): string {
    return sayDuration(momentMs - this.clock.now());
  }
}

/** @param nextTryMs on the clock's scale; undefined when it waits for no time */
export function statusOf(registration: Registration, nextTryMs: number | undefined, clock: Clock): RegistrationStatus {
  const { mappingId, aor, registrarKey, account, state, sinceS } = registration;
  const { code, words } = registration.trouble;
  const isoOf = (momentMs: number): string => new Date(clock.date().getTime() + momentMs - clock.now()).toISOString();
  const lastCode = state === 'registered' ? 200 : code;
  const status: RegistrationStatus = {
    mappingId,
    aor,
    state: state === 'gone' ? 'unregistering' : state,
    since: isoOf(sinceS * second),
    registrar: sayRegistrar(registrarKey),
  };
  if (account.flowName !== undefined) status.flow = account.flowName;
  if (lastCode !== undefined) status.lastCode = lastCode;
  if (words !== undefined) status.lastError = words;
  if (nextTryMs !== undefined) status.nextTryAt = isoOf(nextTryMs);
  return status;
}

export function queueOf({ registrarKey, waiting, convergesInMs, silentMs }: Backlog): RegistrationQueue {
  const queue = { registrar: sayRegistrar(registrarKey), waiting };
  if (convergesInMs !== undefined) return { ...queue, convergesInMs };
  return { ...queue, unknown: `it has answered nothing for ${sayDuration(silentMs ?? 0)}` };
}

function counted(number: number): string {
  return number.toLocaleString('en');
}

/** `sip:434@example.com (mapping 7)` */
function nameOf({ aor, mappingId }: Registration): string {
  return `${aor} (mapping ${String(mappingId)})`;
}

function metaOf({ mappingId, aor, registrarKey }: Registration): Record<string, unknown> {
  return { mappingId, aor, registrar: registrarKey };
}

import type { RegistrationStatus } from '../../src/host/contract.js';
import { Registrar } from '../../src/registrar/registrar.js';
import type { RegistrarSettings } from '../../src/registrar/ports.js';
import { ManualClock } from '../support/manual-clock.js';
import { FakeAccount, FakeLog } from './fake-account.js';

export const registrarKey = 'pbx.example.com:5060:udp';
export const minute = 60_000;
export const hour = 60 * minute;

/** A registrar on the manual clock, without jitter unless a spec asks for it. */
export function startRegistrar(settings: Partial<RegistrarSettings> = {}, random: () => number = () => 0) {
  const clock = new ManualClock();
  const log = new FakeLog();
  const registrar = new Registrar(
    { expiresMs: 30 * minute, intervalMs: 30 * minute, maxRate: 1_000, maxInFlight: 500, ...settings },
    { clock, random, log },
  );
  return {
    clock,
    log,
    registrar,
    account: () => new FakeAccount(() => clock.now()),
    /** Adds `sip:<id>@pbx.example.com`. */
    add: (mappingId: number, account: FakeAccount, key = registrarKey): void => {
      registrar.add(entryOf(mappingId, account, key));
    },
    /** The status of one mapping; `registered` when it is not among the troubled. */
    statusOf: (mappingId: number): RegistrationStatus | { state: 'registered' } =>
      registrar.status().troubled.find((one) => one.mappingId === mappingId) ?? { state: 'registered' },
  };
}

export function entryOf(mappingId: number, account: FakeAccount, key = registrarKey) {
  return { mappingId, registrarKey: key, account: account.as(String(mappingId)) };
}

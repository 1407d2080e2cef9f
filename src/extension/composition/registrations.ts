/** The registrar, counted by state, and un-registered from within a limit of time. */
import { Registrar } from '../../registrar/registrar.js';
import type { Ground } from './ground.js';

/** How long un-registering may take when the extension stops, milliseconds. */
const unregisterTimeoutMs = 2_500;
/** And for each registration; many thousands take longer. */
const unregisterTimeoutEachMs = 1;

export function keepRegistrations(ground: Ground): Registrar {
  const { config, log, metrics, releasers } = ground;
  const registrar = new Registrar(config.register, ground);
  releasers.add('the registrations', async () => {
    const left = await registrar.stop(unregisterTimeoutMs + registrar.total * unregisterTimeoutEachMs);
    if (left.length > 0) log.warn(`${left.length} registrations could not be removed in time; they end by themselves.`);
  });
  metrics.gauges('dialog_sip_registrations', 'Registrations, by state', 'state', () => registrar.byState);
  return registrar;
}

/** The administration interface, and what is watched only because somebody may ask it. */
import { openAdminServer, type AdminSettings } from '../../admin/server.js';
import type { AdminDependencies } from '../../admin/ports.js';
import type { Listeners } from '../../base/listeners.js';
import { megabyte } from '../../base/units.js';
import type { CallRouter } from '../../calls/router.js';
import { writeEffectiveConf } from '../../config/mask.js';
import { Recording } from '../../ladder/recording.js';
import { History } from '../../observability/history.js';
import type { CallRecord } from '../../records/call-record.js';
import type { Registrar } from '../../registrar/registrar.js';
import type { Ground } from './ground.js';

/** What crosses lately, for ladders. @returns undefined where nobody can ask for it */
export function recordingFor({ admin }: Ground['config']): Recording | undefined {
  return admin.on && admin.ladderMegabytes > 0 ? new Recording(admin.ladderMegabytes * megabyte, Date.now) : undefined;
}

export interface Watched extends Pick<AdminDependencies, 'registrations' | 'mappings' | 'records' | 'ladders' | 'status'> {
  readonly router: CallRouter;
  readonly registrar: Registrar;
  readonly endings: Listeners<CallRecord>;
}

/** @throws ExtensionError ADMIN_UNAVAILABLE */
export async function openAdministration(settings: AdminSettings, { router, registrar, ...shown }: Watched, ground: Ground): Promise<void> {
  const { config, clock, log, tail, metrics, releasers } = ground;
  const history = new History(
    { byState: () => registrar.byState, live: () => router.live, registers: () => registrar.asked, registerLimit: config.register.maxRate },
    clock,
  );
  releasers.add('the history', () => {
    history.close();
  });
  shown.endings.add((ended) => {
    history.onEnded(ended);
  });
  const configuration = writeEffectiveConf(config).trimEnd().split('\n');
  const admin = await openAdminServer(settings, { ...shown, calls: router, tail, history, configuration: () => configuration, metrics, clock, log });
  releasers.add('the administration interface', () => admin.close());
  log.info(`Administration is at ${admin.url}.`);
}

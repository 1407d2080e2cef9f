/** The router of calls: what it asks, whom it tells of the end of each, and what counts them. */
import type { Listeners } from '../../base/listeners.js';
import { toDialling } from '../../calls/dialling.js';
import type { CallPorts } from '../../calls/ports.js';
import { CallRouter } from '../../calls/router.js';
import type { ExtensionHost } from '../../host/contract.js';
import type { Recording } from '../../ladder/recording.js';
import type { Metrics } from '../../observability/metrics.js';
import type { CallRecord } from '../../records/call-record.js';
import type { Ground } from './ground.js';

export interface CallSurroundings extends Required<Pick<CallPorts, 'mappings' | 'accounts' | 'journal'>> {
  readonly host: Pick<ExtensionHost, 'calls' | 'users'>;
  /** Told of each end. */
  readonly endings: Listeners<CallRecord>;
  readonly recording: Recording | undefined;
}

export function routeCalls({ host, endings, recording, ...lookups }: CallSurroundings, ground: Ground): CallRouter {
  const { nodeId, config, clock, log, metrics } = ground;
  const router = new CallRouter(
    { ...config.calls, ignoreContact: config.ignoreContact, webrtc: config.webrtc, dialling: toDialling(config.calls) },
    {
      ...lookups,
      host: recording === undefined ? host.calls : recorded(host.calls, recording),
      users: host.users,
      clock,
      log,
      onEnded: (ending) => {
        endings.tell({ ...ending, node: nodeId });
      },
      onRefused: countRefusals(metrics),
      recorder: recording,
    },
  );
  countEndings(metrics, endings);
  metrics.gauges('dialog_sip_calls', 'Calls', 'state', () => ({ live: router.live }));
  return router;
}

/** Every end of a call that the host was told of. */
function countEndings(metrics: Metrics, endings: Listeners<CallRecord>): void {
  const count = metrics.counter('dialog_sip_calls_ended_total', 'Calls that ended, by reason and by whose affair it was', ['direction', 'reason', 'class']);
  endings.add(({ direction, reason, class: owner }) => {
    count({ direction, reason, class: owner });
  });
}

/** Every INVITE that it never heard of. */
function countRefusals(metrics: Metrics): (status: number) => void {
  const count = metrics.counter('dialog_sip_invites_refused_total', 'INVITEs that the messenger did not hear of, by status', ['status']);
  return (status) => {
    count({ status: String(status) });
  };
}

/** The same sink, with each update kept before it is told. */
function recorded(host: ExtensionHost['calls'], recording: Recording): ExtensionHost['calls'] {
  return {
    update: (update) => {
      recording.onUpdate(update);
      return host.update(update);
    },
  };
}

/** The router of calls: what it asks, whom it tells of the end of each, and what counts them. */
import { AddressLimit, type AddressRates } from '../../base/address-limit.js';
import type { Listeners } from '../../base/listeners.js';
import { toDialling } from '../../calls/dialling.js';
import type { CallEnding, CallPorts } from '../../calls/ports.js';
import { CallRouter } from '../../calls/router.js';
import type { ExtensionHost } from '../../host/contract.js';
import type { Recording } from '../../ladder/recording.js';
import type { Metrics } from '../../observability/metrics.js';
import type { CallRecord } from '../../records/call-record.js';
import type { Ground } from './ground.js';

/** Records of INVITEs that the host never heard of: somebody who rings one account again and again, or many, fills no table. */
const refusalRates: AddressRates = {
  each: { perSecond: 1 / 6, burst: 20 },
  all: { perSecond: 10, burst: 200 },
  mostAddresses: 4_096,
};

export interface CallSurroundings extends Required<Pick<CallPorts, 'mappings' | 'accounts' | 'journal'>> {
  readonly host: Pick<ExtensionHost, 'calls' | 'users'>;
  /** Told of each end. */
  readonly endings: Listeners<CallRecord>;
  readonly recording: Recording | undefined;
}

export function routeCalls({ host, endings, recording, ...lookups }: CallSurroundings, ground: Ground): CallRouter {
  const { nodeId, config, clock, log, metrics } = ground;
  const countEnding = endingCounter(metrics);
  const countRefusal = metrics.counter('dialog_sip_invites_refused_total', 'INVITEs that the messenger did not hear of, by status', ['status']);
  const refusals = new AddressLimit(clock, refusalRates);
  const router = new CallRouter(
    { ...config.calls, ignoreContact: config.ignoreContact, webrtc: config.webrtc, dialling: toDialling(config.calls) },
    {
      ...lookups,
      host: recording === undefined ? host.calls : recorded(host.calls, recording),
      users: host.users,
      clock,
      log,
      onEnded: (ending) => {
        countEnding(ending);
        endings.tell({ ...ending, node: nodeId });
      },
      onRefused: (status, ending) => {
        countRefusal({ status: String(status) });
        if (ending !== undefined && refusals.admits(String(ending.mappingId))) endings.tell({ ...ending, node: nodeId });
      },
      recorder: recording,
    },
  );
  metrics.gauges('dialog_sip_calls', 'Calls', 'state', () => ({ live: router.live }));
  return router;
}

/** Every end of a call that the host was told of. */
function endingCounter(metrics: Metrics): (ending: CallEnding) => void {
  const count = metrics.counter('dialog_sip_calls_ended_total', 'Calls that ended, by reason and by whose affair it was', ['direction', 'reason', 'class']);
  return ({ direction, reason, class: owner }) => {
    count({ direction, reason, class: owner });
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

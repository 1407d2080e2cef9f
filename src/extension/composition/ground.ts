/** What everything that is wired stands on. */
import { hostname } from 'node:os';
import { systemClock, type Clock } from '../../base/clock.js';
import { Releasers } from '../../base/releasers.js';
import type { SipConfig } from '../../config/schema.js';
import type { ExtensionHost } from '../../host/contract.js';
import { keptIn, LogTail, type ExtensionLog } from '../../observability/log-tail.js';
import { Metrics } from '../../observability/metrics.js';

export interface Ground {
  readonly nodeId: string;
  readonly config: SipConfig;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: ExtensionLog;
  /** The end of the log, for the administration interface; empty without one. */
  readonly tail: LogTail;
  readonly metrics: Metrics;
  /** Whoever opens something adds its release. */
  readonly releasers: Releasers;
}

export function groundOf(config: SipConfig, logger: ExtensionHost['logger']): Ground {
  const clock = systemClock;
  const tail = new LogTail(clock);
  const own = logger.child({ component: 'sip' });
  const log = config.admin.on ? keptIn(tail, own) : own;
  const releasers = new Releasers((message) => log.error(message));
  return { nodeId: hostname(), config, clock, random: Math.random, log, tail, metrics: new Metrics(), releasers };
}

/** The SIP stack, with what sees its messages and counts what it holds and drops. */
import { second } from '../../base/units.js';
import type { Recording } from '../../ladder/recording.js';
import { messageTrace, type MessageTrace } from '../../observability/trace.js';
import { dropKinds } from '../../sip/guards/drops.js';
import { openSipStack } from '../../sip/stack.js';
import type { SipStack, SipStackEvents } from '../../sip/types.js';
import { version } from '../package-version.js';
import type { Ground } from './ground.js';

/** @throws ExtensionError SIP_TRANSPORT; ConfigError */
export async function openStack(recording: Recording | undefined, events: SipStackEvents, ground: Ground): Promise<SipStack> {
  const { config, clock, log, metrics, releasers } = ground;
  const dropped = metrics.counters('dialog_sip_dropped_total', 'What came from the wire and was not taken, by reason', 'kind', dropKinds);
  const stack = await openSipStack(
    {
      flows: { listen: config.listen, tls: config.listen.tls },
      advertisedHost: config.listen.advertisedHost,
      trusted: config.listen.trusted,
      ignoresContact: config.ignoreContact,
      sessionExpiresS: Math.floor(config.calls.sessionExpiresMs / second),
      statedIdentity: config.calls.statedIdentity,
      userAgent: `dialog-sip-extension/${version}`,
    },
    {
      clock,
      log,
      events,
      tap: bothOf(recording, messageTrace(config.traceLevel, log)),
      metrics: {
        dropped: (kind) => {
          dropped[kind].add();
        },
      },
    },
  );
  releasers.add('the SIP stack', () => stack.close());
  metrics.gauges('dialog_sip_stack', 'What the SIP stack holds', 'what', () => stack.usage());
  return stack;
}

/** Undefined when neither wants to hear, so that the hot path does not ask. */
function bothOf(...taps: (MessageTrace | undefined)[]): MessageTrace | undefined {
  const [first, second] = taps.filter((tap) => tap !== undefined);
  if (first === undefined || second === undefined) return first;
  return {
    onMessage: (direction, transport, peer, text) => {
      first.onMessage(direction, transport, peer, text);
      second.onMessage(direction, transport, peer, text);
    },
  };
}

/** The extension under test, started through its public contract alone, with a host that remembers. */
import { SipExtension } from '../../../src/index.js';
import type { ExtensionStatus, HostExtension } from '../../../src/host/contract.js';
import { FakeHost, type FakeHostOptions } from '../../support/fake-host.js';

export interface Subject {
  readonly extension: HostExtension;
  readonly host: FakeHost;
  /** Asks `status` until `test` holds. Rejects after `withinMs` with the status and the end of the log. */
  untilStatus(test: (status: ExtensionStatus) => boolean, withinMs?: number): Promise<ExtensionStatus>;
  stop(): Promise<void>;
}

/**
 * @param postgresql `services.postgresql`
 * @param sip `modules.sip`, over defaults that fit a spec: loopback, free ports, nothing drained for long
 */
export async function startSubject(
  postgresql: Record<string, unknown>,
  sip: Record<string, unknown> = {},
  options: FakeHostOptions = {},
): Promise<Subject> {
  const tree = {
    modules: {
      sip: {
        extension: SipExtension.id,
        ...sip,
        listen: { host: '127.0.0.1', 'udp-port': 0, 'tcp-port': 0, ...(sip.listen as Record<string, unknown> | undefined) },
      },
    },
    services: { postgresql },
  };
  const host = new FakeHost({ tree }, options);
  const extension = new SipExtension();
  await extension.init(host);
  return {
    extension,
    host,
    untilStatus: async (test, withinMs = 20_000) => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const status = extension.status();
        if (test(status)) return status;
        if (Date.now() > deadline) {
          throw new Error(`after ${withinMs} ms: ${JSON.stringify(status, undefined, 1)}\n${host.logText().slice(-4_000)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    stop: () => extension.stop({ drainMs: 0 }),
  };
}

/** Whether every registration stands. */
export function allRegistered(total: number): (status: ExtensionStatus) => boolean {
  return ({ registrations }) => registrations.total === total && registrations.byState.registered === total;
}

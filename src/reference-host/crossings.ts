/**
 * What crossed between the host, the extension and the registrar, in the order it happened: the demonstration's ladder is drawn
 * from these records and nothing else.
 */
import type { CallCommand, CallUpdate, HostExtension, HostUser } from '../index.js';
import type { PlaygroundMessage } from './playground/playground.js';

export type Crossing =
  | { kind: 'created'; user: HostUser }
  | { kind: 'command'; command: CallCommand }
  | { kind: 'update'; update: CallUpdate }
  | { kind: 'sip'; message: PlaygroundMessage };

/** The same extension, every crossing of the contract that a ladder shows told to `record` before it is passed on. */
export function observed(extension: HostExtension, record: (crossing: Crossing) => void): HostExtension {
  return {
    init: (host) =>
      extension.init({
        ...host,
        calls: {
          update: (update) => {
            record({ kind: 'update', update });
            return host.calls.update(update);
          },
        },
      }),
    onUserCreated: (user) => {
      record({ kind: 'created', user });
      return extension.onUserCreated(user);
    },
    onUserUpdated: (user) => extension.onUserUpdated(user),
    onUserDeleted: (user) => extension.onUserDeleted(user),
    onCall: (command) => {
      record({ kind: 'command', command });
      return extension.onCall(command);
    },
    status: () => extension.status(),
    stop: (options) => extension.stop(options),
  };
}

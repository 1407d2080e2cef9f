/** What the bench's three processes say to each other over Node's IPC: `main` asks, the peer and the subject answer. */

export interface PeerCommands {
  /** Tell when so many users have registered. */
  tellAt: { kind: 'tellAt'; registered: number };
  /** Answer REGISTERs from now on: until then they are left waiting, while the subject reads its rows. */
  open: { kind: 'open' };
  /** Call the registered contacts in turn. */
  call: { kind: 'call'; calls: number; atOnce: number };
}

export type PeerCommand = PeerCommands[keyof PeerCommands];

export type PeerReport =
  | { kind: 'listening'; port: number }
  | { kind: 'registered'; count: number }
  | { kind: 'called'; completed: number; failed: number }
  /** Something that must not happen: a wrong digest, a message that makes no sense. */
  | { kind: 'fault'; message: string };

export type SubjectCommand =
  | { kind: 'start'; tree: Record<string, unknown> }
  /** Where the processor's time stands. */
  | { kind: 'usage' }
  | { kind: 'call'; calls: number; atOnce: number; users: number; address: string }
  | { kind: 'stop' };

/** Of the subject's process since it began. */
export interface Usage {
  /** User and system together, milliseconds. */
  cpuMs: number;
  /** On a scale that never goes back, milliseconds. */
  wallMs: number;
  rssBytes: number;
}

export type SubjectReport =
  | { kind: 'ready' }
  | { kind: 'started' }
  | { kind: 'usage'; usage: Usage }
  | { kind: 'called'; completed: number; failed: number; firstFailure?: string }
  | { kind: 'stopped' }
  | { kind: 'fault'; message: string };

/** The peer's registrar checks every digest against this rule. */
export function benchPassword(user: string): string {
  return `secret-${user}`;
}

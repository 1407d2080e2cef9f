/** What the bench's processes say to each other over Node's IPC: `main` asks, the peer and the subject answer. */
import type { Pace } from './pace.js';

export interface PeerCommands {
  /** Tell when so many users have registered. */
  tellAt: { kind: 'tellAt'; registered: number };
  /** Answer REGISTERs from now on: until then they are left waiting, while the subject reads its rows. */
  open: { kind: 'open' };
  /** Call the registered contacts in turn. */
  call: { kind: 'call'; calls: number; pace: Pace; stay?: boolean };
  /** Look for messages that come again, from now on, until `repeats` is asked. */
  watch: { kind: 'watch' };
  repeats: { kind: 'repeats' };
}

export type PeerCommand = PeerCommands[keyof PeerCommands];

export type PeerReport =
  | { kind: 'listening'; port: number }
  | { kind: 'registered'; count: number }
  | { kind: 'called'; completed: number; failed: number }
  | { kind: 'repeats'; count: number }
  /** Something that must not happen: a wrong digest, a message that makes no sense. */
  | { kind: 'fault'; message: string };

/** What a subject is made of, and how many it registers at one time. */
export interface SubjectSettings {
  /** The extension's: its configuration. */
  tree?: Record<string, unknown>;
  /** The stack's: accounts of the peer on that port, so many in all; asked again, it adds what is missing. */
  accounts?: { port: number; count: number };
  atOnce: number;
}

export interface CallOrder {
  calls: number;
  pace: Pace;
  users: number;
  address: string;
  /** Calls are answered and left as they are. */
  stay?: boolean;
}

export type SubjectCommand =
  | { kind: 'start'; settings: SubjectSettings }
  /** Where the processor's time stands. */
  | { kind: 'usage' }
  /** What is reachable, after a collection. */
  | { kind: 'heap' }
  /** Look at the event loop's delay from now on, until `loop` is asked. */
  | { kind: 'watch' }
  | { kind: 'loop' }
  | ({ kind: 'call' } & CallOrder)
  | { kind: 'stop' };

/** Of the subject's process since it began. */
export interface Usage {
  /** User and system together, milliseconds. */
  cpuMs: number;
  /** On a scale that never goes back, milliseconds. */
  wallMs: number;
  rssBytes: number;
}

export interface LoopDelay {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export type SubjectReport =
  | { kind: 'ready' }
  | { kind: 'started' }
  | { kind: 'usage'; usage: Usage }
  | { kind: 'heap'; usedBytes: number }
  | { kind: 'loop'; delay: LoopDelay }
  | { kind: 'called'; completed: number; failed: number; firstFailure?: string }
  | { kind: 'stopped' }
  | { kind: 'fault'; message: string };

/** Parse that for a while. */
export interface ParseCommand {
  kind: 'parse';
  text: string;
}

export type ParseReport =
  | { kind: 'ready' }
  /** null: it cannot be read */
  | { kind: 'parsed'; perCpuSecond: number | null };

/** The peer's registrar checks every digest against this rule. */
export function benchPassword(user: string): string {
  return `secret-${user}`;
}

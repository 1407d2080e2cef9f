/** A router over fakes: two users with SIP accounts at one PBX, a host that writes down what it is told. */
import type { CallCommand, CallUpdate, HostUser } from '../../src/host/contract.js';
import { freeDialling } from '../../src/calls/dialling.js';
import type { CallEnding, CallJournal, CallSettings, MappingLookup, RoutableMapping } from '../../src/calls/ports.js';
import { CallRouter } from '../../src/calls/router.js';
import { audioSdp } from '../support/audio-sdp.js';
import { FakeAccount } from '../support/fake-sip.js';
import { ManualClock } from '../support/manual-clock.js';

export const offerSdp = audioSdp(1);
export const answerSdp = audioSdp(2);

export const settings: CallSettings = {
  setupTimeoutMs: 30_000,
  ringTimeoutMs: 60_000,
  candidateTimeoutMs: 2_000,
  ignoreContact: false,
  // Specs of what sessions do speak of descriptions by name; what the profile makes of descriptions is in media-passage.spec.
  maxPerUser: 0,
  maxPerMinute: 0,
  maxTotal: 0,
  dialling: freeDialling,
  webrtc: { audio: ['opus', 'pcma', 'pcmu'], video: ['vp8'], bundlePolicy: 'balanced', rtcpMuxPolicy: 'require', enforce: false },
};

export function mapping(id: number, changes: Partial<RoutableMapping> = {}): RoutableMapping {
  return {
    id,
    sipUser: String(430 + id),
    sipHost: 'pbx.example',
    sipPort: 5060,
    transport: 'udp',
    peer: { type: 1, id: 100 + id },
    canCall: true,
    canBeCalled: true,
    ...changes,
  };
}

export function lookup(mappings: readonly RoutableMapping[]): MappingLookup {
  return {
    get: (id) => mappings.find((entry) => entry.id === id),
    byPeer: (peer) => mappings.filter((entry) => entry.peer.type === peer.type && entry.peer.id === peer.id && entry.peer.strId === peer.strId),
    bySipUser: (user, host) =>
      mappings.filter(
        (entry) => entry.sipUser === user && (host === undefined || entry.sipHost.toLowerCase() === host.toLowerCase()),
      ),
  };
}

export interface World {
  router: CallRouter;
  clock: ManualClock;
  updates: CallUpdate[];
  endings: CallEnding[];
  /** The statuses of INVITEs that the host did not hear of. */
  refused: number[];
  /** The records of those. */
  refusals: CallEnding[];
  logged: { level: string; message: string }[];
  /** The account of mapping 1, user 101. */
  account: FakeAccount;
  accounts: Map<number, FakeAccount>;
  /** Of one call: its states, `incoming` and `ended`, as words. */
  told(callId: string): string[];
  ended(callId: string): Extract<CallUpdate, { type: 'ended' }>;
  create(changes?: Partial<Extract<CallCommand, { type: 'create' }>>): Promise<void>;
}

export interface WorldOptions {
  journal?: CallJournal;
  mappings?: readonly RoutableMapping[];
  settings?: Partial<CallSettings>;
  find?: (id: number) => Promise<HostUser | undefined>;
  onUpdate?: (update: CallUpdate, router: CallRouter) => void | Promise<void>;
}

export function world(options: WorldOptions = {}): World {
  const mappings = options.mappings ?? [mapping(1), mapping(2)];
  const accounts = new Map(mappings.map((entry) => [entry.id, new FakeAccount(entry.sipUser, entry.sipHost)]));
  const clock = new ManualClock();
  const updates: CallUpdate[] = [];
  const endings: CallEnding[] = [];
  const refused: number[] = [];
  const refusals: CallEnding[] = [];
  const logged: World['logged'] = [];
  const log = (level: string) => (message: string) => logged.push({ level, message });
  let incoming = 0;
  const router: CallRouter = new CallRouter(
    { ...settings, ...options.settings },
    {
      mappings: lookup(mappings),
      accounts: {
        accountOf: (id) => accounts.get(id),
        mappingIdOf: (account) => [...accounts].find(([, known]) => known === account)?.[0],
      },
      host: {
        update: (update) => {
          updates.push(update);
          return options.onUpdate?.(update, router);
        },
      },
      ...(options.find === undefined ? {} : { users: { find: options.find } }),
      clock,
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      onEnded: (ending) => endings.push(ending),
      onRefused: (status, ending) => {
        refused.push(status);
        if (ending !== undefined) refusals.push(ending);
      },
      ...(options.journal === undefined ? {} : { journal: options.journal }),
      random: () => 0.5,
      newCallId: () => `in-${String(++incoming)}`,
    },
  );
  return {
    router,
    clock,
    updates,
    endings,
    refused,
    refusals,
    logged,
    account: accounts.get(1) ?? new FakeAccount('none'),
    accounts,
    told: (callId) =>
      updates.filter((update) => update.callId === callId).map((update) => (update.type === 'state' ? update.state : update.type)),
    ended: (callId) => {
      const found = updates.filter((update) => update.callId === callId && update.type === 'ended');
      if (found.length !== 1) throw new Error(`call ${callId} was told ${String(found.length)} times that it ended`);
      return found[0] as Extract<CallUpdate, { type: 'ended' }>;
    },
    create: (changes = {}) =>
      router.onCall({
        type: 'create',
        callId: 'out-1',
        from: { type: 1, id: 101 },
        to: { address: '600' },
        description: { type: 'offer', sdp: offerSdp },
        ...changes,
      }),
  };
}

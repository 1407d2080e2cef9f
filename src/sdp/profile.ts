/**
 * The WebRTC profile of the SIP Integration Guide ("Prerequisites"), held against a session description of either side and applied to it:
 * only the wanted codecs, no candidates that mean nothing beyond the client's own network; m-lines keep their number and their order
 * (RFC 3264 section 8). Lines that the profile does not speak of stay as they are. Text in, text out; never throws.
 */
import { codecNames, keptFormats } from './codecs.js';
import { bundledMids, isHiddenCandidate, readDescription, type Description, type Section, type Transport } from './description.js';

export interface WebRtcProfile {
  /** Encoding names, lower case. */
  readonly audio: readonly string[];
  readonly video: readonly string[];
  /** `max-bundle`: several streams need a BUNDLE group round them all. */
  readonly bundlePolicy: 'balanced' | 'max-compat' | 'max-bundle';
  /** `negotiate`: streams without rtcp-mux pass. */
  readonly rtcpMuxPolicy: 'require' | 'negotiate';
}

/** Without one of these no call comes about. */
const lacks = ['media', 'codec', 'fingerprint', 'ice', 'rtcpMux', 'bundle'] as const;
export type Lack = (typeof lacks)[number];

/** The call may come about, and yet there is something to know. */
export type Caution =
  | 'hiddenCandidates' // every candidate was a name of mDNS
  | 'notSavpf'; // the m-line names another profile than RTP/SAVPF (RFC 5124)

/** One m-line of audio or video. */
export interface Stream {
  readonly kind: 'audio' | 'video';
  /** Names, each once. */
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** False: it was not wanted, or nothing was left of it. */
  readonly isLive: boolean;
  /** What this stream lacks. */
  readonly lacks: readonly Lack[];
  /** Those that stay, and those that were names of mDNS. */
  readonly candidates: number;
  readonly hidden: number;
}

export interface Verdict {
  /** The description as the profile leaves it; the very same text when there is nothing to change, or when it lacks something. */
  readonly sdp: string;
  /** Nothing: it may be handed on. */
  readonly lacks: readonly Lack[];
  readonly cautions: readonly Caution[];
  /** Each on its own; for people, since a call goes by what is above. */
  readonly streams: () => readonly Stream[];
}

/** A section as the profile sees it. */
interface Judged {
  readonly section: Section;
  /** Undefined: neither audio nor video over RTP; it is left alone. */
  readonly kind: 'audio' | 'video' | undefined;
  /** It came alive. */
  readonly isOffered: boolean;
  /** It goes on alive. */
  readonly isLive: boolean;
  /** Its formats that stay, in their order. */
  readonly kept: readonly string[];
}

/** Holds a description against the profile. */
export function applyProfile(sdp: string, profile: WebRtcProfile): Verdict {
  const description = readDescription(sdp);
  const judged = description.sections.map((section) => judge(section, profile, description));
  const streams = judged.filter(({ kind }) => kind !== undefined);
  const live = streams.filter(({ isLive }) => isLive);
  let tagged: ReadonlyMap<string, Transport> | undefined;
  const bundled = (mid: string): Transport | undefined => (tagged ??= bundleTransports(description, judged)).get(mid);
  const lacking = (one: Judged): Lack[] => lacksOf(one, description.session, bundled, profile);
  // A stream without a common codec is given up as long as another lives, but a call is not made a silent film; whatever else is missing spoils it.
  const missing = new Set((live.length === 0 || isSilenced(streams, profile) ? streams : live).flatMap(lacking));
  if (live.length === 0 && missing.size === 0) missing.add('media');
  if (profile.bundlePolicy === 'max-bundle' && live.length > 1 && !isOneBundle(live, description)) missing.add('bundle');
  return {
    sdp: missing.size > 0 ? sdp : rewrite(sdp, description, judged),
    lacks: missing.size > 0 ? lacks.filter((lack) => missing.has(lack)) : [],
    cautions: cautionsOf(live, streams),
    streams: () => streams.map((one) => describeStream(one, lacking(one))),
  };
}

/** There was to be audio, and nothing is left of it. */
function isSilenced(streams: readonly Judged[], { audio }: WebRtcProfile): boolean {
  const heard = streams.filter(({ kind, isOffered }) => kind === 'audio' && isOffered);
  return audio.length > 0 && heard.length > 0 && heard.every(({ isLive }) => !isLive);
}

function judge(section: Section, profile: WebRtcProfile, { bundles }: Description): Judged {
  const { type, port, protocol, mid, bundleOnly, formats } = section;
  // RFC 9143 section 6: port 0 and bundle-only is no refusal, but a stream without a port of its own.
  const isOffered = port > 0 || (bundleOnly && mid !== undefined && bundles.some((mids) => mids.includes(mid)));
  const kind = protocol.includes('RTP/') && (type === 'audio' || type === 'video') ? type : undefined;
  if (kind === undefined || !isOffered) return { section, kind, isOffered, isLive: isOffered, kept: [] };
  const stay = keptFormats(section, profile[kind]);
  const kept = formats.filter((format) => stay.has(format));
  return { section, kind, isOffered, isLive: kept.length > 0, kept };
}

function describeStream({ kind = 'audio', section, isOffered, isLive, kept }: Judged, lacking: readonly Lack[]): Stream {
  const { formats, candidates, hidden } = section;
  return {
    kind,
    kept: codecNames(section, kept),
    removed: isOffered ? codecNames(section, formats.filter((format) => !kept.includes(format))) : [],
    isLive,
    lacks: lacking,
    candidates: candidates - hidden,
    hidden,
  };
}

/** @param bundled the transport of the BUNDLE group that holds a mid */
function lacksOf(
  { section, isOffered, isLive }: Judged,
  session: Transport,
  bundled: (mid: string) => Transport | undefined,
  profile: WebRtcProfile,
): Lack[] {
  if (!isOffered) return [];
  const { transport, mid } = section;
  const has = (what: keyof Transport): boolean => transport[what] || session[what] || (mid !== undefined && bundled(mid)?.[what] === true);
  const found: Lack[] = isLive ? [] : ['codec'];
  if (!has('fingerprint')) found.push('fingerprint');
  if (!has('ufrag') || !has('password')) found.push('ice');
  if (profile.rtcpMuxPolicy === 'require' && !has('rtcpMux')) found.push('rtcpMux');
  return found;
}

/** For each bundled mid the transport that its section uses: of the first of its group that lives (RFC 9143 section 7.1.3). */
function bundleTransports(description: Description, judged: readonly Judged[]): ReadonlyMap<string, Transport> {
  const transports = new Map<string, Transport>();
  const byMid = new Map(judged.filter(({ isLive }) => isLive).map(({ section }) => [section.mid, section.transport]));
  for (const mids of description.bundles) {
    const transport = byMid.get(mids.find((mid) => byMid.has(mid)));
    if (transport !== undefined) for (const mid of mids) transports.set(mid, transport);
  }
  return transports;
}

function isOneBundle(live: readonly Judged[], { bundles }: Description): boolean {
  return bundles.some((mids) => live.every(({ section: { mid } }) => mid !== undefined && mids.includes(mid)));
}

function cautionsOf(live: readonly Judged[], streams: readonly Judged[]): Caution[] {
  const cautions: Caution[] = [];
  const isHidden = streams.some(({ section }) => section.hidden > 0) && streams.every(({ section }) => section.hidden === section.candidates);
  if (isHidden) cautions.push('hiddenCandidates');
  if (live.some(({ section }) => !section.protocol.endsWith('RTP/SAVPF'))) cautions.push('notSavpf');
  return cautions;
}

// ---- rewriting ----------------------------------------------------------------------------------

/** Lines that speak of one format. */
const formatLine = /^a=(?:rtpmap|fmtp|rtcp-fb|imageattr|framesize):([^ \t]+)(?:[ \t]|$)/;
/** RFC 8851 section 4: the formats that a restriction holds for. */
const restrictionLine = /^(a=rid:\S+ \S+ (?:[^ ]*;)?pt=)([^; ]+)(.*)$/;

function rewrite(sdp: string, description: Description, judged: readonly Judged[]): string {
  const { lines, newline, sections } = description;
  const dead = judged.filter(({ isLive }) => !isLive);
  // Most descriptions: nothing to take out, and no stream that may have to leave its group.
  if (dead.length === 0 && judged.every(staysAsItIs)) return sdp;
  const written: string[] = [];
  const midsOf = (some: readonly Judged[]): Set<string | undefined> => new Set(some.map(({ section }) => section.mid));
  const liveMids = midsOf(judged.filter(({ isLive }) => isLive));
  const deadMids = midsOf(dead);
  for (const line of lines.slice(0, sections[0]?.start)) {
    const mids = bundledMids(line);
    const left = mids?.filter((mid) => liveMids.has(mid) || !deadMids.has(mid));
    if (left === undefined || left.length === mids?.length) written.push(line);
    else if (left.length > 0) written.push(`a=group:BUNDLE ${left.join(' ')}`);
  }
  for (const one of judged) writeSection(lines, one, written);
  const changed = written.length !== lines.length || written.some((line, index) => line !== lines[index]);
  return changed ? written.join(newline) : sdp;
}

function staysAsItIs({ section, kind, isOffered, isLive, kept }: Judged): boolean {
  return kind === undefined || !isOffered || (isLive && section.hidden === 0 && kept.length === section.formats.length);
}

function writeSection(lines: readonly string[], judged: Judged, written: string[]): void {
  const { section, isLive, kept } = judged;
  const { start, end, type, port, protocol, formats } = section;
  if (staysAsItIs(judged)) {
    for (let index = start; index < end; index += 1) written.push(lines[index] ?? '');
    return;
  }
  // A refused m-line has to name some format (RFC 3264 section 6): its first.
  const left = isLive ? kept : formats.slice(0, 1);
  const stay = new Set(left);
  const removed = new Set(formats.filter((format) => !stay.has(format)));
  written.push(`m=${type} ${String(isLive ? port : 0)} ${protocol} ${left.join(' ')}`);
  for (let index = start + 1; index < end; index += 1) {
    const line = withoutFormats(lines[index] ?? '', removed);
    if (line === undefined || (line === 'a=bundle-only' && !isLive)) continue;
    if (line.startsWith('a=candidate:') && (!isLive || isHiddenCandidate(line))) continue;
    written.push(line);
  }
}

/** The line when it speaks of what stays; undefined when it speaks of removed formats alone. */
function withoutFormats(line: string, removed: ReadonlySet<string>): string | undefined {
  const format = formatLine.exec(line)?.[1];
  if (format !== undefined) return removed.has(format) ? undefined : line;
  const restriction = line.startsWith('a=rid:') ? restrictionLine.exec(line) : null;
  if (restriction === null) return line;
  const [, head = '', list = '', tail = ''] = restriction;
  const left = list.split(',').filter((entry) => !removed.has(entry));
  return left.length === 0 ? undefined : `${head}${left.join(',')}${tail}`;
}

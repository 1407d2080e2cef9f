/** What a session description comes to under the WebRTC profile, without a call: the operations behind `dialog-sip check-sdp`. */
import { readServerConf } from '../config/read.js';
import { toSipConfig, type SipConfig } from '../config/schema.js';
import { adviseSettings, cautionTable, pbxes, preflightTable, sayLacks, type Pbx } from '../sdp/preflight.js';
import { applyProfile, type Stream, type Verdict } from '../sdp/profile.js';

export interface SdpReport {
  /** A call with this description would be refused, or ended with `media`. */
  readonly isRefused: boolean;
  /** In words, lines of at most 80 columns. */
  readonly text: string;
}

const widest = 80;

/**
 * @param file a server.conf, whose `modules.sip.webrtc` is the profile; absent: the defaults
 * @throws ConfigError
 */
export async function checkSdp(sdp: string, file?: string): Promise<SdpReport> {
  const { webrtc } = toSipConfig(file === undefined ? { tree: {} } : await readServerConf(file));
  const verdict = applyProfile(unmasked(sdp), webrtc);
  const isRefused = verdict.lacks.length > 0 && webrtc.enforce;
  const paragraphs = [
    ...verdict.streams().map(describeStream),
    sayVerdict(verdict, webrtc),
    ...verdict.cautions.map((caution) => withSettings(`Note: ${cautionTable[caution].sentence}`, cautionTable[caution].settings)),
    ...verdict.lacks.map((lack) => withSettings(`For ${preflightTable[lack].what}:`, preflightTable[lack].settings)),
    ...(verdict.lacks.length > 1 ? [wrap(`Together: ${adviseSettings(verdict.lacks)}.`)] : []),
  ];
  return { isRefused, text: `${paragraphs.join('\n\n')}\n` };
}

/** The trace masks ICE passwords; in its place stands one that could be. */
export function unmasked(text: string): string {
  return text.replace(/^a=ice-pwd:\*{3}$/gm, `a=ice-pwd:${'*'.repeat(22)}`);
}

/** "audio: goes through with opus, pcma", and what was taken out. */
function describeStream({ kind, kept, removed, isLive, lacks, candidates, hidden }: Stream): string {
  const codecs = isLive ? `with ${kept.join(', ')}` : lacks.includes('codec') ? 'no wanted codec; port 0' : 'not wanted (port 0)';
  const lines = [`${kind}: ${codecs}`];
  if (removed.length > 0) lines.push(`codecs taken out: ${removed.join(', ')}`);
  if (isLive) lines.push(`candidates: ${candidates}${hidden === 0 ? '' : `, and ${hidden} of mDNS taken out`}`);
  return lines.map((line, index) => wrap(line, index === 0 ? '' : '  ')).join('\n');
}

function sayVerdict({ lacks }: Verdict, webrtc: SipConfig['webrtc']): string {
  if (lacks.length === 0) return 'It goes through.';
  const lacking = `it lacks ${sayLacks(lacks, webrtc)}.`;
  return wrap(webrtc.enforce ? `It would be refused: ${lacking}` : `It goes through, since webrtc.enforce is off, but ${lacking}`);
}

/** A sentence, and for each PBX what is to be set there. */
function withSettings(sentence: string, settings: Readonly<Record<Pbx, readonly string[]>>): string {
  const lines = pbxes
    .filter((pbx) => settings[pbx].length > 0)
    .map((pbx) => wrap(`${pbx.padEnd(longestPbx)}  ${settings[pbx].join(', ')}`, '    '));
  return [wrap(sentence), ...lines].join('\n');
}

const longestPbx = Math.max(...pbxes.map((pbx) => pbx.length));

/** Broken at blanks; lines after the first stand two columns further in. What comes from the description is made harmless to a terminal. */
function wrap(text: string, indent = ''): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.replace(/[\p{Cc}\p{Cf}]/gu, '?').split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > widest) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else {
      line += line.trim() === '' ? word : ` ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

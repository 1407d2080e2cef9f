/**
 * A session description (RFC 8866) cut into its lines and m-sections, with what the WebRTC profile reads of each. Text that is not
 * understood stays where it is and means nothing.
 */
import { readFormats, type Formats } from './formats.js';

/** What a stream needs to be carried over ICE and DTLS-SRTP. */
export interface Transport {
  /** `a=fingerprint` (RFC 8122). */
  fingerprint: boolean;
  /** `a=ice-ufrag` and `a=ice-pwd` (RFC 8839 section 5.4). */
  ufrag: boolean;
  password: boolean;
  /** `a=rtcp-mux` (RFC 5761 section 5.1.1). */
  rtcpMux: boolean;
}

/** One m-line and what stands below it. */
export interface Section {
  /** Indices into the lines: of the m-line, and of the line after the section's last. */
  readonly start: number;
  end: number;
  /** Of an m-line that is none: empty, and port 0. */
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  /** What `a=rtpmap` and `a=fmtp` say of them. */
  explained: Formats;
  readonly transport: Transport;
  mid: string | undefined;
  /** RFC 9143 section 6: with port 0, and alive nevertheless. */
  bundleOnly: boolean;
  candidates: number;
  /** Candidates whose address is a name of mDNS. */
  hidden: number;
}

export interface Description {
  readonly lines: readonly string[];
  /** What the lines end in. */
  readonly newline: string;
  readonly sections: readonly Section[];
  /** What stands above the first m-line and holds for every section. */
  readonly session: Transport;
  /** The mids of each `a=group:BUNDLE` (RFC 9143), of which no stream is in more than one. */
  readonly bundles: readonly (readonly string[])[];
}

/** Beyond any browser's and any PBX's; they bound what a stranger's 64 KB may cost. */
const maxLines = 2_048;
const maxSections = 64;
/** RTP has 128 payload types. */
const maxFormats = 128;

const lineEnd = /\r\n|\r|\n/;
/** RFC 8866 section 5.14, without a number of ports. */
const mediaLine = /^m=(\w*) (\d*) ([\w/]*)(?: (.*))?/;
const fingerprint = /^a=fingerprint:[\w-]+ [\dA-Fa-f]{2}(?::[\dA-Fa-f]{2})+$/;
/** The fifth word ends in `.local`. */
const hiddenCandidate = /^[^ ]*(?: [^ ]*){3} [^ ]*\.local\.?(?: |$)/i;
const bundleName = 'BUNDLE';
/** Of a section without `a=rtpmap`. */
const unexplained = readFormats('');

/** Takes any text; what is no description, or larger than any, has no sections. */
export function readDescription(sdp: string): Description {
  const newline = sdp.includes('\r\n') ? '\r\n' : '\n';
  const lines = sdp.split(lineEnd, maxLines + 1);
  const sections: Section[] = [];
  const session = noTransport();
  const bundles: string[][] = [];
  if (lines.length > maxLines) return { lines, newline, sections, session, bundles };
  let current: Section | undefined;
  let explaining = '';
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line.slice(2) : line.slice(2, colon);
      if (name === 'rtpmap' || name === 'fmtp') explaining += `${line}\n`;
      else if (current !== undefined) readOfSection(name, line, current);
      else if (name === 'group' && bundles.length < maxSections) readGroup(line.slice('a=group:'.length), bundles);
      else readTransport(name, line, session);
    } else if (line.startsWith('m=')) {
      if (sections.length === maxSections) return { lines, newline, sections: [], session, bundles: [] };
      if (current !== undefined) close(current, index, explaining);
      current = newSection(index, line);
      sections.push(current);
      explaining = '';
    }
  }
  if (current !== undefined) close(current, lines.length, explaining);
  return { lines, newline, sections, session, bundles };
}

/** The mids of a BUNDLE group; undefined for any other line. */
export function bundledMids(line: string): string[] | undefined {
  if (!line.startsWith(`a=group:${bundleName}`)) return undefined;
  const bundles: string[][] = [];
  readGroup(line.slice('a=group:'.length), bundles);
  return bundles[0];
}

/** Whether the address of an `a=candidate` is a name that only mDNS resolves: what a browser shows in place of a private address. */
export function isHiddenCandidate(line: string): boolean {
  return hiddenCandidate.test(line);
}

function noTransport(): Transport {
  return { fingerprint: false, ufrag: false, password: false, rtcpMux: false };
}

function newSection(start: number, line: string): Section {
  const [, type = '', port = '', protocol = '', payloads = ''] = mediaLine.exec(line) ?? [];
  const formats = payloads.split(' ', maxFormats + 1).filter((format) => format !== '');
  const isReadable = formats.length > 0 && formats.length <= maxFormats;
  return {
    start,
    end: start,
    type: isReadable ? type : '',
    port: isReadable ? Number(port) : 0,
    protocol,
    formats,
    explained: unexplained,
    transport: noTransport(),
    mid: undefined,
    bundleOnly: false,
    candidates: 0,
    hidden: 0,
  };
}

function close(section: Section, end: number, explaining: string): void {
  section.end = end;
  section.explained = readFormats(explaining);
}

function readOfSection(name: string, line: string, section: Section): void {
  switch (name) {
    case 'candidate':
      section.candidates += 1;
      if (isHiddenCandidate(line)) section.hidden += 1;
      return;
    case 'mid':
      section.mid = line.slice('a=mid:'.length);
      return;
    case 'bundle-only':
      section.bundleOnly = true;
      return;
    default:
      readTransport(name, line, section.transport);
  }
}

function readTransport(name: string, line: string, transport: Transport): void {
  switch (name) {
    case 'fingerprint':
      transport.fingerprint ||= fingerprint.test(line);
      return;
    case 'ice-ufrag':
      transport.ufrag ||= isCredential(line.length - 'a=ice-ufrag:'.length, 4);
      return;
    case 'ice-pwd':
      transport.password ||= isCredential(line.length - 'a=ice-pwd:'.length, 22);
      return;
    case 'rtcp-mux':
    case 'rtcp-mux-only':
      transport.rtcpMux = true;
  }
}

/** RFC 8839 section 5.4: 4 to 256 and 22 to 256 characters. */
function isCredential(length: number, least: number): boolean {
  return length >= least && length <= 256;
}

function readGroup(value: string, bundles: string[][]): void {
  const [semantics, ...mids] = value.split(' ', maxSections + 1);
  if (semantics === bundleName) bundles.push(mids.filter((mid) => mid !== ''));
}

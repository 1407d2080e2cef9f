/**
 * A session description (RFC 8866) cut into its lines and m-sections, with what the WebRTC profile reads of each. Text that is not
 * understood stays where it is and means nothing. sdp-transform reads the m-lines and the codecs; it is given those lines alone, since
 * every line that it does not know costs it a try of its whole grammar.
 */
import { parse } from 'sdp-transform';

/** `a=rtpmap`: what a format is. */
export interface Codec {
  /** Lower case: encoding names are compared without regard to case (RFC 8866 section 6.6). */
  readonly name: string;
  /** Clock rate, Hz. */
  readonly rate: number;
}

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
  /** By format: what `a=rtpmap` and `a=fmtp` say of it. Of two lines for one format the first counts. */
  readonly codecs: ReadonlyMap<string, Codec>;
  readonly parameters: ReadonlyMap<string, string>;
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
  /** The mids of each `a=group:BUNDLE` (RFC 9143). */
  readonly bundles: readonly (readonly string[])[];
}

/** Beyond any browser's and any PBX's; they bound what a stranger's 64 KB may cost. */
const maxLines = 2_048;
const maxSections = 64;
/** RTP has 128 payload types. */
const maxFormats = 128;

const lineEnd = /\r\n|\r|\n/;
const codecLine = /^a=(?:rtpmap|fmtp):\d+ ./;
const fingerprint = /^[\w-]+ [\dA-Fa-f]{2}(?::[\dA-Fa-f]{2})+$/;
const bundleName = 'BUNDLE';

/** Takes any text; what is no description, or larger than any, has no sections. */
export function readDescription(sdp: string): Description {
  const newline = sdp.includes('\r\n') ? '\r\n' : '\n';
  const lines = sdp.split(lineEnd, maxLines + 1);
  const sections: Section[] = [];
  const session = noTransport();
  const bundles: string[][] = [];
  const description = { lines, newline, sections, session, bundles };
  if (lines.length > maxLines || lines.filter((line) => line.startsWith('m=')).length > maxSections) return description;
  const read: readonly ReadMedia[] = parse(lines.filter((line) => line.startsWith('m=') || codecLine.test(line)).join('\n')).media;
  let current: Section | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('m=')) {
      if (current !== undefined) current.end = index;
      current = newSection(index, lines.length, read[sections.length]);
      sections.push(current);
    } else if (line.startsWith('a=')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line.slice(2) : line.slice(2, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1);
      readTransport(name, value, current?.transport ?? session);
      if (current !== undefined) readOfSection(name, value, current);
      else if (name === 'group') readGroup(value, bundles);
    }
  }
  return description;
}

/** The mids of a BUNDLE group; undefined for any other line. */
export function bundledMids(line: string): string[] | undefined {
  if (!line.startsWith(`a=group:${bundleName}`)) return undefined;
  const bundles: string[][] = [];
  readGroup(line.slice('a=group:'.length), bundles);
  return bundles[0];
}

/** Whether the address of a candidate is a name that only mDNS resolves: what a browser shows in place of a private address. */
export function isHiddenCandidate(value: string): boolean {
  const address = value.split(' ', 5)[4] ?? '';
  return /\.local\.?$/i.test(address.slice(-7));
}

function noTransport(): Transport {
  return { fingerprint: false, ufrag: false, password: false, rtcpMux: false };
}

/** What sdp-transform gives: numbers for whatever looks like one, and nothing for what it did not find. */
type Scalar = string | number | undefined;
interface ReadMedia {
  readonly type?: Scalar;
  readonly port?: Scalar;
  readonly protocol?: Scalar;
  readonly payloads?: Scalar;
  readonly rtp: readonly { readonly payload: Scalar; readonly codec: Scalar; readonly rate?: Scalar }[];
  readonly fmtp: readonly { readonly payload: Scalar; readonly config: Scalar }[];
}

function newSection(start: number, end: number, read: ReadMedia | undefined): Section {
  const { type, port, protocol, payloads, rtp, fmtp } = read ?? { rtp: [], fmtp: [] };
  const codecs = new Map<string, Codec>();
  for (const { payload, codec, rate } of rtp) {
    const format = String(payload);
    if (rate !== undefined && !codecs.has(format)) codecs.set(format, { name: String(codec).toLowerCase(), rate: Number(rate) });
  }
  const parameters = new Map<string, string>();
  for (const { payload, config } of fmtp) {
    const format = String(payload);
    if (!parameters.has(format)) parameters.set(format, String(config));
  }
  const formats = String(payloads ?? '').split(' ', maxFormats + 1).filter((format) => format !== '');
  const isReadable = formats.length > 0 && formats.length <= maxFormats;
  return {
    start,
    end,
    type: isReadable ? String(type ?? '') : '',
    port: isReadable ? Number(port ?? 0) : 0,
    protocol: String(protocol ?? ''),
    formats,
    codecs,
    parameters,
    transport: noTransport(),
    mid: undefined,
    bundleOnly: false,
    candidates: 0,
    hidden: 0,
  };
}

function readTransport(name: string, value: string, transport: Transport): void {
  switch (name) {
    case 'fingerprint':
      transport.fingerprint ||= fingerprint.test(value);
      return;
    // RFC 8839 section 5.4: 4 to 256 and 22 to 256 characters.
    case 'ice-ufrag':
      transport.ufrag ||= value.length >= 4 && value.length <= 256;
      return;
    case 'ice-pwd':
      transport.password ||= value.length >= 22 && value.length <= 256;
      return;
    case 'rtcp-mux':
    case 'rtcp-mux-only':
      transport.rtcpMux = true;
  }
}

function readOfSection(name: string, value: string, section: Section): void {
  switch (name) {
    case 'mid':
      section.mid = value;
      return;
    case 'bundle-only':
      section.bundleOnly = true;
      return;
    case 'candidate':
      section.candidates += 1;
      if (isHiddenCandidate(value)) section.hidden += 1;
  }
}

function readGroup(value: string, bundles: string[][]): void {
  const [semantics, ...mids] = value.split(' ', maxSections + 1);
  if (semantics === bundleName) bundles.push(mids.filter((mid) => mid !== ''));
}

/**
 * What the formats of an m-section are: its `a=rtpmap` and `a=fmtp` lines, read by sdp-transform. It is given those lines alone, since every
 * line that it does not know costs it a try of its whole grammar; and the same ones once, since a client says the same of its codecs in each of its calls.
 */
import { parse } from 'sdp-transform';

/** `a=rtpmap`: what a format is. */
export interface Codec {
  /** Lower case: encoding names are compared without regard to case (RFC 8866 section 6.6). */
  readonly name: string;
  /** Clock rate, Hz. */
  readonly rate: number;
}

/** By format. Of two lines for one format the first counts. */
export interface Formats {
  readonly codecs: ReadonlyMap<string, Codec>;
  /** What `a=fmtp` says. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** What sdp-transform gives: numbers for whatever looks like one, and nothing for what it did not find. */
type Scalar = string | number | undefined;
interface ReadMedia {
  readonly rtp: readonly { readonly payload: Scalar; readonly codec: Scalar; readonly rate?: Scalar }[];
  readonly fmtp: readonly { readonly payload: Scalar; readonly config: Scalar }[];
}

const readable = /^a=(?:rtpmap|fmtp):\d+ ./;

/** Texts read before, and what came of each. When it is full it is begun anew. A browser's longest has 3 KB. */
const known = new Map<string, Formats>();
const mostKnown = 64;
const longestKnown = 4_096;

/** @param text `a=rtpmap` and `a=fmtp` lines; what cannot be read of them means nothing */
export function readFormats(text: string): Formats {
  const before = known.get(text);
  if (before !== undefined) return before;
  const formats = read(text);
  if (text.length <= longestKnown) {
    if (known.size === mostKnown) known.clear();
    known.set(text, formats);
  }
  return formats;
}

function read(text: string): Formats {
  const lines = text.split('\n').filter((line) => readable.test(line));
  // An m-line, for sdp-transform puts what it reads below one.
  const media: ReadMedia | undefined = parse(['m=audio 9 RTP/AVP 0', ...lines].join('\n')).media[0];
  const codecs = new Map<string, Codec>();
  const parameters = new Map<string, string>();
  for (const { payload, codec, rate } of media?.rtp ?? []) {
    const format = String(payload);
    if (rate !== undefined && !codecs.has(format)) codecs.set(format, { name: String(codec).toLowerCase(), rate: Number(rate) });
  }
  for (const { payload, config } of media?.fmtp ?? []) {
    const format = String(payload);
    if (!parameters.has(format)) parameters.set(format, String(config));
  }
  return { codecs, parameters };
}

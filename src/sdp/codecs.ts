/**
 * Which formats of a stream stay when only some codecs are wanted: those codecs, and what serves them: telephone events and comfort
 * noise at their clock rates, retransmission, redundancy and forward error correction.
 */
import type { Section } from './description.js';
import type { Codec } from './formats.js';

/** RFC 3551 section 6: what these payload types mean without an `a=rtpmap`. */
export const staticCodecs: ReadonlyMap<string, Codec> = new Map([
  ['0', { name: 'pcmu', rate: 8_000 }],
  ['3', { name: 'gsm', rate: 8_000 }],
  ['4', { name: 'g723', rate: 8_000 }],
  ['8', { name: 'pcma', rate: 8_000 }],
  ['9', { name: 'g722', rate: 8_000 }],
  ['13', { name: 'cn', rate: 8_000 }],
  ['15', { name: 'g728', rate: 8_000 }],
  ['18', { name: 'g729', rate: 8_000 }],
  ['26', { name: 'jpeg', rate: 90_000 }],
  ['31', { name: 'h261', rate: 90_000 }],
  ['34', { name: 'h263', rate: 90_000 }],
]);

const retransmission = 'rtx';
const redundancy = 'red';
/** What serves every codec of its clock rate (RFC 4733, RFC 3389, RFC 5109, RFC 8627). */
const companions: ReadonlySet<string> = new Set(['telephone-event', 'cn', 'ulpfec', 'flexfec', 'flexfec-03']);

/** `apt=96` of RFC 4588 section 8.6. */
const associated = /(?:^|[ ;])apt=(\d+)/;
/** `111/111` of RFC 2198 section 5: the formats that are carried twice. */
const carried = /^\d[\d/]*$/;

/** The formats that stay, in any order; none when no wanted codec is there. */
export function keptFormats(section: Section, wanted: readonly string[]): ReadonlySet<string> {
  const formats = section.formats.map((format) => ({ format, codec: codecOf(section, format), config: section.explained.parameters.get(format) ?? '' }));
  const kept = new Set<string>();
  const rates = new Set<number>();
  for (const { format, codec } of formats) {
    if (codec === undefined || !wanted.includes(codec.name)) continue;
    kept.add(format);
    rates.add(codec.rate);
  }
  // What serves others is judged after what it serves: first what goes by the clock rate, then redundancy, then retransmission.
  const servesRate = (codec: Codec, config: string): boolean =>
    rates.has(codec.rate) && (companions.has(codec.name) || (codec.name === redundancy && !carried.test(config)));
  keepMore(formats, kept, servesRate);
  keepMore(formats, kept, ({ name }, config) => name === redundancy && carried.test(config) && config.split('/').every((format) => kept.has(format)));
  keepMore(formats, kept, ({ name }, config) => name === retransmission && kept.has(associated.exec(config)?.[1] ?? ''));
  return kept;
}

/** The names of those formats, each once, in their order; a format that nothing explains goes by its number. */
export function codecNames(section: Section, formats: readonly string[]): string[] {
  return [...new Set(formats.map((format) => codecOf(section, format)?.name ?? format))];
}

function keepMore(
  formats: readonly { readonly format: string; readonly codec: Codec | undefined; readonly config: string }[],
  kept: Set<string>,
  serves: (codec: Codec, config: string) => boolean,
): void {
  const more = formats.filter(({ codec, config }) => codec !== undefined && serves(codec, config));
  for (const { format } of more) kept.add(format);
}

function codecOf({ explained }: Section, format: string): Codec | undefined {
  return explained.codecs.get(format) ?? staticCodecs.get(format);
}

/**
 * Candidates that were gathered apart from their description, put where they belong in it (RFC 8839, RFC 8840). Pure text
 * in, text out; lines that are there already stay byte for byte as they are.
 */
import { ExtensionError } from '../base/errors.js';
import type { IceCandidate } from '../host/contract.js';

/** `candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host`, with or without `a=`: one line of printable ASCII, no CR, no LF. */
const candidateLine = /^(?:a=)?candidate:[\x20-\x7e]+$/;

/** Browsers end a generation with an empty candidate: it is no line, and no error. */
export function isCandidate(text: string): boolean {
  return text === '' || candidateLine.test(text);
}

interface Section {
  /** Index of the line after the section's last. */
  end: number;
  mid: string | undefined;
  /** What is to be written at the end of the section. */
  added: string[];
  hasCandidates: boolean;
  hasEnd: boolean;
}

/**
 * The description with each candidate at the end of the m-section it names by `sdpMid`, else by `sdpMLineIndex`, else of the
 * first. A candidate that names a section which is not there, or stands there already, is left out.
 * @param complete no more will come: `a=end-of-candidates` closes each section that has candidates (RFC 8840 section 8.2)
 * @throws ExtensionError COMMAND_INVALID for a candidate that is not one line
 */
export function withCandidates(sdp: string, candidates: readonly IceCandidate[], complete: boolean): string {
  const newline = sdp.includes('\r\n') ? '\r\n' : '\n';
  const lines = sdp.split(/\r?\n/);
  const trailing = lines.at(-1) === '';
  if (trailing) lines.pop();

  const sections = sectionsOf(lines);
  const present = new Set(lines);
  for (const { candidate, sdpMid, sdpMLineIndex } of candidates) {
    if (!isCandidate(candidate)) {
      throw new ExtensionError('COMMAND_INVALID', 'A candidate is not one line that starts with "candidate:".');
    }
    if (candidate === '') continue;
    const line = candidate.startsWith('a=') ? candidate : `a=${candidate}`;
    const section = findSection(sections, sdpMid ?? undefined, sdpMLineIndex ?? undefined);
    // The same candidate may serve several sections: what counts as there already is the section's own.
    if (section === undefined || section.added.includes(line) || (present.has(line) && holds(lines, sections, section, line))) {
      continue;
    }
    section.added.push(line);
    section.hasCandidates = true;
  }

  const result: string[] = [];
  let from = 0;
  for (const section of sections) {
    result.push(...lines.slice(from, section.end), ...section.added);
    if (complete && section.hasCandidates && !section.hasEnd) result.push('a=end-of-candidates');
    from = section.end;
  }
  result.push(...lines.slice(from));
  return result.join(newline) + (trailing ? newline : '');
}

function sectionsOf(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  let current: Section | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('m=')) {
      if (current !== undefined) current.end = index;
      current = { end: lines.length, mid: undefined, added: [], hasCandidates: false, hasEnd: false };
      sections.push(current);
    } else if (current === undefined) {
      continue;
    } else if (line.startsWith('a=mid:')) {
      current.mid = line.slice('a=mid:'.length);
    } else if (line.startsWith('a=candidate:')) {
      current.hasCandidates = true;
    } else if (line === 'a=end-of-candidates') {
      current.hasEnd = true;
    }
  }
  return sections;
}

function findSection(sections: readonly Section[], mid: string | undefined, index: number | undefined): Section | undefined {
  if (mid === undefined && index === undefined) return sections[0];
  const named = mid === undefined ? undefined : sections.find((section) => section.mid === mid);
  return named ?? (index === undefined ? undefined : sections[index]);
}

function holds(lines: readonly string[], sections: readonly Section[], section: Section, line: string): boolean {
  const start = sections[sections.indexOf(section) - 1]?.end ?? 0;
  return lines.slice(start, section.end).includes(line);
}

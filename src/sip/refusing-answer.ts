/** The answer that takes no stream of an offer (RFC 3264 6): what refuses an offer where no status can. */
import { originOf } from './session-body.js';

/** RFC 8866 5.14: media, port and number of ports, protocol, formats. */
const mediaLine = /^m=(\S+) \d+(?:\/\d+)? (.+)$/gm;
/** RFC 8866 5.2: user and number of the session, its version, and where it is. */
const originLine = /^(o=\S+ \d+) (\d{1,19}) (.+)$/;

/** @param before what we said last: the answer is a later version of the same session (RFC 3264 8) */
export function refusingAnswer(offer: string, before: string): string {
  const refused = [...offer.matchAll(mediaLine)].map(([, media = '', rest = '']) => `m=${media} 0 ${rest}`);
  return ['v=0', nextOrigin(originOf(before) ?? ''), 's=-', 'c=IN IP4 0.0.0.0', 't=0 0', ...refused, ''].join('\r\n');
}

function nextOrigin(line: string): string {
  const [, session = 'o=- 1', version = '0', place = 'IN IP4 0.0.0.0'] = originLine.exec(line) ?? [];
  return `${session} ${String(BigInt(version) + 1n)} ${place}`;
}

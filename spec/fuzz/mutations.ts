/** Ways to spoil a message: of its bytes, of its lines, of its values. */
import type { Random } from './random.js';

export const mostBytes = 65_507;

/** What a peer that means no good, or was written badly, puts where something else should stand. */
const nasty = [
  '', ' ', '\t', '\0', '"', '\\', '"\\', '<', '>', '<>', ';', ';;', ',', ',,', ':', '@', '%', '%00', '%zz', '%25', '*', '=', '[', '[::1]', '()', '\r\n ', '\r\n\t', 'ü', '\ud83d\ude00', '\x80', '\xff', '__proto__', 'constructor', 'toString',
  '-1', '0', '1', '255', '256', '65536', '2147483647', '2147483648', '4294967295', '4294967296', '99999999999999999999', 'NaN', '1e9', '0x10',
  'sip:', 'sips:a@b', 'tel:+1', 'urn:x:y', 'sip:@', 'sip:a@', 'sip:a@b:99999', 'sip:%00@b', 'sip:a@b;lr', '<sip:a@b;lr>', '<sip:a@b>;tag=', '<sip:a@b>;tag=x;tag=y', '"a" <sip:a@b', 'SIP/2.0', 'SIP/2.0/UDP', 'SIP/2.0/UDP h;branch=z9hG4bK',
  '100rel', 'application/sdp', 'multipart/mixed;boundary=x', 'multipart/mixed', 'session;handling=optional', 'Digest', 'Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=SHA-256-sess', 'Basic x', 'SIP;cause=200;text="', '1 1 INVITE',
];

const headerNames = [
  'Via', 'v', 'From', 'f', 'To', 't', 'Call-ID', 'i', 'CSeq', 'Contact', 'm', 'Content-Length', 'l', 'Content-Type', 'c', 'Content-Disposition', 'Content-Encoding', 'e', 'Max-Forwards', 'Route', 'Record-Route', 'Require', 'Supported', 'k', 'RSeq', 'RAck',
  'Expires', 'Min-Expires', 'Min-SE', 'Session-Expires', 'x', 'Retry-After', 'Reason', 'WWW-Authenticate', 'Proxy-Authenticate', 'Authentication-Info', 'Refer-To', 'r', 'Replaces', 'Event', 'Subscription-State', 'Accept', 'Allow', 'P-Asserted-Identity', '__proto__',
];

const methods = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'NOTIFY', 'SUBSCRIBE', 'MESSAGE', 'PUBLISH', 'x', '__proto__'];

type Mutation = (bytes: Buffer, random: Random, other: () => Buffer) => Buffer;

const ofBytes: readonly Mutation[] = [
  function flip(bytes, random) {
    const changed = Buffer.from(bytes);
    for (let times = 1 + random.below(4); times > 0; times -= 1) {
      const at = random.below(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
    }
    return changed;
  },
  function set(bytes, random) {
    const changed = Buffer.from(bytes);
    changed[random.below(changed.length)] = random.isLucky(0.5) ? random.below(256) : random.pick([0, 9, 10, 13, 32, 34, 37, 44, 59, 60, 62, 92, 127, 128, 255]);
    return changed;
  },
  function cut(bytes, random) {
    const from = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(60))]);
  },
  function double(bytes, random) {
    const from = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, from + 1 + random.below(200)), bytes.subarray(from)]);
  },
  function repeat(bytes, random) {
    const from = random.below(bytes.length);
    const piece = bytes.subarray(from, from + 1 + random.below(30));
    const times = random.isLucky(0.1) ? mostBytes / piece.length : 1 + random.below(300);
    return Buffer.concat([bytes.subarray(0, from), Buffer.alloc(Math.floor(times) * piece.length, piece), bytes.subarray(from)]);
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, 1 + random.below(bytes.length));
  },
  function splice(bytes, random, other) {
    const tail = other();
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length)), tail.subarray(random.below(tail.length))]);
  },
];

type LineMutation = (lines: string[], random: Random, other: () => Buffer) => void;

const ofLines: readonly LineMutation[] = [
  function drop(lines, random) {
    lines.splice(random.below(lines.length), 1);
  },
  function double(lines, random) {
    const line = random.pick(lines);
    lines.splice(random.below(lines.length + 1), 0, ...Array.from({ length: random.isLucky(0.05) ? 400 : 1 }, () => line));
  },
  function swap(lines, random) {
    const [one, two] = [random.below(lines.length), random.below(lines.length)];
    [lines[one], lines[two]] = [lines[two] ?? '', lines[one] ?? ''];
  },
  function borrow(lines, random, other) {
    lines.splice(1 + random.below(lines.length), 0, random.pick(linesOf(other())));
  },
  function exchangeValues(lines, random) {
    const [one, two] = [random.below(lines.length), random.below(lines.length)];
    const [a, b] = [lines[one] ?? '', lines[two] ?? ''];
    lines[one] = `${nameOf(a)}:${b.slice(nameOf(b).length + 1)}`;
    lines[two] = `${nameOf(b)}:${a.slice(nameOf(a).length + 1)}`;
  },
  function setValue(lines, random) {
    const at = 1 + random.below(Math.max(1, lines.length - 1));
    lines[at] = `${nameOf(lines[at] ?? '')}: ${random.pick(nasty)}`;
  },
  function addHeader(lines, random) {
    lines.splice(1 + random.below(lines.length), 0, `${random.pick(headerNames)}: ${random.pick(nasty)}`);
  },
  function rename(lines, random) {
    const at = 1 + random.below(Math.max(1, lines.length - 1));
    const line = lines[at] ?? '';
    lines[at] = `${random.pick(headerNames)}${line.slice(nameOf(line).length)}`;
  },
  function insert(lines, random) {
    const at = random.below(lines.length);
    const line = lines[at] ?? '';
    const into = random.below(line.length + 1);
    lines[at] = line.slice(0, into) + random.pick(nasty) + line.slice(into + random.below(6));
  },
  function number(lines, random) {
    const at = random.below(lines.length);
    lines[at] = (lines[at] ?? '').replace(/\d+/, random.pick(['-1', '0', '1', '2', '70', '256', '65536', '4294967296', '99999999999999999999']));
  },
  function method(lines, random) {
    const other = random.pick(methods);
    const isBoth = random.isLucky(0.7);
    lines.forEach((line, at) => {
      if (at === 0 && !line.startsWith('SIP/')) lines[at] = line.replace(/^[^ ]*/, other);
      else if (isBoth && /^cseq/i.test(line)) lines[at] = line.replace(/[A-Z]+$/, other);
    });
  },
  function status(lines, random) {
    if (lines[0]?.startsWith('SIP/') === true) lines[0] = `SIP/2.0 ${random.pick([100, 101, 180, 183, 199, 200, 202, 299, 300, 302, 380, 400, 401, 407, 408, 420, 423, 481, 482, 487, 488, 491, 494, 500, 503, 600, 603, 699])} x`;
  },
];

function nameOf(line: string): string {
  const colon = line.indexOf(':');
  return colon < 0 ? line : line.slice(0, colon);
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString('latin1').split('\r\n');
}

/** `bytes` with one to four things wrong. */
export function spoil(bytes: Buffer, random: Random, other: () => Buffer): Buffer {
  let spoilt = bytes;
  for (let times = 1 + random.below(4); times > 0; times -= 1) {
    if (spoilt.length === 0) break;
    if (random.isLucky(0.35)) {
      spoilt = random.pick(ofBytes)(spoilt, random, other);
      continue;
    }
    const text = spoilt.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    const lines = (end < 0 ? text : text.slice(0, end)).split('\r\n');
    random.pick(ofLines)(lines, random, other);
    spoilt = Buffer.from(lines.join('\r\n') + (end < 0 ? '' : text.slice(end)), 'latin1');
  }
  return spoilt.length > mostBytes ? spoilt.subarray(0, mostBytes) : spoilt;
}

/** `bytes` in pieces, as a stream may bring them. */
export function chop(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  while (from < bytes.length) {
    const to = from + 1 + random.below(random.isLucky(0.2) ? 5 : bytes.length);
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

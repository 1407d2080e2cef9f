/**
 * A ladder as a packet trace (pcapng, draft-ietf-opsawg-pcapng) that Wireshark opens: each SIP message as one UDP datagram, whatever it came by,
 * because what was on a stream or under TLS is here as it was before. What messenger and extension said stands as a comment on the
 * message after it, and what is recorded of our own address is nothing, so a documentation address stands for it (RFC 5737, RFC 3849).
 */
import { isIPv6 } from 'node:net';
import type { Ladder } from './ladder.js';

const ourPort = 5060;
const linkTypeRawIp = 101;
const udp = 17;

export function drawPcapng(ladder: Ladder): Buffer {
  const blocks = [sectionHeader(), interfaceDescription()];
  let comments: string[] = [];
  for (const step of ladder.steps) {
    if (step.wire === undefined) {
      comments.push(`${ladder.lanes[step.from] ?? ''} -> ${ladder.lanes[step.to] ?? ''}: ${step.label}`);
      continue;
    }
    const notes = [...comments, ...(step.failing && ladder.sentence !== undefined ? [ladder.sentence] : [])];
    comments = [];
    blocks.push(enhancedPacket(step.at, datagram(step.wire.direction, step.wire.peer, withLength(step.text)), notes));
  }
  return Buffer.concat(blocks);
}

/** Secrets were taken out, so the body may be shorter than it says. */
function withLength(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return text;
  const length = Buffer.byteLength(text.slice(end + 4));
  return text.slice(0, end).replace(/^(content-length|l)([ \t]*:[ \t]*)\d+/im, `$1$2${length}`) + text.slice(end);
}

function sectionHeader(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8);
  return block(0x0a0d0d0a, body);
}

function interfaceDescription(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(linkTypeRawIp, 0);
  return block(1, body);
}

/** Times are microseconds, the default of an interface. */
function enhancedPacket(at: number, packet: Buffer, comments: readonly string[]): Buffer {
  const head = Buffer.alloc(20);
  const micros = BigInt(Math.round(at * 1_000));
  head.writeUInt32LE(Number(micros >> 32n), 4);
  head.writeUInt32LE(Number(micros & 0xffffffffn), 8);
  head.writeUInt32LE(packet.length, 12);
  head.writeUInt32LE(packet.length, 16);
  const options = comments.map((comment) => option(1, Buffer.from(comment)));
  return block(6, Buffer.concat([head, padded(packet), ...options, ...(options.length > 0 ? [option(0, Buffer.alloc(0))] : [])]));
}

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(Math.min(value.length, 0xffff), 2);
  return Buffer.concat([head, padded(value.subarray(0, 0xffff))]);
}

function block(type: number, body: Buffer): Buffer {
  const [head, tail] = [Buffer.alloc(8), Buffer.alloc(4)];
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(body.length + 12, 4);
  tail.writeUInt32LE(body.length + 12, 0);
  return Buffer.concat([head, body, tail]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** An IP packet with one UDP datagram. @param peer `192.0.2.4:5060`, `[2001:db8::4]:5060` */
function datagram(direction: 'in' | 'out', peer: string, text: string): Buffer {
  const colon = peer.lastIndexOf(':');
  const address = peer.slice(0, colon).replace(/^\[|\]$/g, '');
  const theirs = { address: addressBytes(address), port: Number(peer.slice(colon + 1)) || ourPort };
  const ours = { address: addressBytes(theirs.address.length === 16 ? '2001:db8::1' : '192.0.2.1'), port: ourPort };
  const [from, to] = direction === 'in' ? [theirs, ours] : [ours, theirs];
  const payload = Buffer.from(text);
  const segment = Buffer.alloc(8);
  segment.writeUInt16BE(from.port, 0);
  segment.writeUInt16BE(to.port, 2);
  segment.writeUInt16BE(Math.min(payload.length + 8, 0xffff), 4);
  const whole = Buffer.concat([segment, payload]);
  return Buffer.concat([from.address.length === 16 ? ipv6Header(whole.length, from.address, to.address) : ipv4Header(whole.length, from.address, to.address), whole]);
}

function ipv4Header(length: number, from: Buffer, to: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(Math.min(length + 20, 0xffff), 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(udp, 9);
  const whole = Buffer.concat([header, from, to]);
  let sum = 0;
  for (let index = 0; index < whole.length; index += 2) sum += whole.readUInt16BE(index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  whole.writeUInt16BE(~sum & 0xffff, 10);
  return whole;
}

function ipv6Header(length: number, from: Buffer, to: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(Math.min(length, 0xffff), 4);
  header.writeUInt8(udp, 6);
  header.writeUInt8(64, 7);
  return Buffer.concat([header, from, to]);
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const all = tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  const bytes = Buffer.alloc(16);
  all.forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

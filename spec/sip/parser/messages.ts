/** Messages for the parser's specs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ParseFault } from '../../../src/sip/parser/fault.js';
import { isParseFault } from '../../../src/sip/parser/fault.js';
import { ParsedRequest, ParsedResponse } from '../../../src/sip/parser/message.js';
import { parseMessage } from '../../../src/sip/parser/parse-message.js';

const folder = fileURLToPath(new URL('../../../fixtures/sip/', import.meta.url));

export interface Fixture {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Every message under fixtures/sip. */
export function allFixtures(): Fixture[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

export function fixture(name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** Lines to a message; `body` follows the empty line. */
export function message(lines: readonly string[], body = ''): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A request that is right, with lines replaced or added by their header's name; `undefined` leaves one out. */
export function request(changes: Readonly<Record<string, string | undefined>> = {}, options: { startLine?: string; body?: string } = {}): Buffer {
  const headers: Record<string, string | undefined> = {
    Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport',
    From: '<sip:a@example.com>;tag=f',
    To: '<sip:b@example.com>',
    'Call-ID': 'id@example.com',
    CSeq: '1 INVITE',
    'Max-Forwards': '70',
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return message([options.startLine ?? 'INVITE sip:b@example.com SIP/2.0', ...lines], options.body);
}

export function parsedRequest(bytes: Buffer): ParsedRequest {
  const outcome = parseMessage(bytes);
  if (!(outcome instanceof ParsedRequest)) throw new Error(isParseFault(outcome) ? outcome.fault : 'a response');
  return outcome;
}

export function parsedResponse(bytes: Buffer): ParsedResponse {
  const outcome = parseMessage(bytes);
  if (!(outcome instanceof ParsedResponse)) throw new Error(isParseFault(outcome) ? outcome.fault : 'a request');
  return outcome;
}

export function faultOf(bytes: Buffer): ParseFault {
  const outcome = parseMessage(bytes);
  if (!isParseFault(outcome)) throw new Error('the message is right');
  return outcome;
}

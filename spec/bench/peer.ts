/**
 * The far end of the bench, in a process of its own: a registrar that challenges every registration, a UAS that answers
 * every call at once, and a UAC that calls whoever registered. Written for speed, with string templates over one UDP
 * socket, and for a peer that behaves: it is no example of a SIP element. Every digest is checked, so that no
 * registration counts that a real registrar would have refused.
 */
import { createHash } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { webrtcAnswer, webrtcOffer } from '../interop/support/sdp.js';
import { beginCalls } from './pace.js';
import { benchPassword, type PeerCommand, type PeerReport } from './protocol.js';

interface Message {
  /** Method, or the status as text. */
  start: string;
  line: string;
  vias: string[];
  from: string;
  to: string;
  callId: string;
  cseq: string;
  contact: string;
  authorization: string;
}

interface OwnCall {
  contact: string;
  address: string;
  port: number;
  remoteTo: string;
  acknowledged: boolean;
}

const realm = 'bench';
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
const contacts = new Map<string, { uri: string; address: string; port: number }>();
const tellAt = new Set<number>();
const calls = new Map<string, OwnCall>();
let own = '';
let isOpen = false;
let callSequence = 0;
/** Messages since somebody asked to watch, and how many of them came again. */
let seen: Set<string> | undefined;
let repeats = 0;
let running: { left: number; open: number; completed: number; failed: number; users: string[]; isPaced: boolean; stay: boolean } | undefined;

function report(message: PeerReport): void {
  process.send?.(message);
}

function parse(text: string): Message | undefined {
  const message: Message = { start: '', line: '', vias: [], from: '', to: '', callId: '', cseq: '', contact: '', authorization: '' };
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end < 0 ? text.length : end).split('\r\n');
  message.line = lines[0] ?? '';
  message.start = message.line.startsWith('SIP/2.0 ') ? message.line.slice(8, 11) : message.line.slice(0, message.line.indexOf(' '));
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case 'via':
      case 'v':
        message.vias.push(value);
        break;
      case 'from':
      case 'f':
        message.from = value;
        break;
      case 'to':
      case 't':
        message.to = value;
        break;
      case 'call-id':
      case 'i':
        message.callId = value;
        break;
      case 'cseq':
        message.cseq = value;
        break;
      case 'contact':
      case 'm':
        message.contact = value;
        break;
      case 'authorization':
        message.authorization = value;
        break;
    }
  }
  return message.callId === '' ? undefined : message;
}

function between(text: string, before: string, after: string): string {
  const start = text.indexOf(before);
  if (start < 0) return '';
  const end = text.indexOf(after, start + before.length);
  return text.slice(start + before.length, end < 0 ? text.length : end);
}

function reply(request: Message, to: RemoteInfo, status: string, more = '', body = ''): void {
  const tag = request.to.includes(';tag=') || status.startsWith('100') ? '' : ';tag=peer';
  socket.send(
    `SIP/2.0 ${status}\r\nVia: ${request.vias.join('\r\nVia: ')}\r\nFrom: ${request.from}\r\nTo: ${request.to}${tag}\r\n` +
      `Call-ID: ${request.callId}\r\nCSeq: ${request.cseq}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`,
    to.port,
    to.address,
  );
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function isAnswered(authorization: string, user: string): boolean {
  const field = (name: string): string => between(authorization, `${name}="`, '"');
  const bare = (name: string): string => between(authorization, `${name}=`, ',').trim();
  const ha1 = md5(`${user}:${realm}:${benchPassword(user)}`);
  const ha2 = md5(`REGISTER:${field('uri')}`);
  const expected = md5(`${ha1}:${field('nonce')}:${bare('nc')}:${field('cnonce')}:auth:${ha2}`);
  return field('response') === expected;
}

function register(request: Message, from: RemoteInfo): void {
  const user = between(request.to, 'sip:', '@');
  if (request.authorization === '') {
    const challenge = `WWW-Authenticate: Digest realm="${realm}", nonce="${request.callId.length}${Date.now()}", algorithm=MD5, qop="auth"\r\n`;
    reply(request, from, '401 Unauthorized', challenge);
    return;
  }
  if (!isAnswered(request.authorization, user)) {
    report({ kind: 'fault', message: `the digest of ${user} is wrong` });
    reply(request, from, '403 Forbidden');
    return;
  }
  reply(request, from, '200 OK', `Contact: ${request.contact.includes('expires=') ? request.contact : `${request.contact};expires=3600`}\r\nExpires: 3600\r\n`);
  contacts.set(user, { uri: between(request.contact, '<', '>'), address: from.address, port: from.port });
  if (tellAt.delete(contacts.size)) report({ kind: 'registered', count: contacts.size });
}

function invite(request: Message, from: RemoteInfo): void {
  const contact = `Contact: <sip:peer@${own}>\r\n`;
  reply(request, from, '100 Trying');
  reply(request, from, '180 Ringing', contact);
  reply(request, from, '200 OK', `${contact}Content-Type: application/sdp\r\n`, webrtcAnswer.sdp);
}

function callNext(): void {
  const state = running;
  if (state === undefined || state.left === 0) return;
  const user = state.users[state.left % state.users.length] ?? '';
  const contact = contacts.get(user);
  if (contact === undefined) throw new Error(`${user} never registered`);
  state.left -= 1;
  state.open += 1;
  callSequence += 1;
  const callId = `${callSequence}@bench`;
  calls.set(callId, { contact: contact.uri, address: contact.address, port: contact.port, remoteTo: `<sip:${user}@${own}>`, acknowledged: false });
  request('INVITE', callId, 1, `Contact: <sip:peer@${own}>\r\nContent-Type: application/sdp\r\n`, webrtcOffer.sdp);
}

function watch({ start, cseq, callId }: Message): void {
  const key = `${start} ${cseq} ${callId}`;
  if (seen?.has(key) === true) repeats += 1;
  seen?.add(key);
}

function request(method: string, callId: string, cseq: number, more = '', body = ''): void {
  const call = calls.get(callId);
  if (call === undefined) return;
  socket.send(
    `${method} ${call.contact} SIP/2.0\r\nVia: SIP/2.0/UDP ${own};branch=z9hG4bK${method}${callId}\r\nMax-Forwards: 70\r\n` +
      `From: "Bench" <sip:caller@${own}>;tag=caller\r\nTo: ${call.remoteTo}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n` +
      `${more}Content-Length: ${body.length}\r\n\r\n${body}`,
    call.port,
    call.address,
  );
}

function response(message: Message): void {
  const call = calls.get(message.callId);
  if (call === undefined || message.start.startsWith('1')) return;
  const isSuccess = message.start.startsWith('2');
  if (message.cseq.endsWith('INVITE')) {
    call.remoteTo = message.to;
    if (isSuccess && message.contact !== '') call.contact = between(message.contact, '<', '>');
    request('ACK', message.callId, 1);
    if (isSuccess && !call.acknowledged) {
      call.acknowledged = true;
      if (running?.stay === true) finish(message.callId, true, 'answered');
      else request('BYE', message.callId, 2);
    } else if (!isSuccess) {
      finish(message.callId, false, `INVITE was answered ${message.line}`);
    }
  } else if (message.cseq.endsWith('BYE')) {
    finish(message.callId, isSuccess, `BYE was answered ${message.line}`);
  }
}

function finish(callId: string, isSuccess: boolean, what: string): void {
  const state = running;
  if (!calls.delete(callId) || state === undefined) return;
  state.open -= 1;
  state.completed += isSuccess ? 1 : 0;
  state.failed += isSuccess ? 0 : 1;
  if (state.failed === 1 && !isSuccess) report({ kind: 'fault', message: what });
  if (state.left > 0) {
    if (!state.isPaced) callNext();
  } else if (state.open === 0) {
    running = undefined;
    report({ kind: 'called', completed: state.completed, failed: state.failed });
  }
}

socket.on('message', (bytes, from) => {
  const message = parse(bytes.toString('latin1'));
  if (message === undefined) return;
  watch(message);
  switch (message.start) {
    case 'REGISTER':
      if (isOpen) register(message, from);
      break;
    case 'INVITE':
      invite(message, from);
      break;
    case 'BYE':
    case 'CANCEL':
      reply(message, from, '200 OK');
      break;
    case 'ACK':
      break;
    default:
      if (message.line.startsWith('SIP/2.0')) response(message);
      else reply(message, from, '405 Method Not Allowed');
  }
});

process.on('message', (command: PeerCommand) => {
  switch (command.kind) {
    case 'tellAt':
      tellAt.add(command.registered);
      break;
    case 'open':
      isOpen = true;
      break;
    case 'call':
      running = { left: command.calls, open: 0, completed: 0, failed: 0, users: [...contacts.keys()].slice(0, 1_000), isPaced: 'perSecond' in command.pace, stay: command.stay === true };
      beginCalls(command.pace, () => running !== undefined && running.left > 0, callNext);
      break;
    case 'watch':
      seen = new Set();
      repeats = 0;
      break;
    case 'repeats':
      report({ kind: 'repeats', count: repeats });
      seen = undefined;
      break;
  }
});

socket.bind(0, '127.0.0.1', () => {
  const { port } = socket.address();
  own = `127.0.0.1:${port}`;
  report({ kind: 'listening', port });
});

/** What a call that is talked keeps of the INVITE that began it: nothing. */
import { queryObjects } from 'node:v8';
import { OutgoingRequestMessage } from 'sip.js/lib/core/index.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ParsedRequest } from '../../src/sip/parser/message.js';
import type { CallDialog } from '../../src/sip/types.js';
import { answer, Subject } from './conformance/subject.js';

const count = 10;

/** The whole heap is walked, which takes its time in a process that many specs ran in before. */
const timeoutMs = 60_000;

/** How many are reachable. */
const held = (of: typeof ParsedRequest | typeof OutgoingRequestMessage): number => Number(queryObjects(of));

let subject: Subject;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  subject = await Subject.open();
});

afterEach(async () => {
  await subject.close();
  vi.useRealTimers();
});

it('a call that came in keeps no request once its answer is acknowledged, and ends by BYE', async () => {
  const before = held(ParsedRequest);
  const dialogs: CallDialog[] = [];
  for (let call = 0; call < count; call += 1) dialogs.push((await subject.answered()).dialog);
  expect(held(ParsedRequest) - before).toBeLessThan(count / 2);
  for (const dialog of dialogs) {
    dialog.bye();
    (await subject.peer.next('BYE')).reply(200);
  }
}, timeoutMs);

it('a call that was placed keeps no request once it is answered, and ends by BYE', async () => {
  const { peer } = subject;
  const before = held(OutgoingRequestMessage);
  const dialogs: CallDialog[] = [];
  for (let call = 0; call < count; call += 1) {
    const placed = subject.place();
    (await peer.next('INVITE')).reply(200, [`Contact: ${subject.peerContact}`], answer);
    dialogs.push(await placed.accepted);
    await peer.next('ACK');
  }
  expect(held(OutgoingRequestMessage) - before).toBeLessThan(count / 2);
  for (const dialog of dialogs) {
    dialog.bye();
    (await peer.next('BYE')).reply(200);
  }
}, timeoutMs);

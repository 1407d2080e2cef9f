import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallRefusal, ReasonValue } from '../../src/sip/types.js';
import { hangupTable, hangupTermination } from '../../src/calls/hangup.js';
import { byeTermination, cancelTermination, localTable, q850Table, refusalTermination, statusTable } from '../../src/calls/termination.js';

const end = (status: number, phrase: string, more: Partial<CallRefusal> = {}): ReturnType<typeof refusalTermination> =>
  refusalTermination({ status, phrase, ...more });

describe('why a refused call ended', () => {
  it('is told in a sentence with what stood on the wire', () => {
    expect(end(486, 'Busy Here')).toEqual({
      reason: 'busy',
      class: 'client',
      message: 'The line is busy (486 Busy Here).',
      sip: { status: 486, phrase: 'Busy Here' },
    });
  });

  it.each([
    [302, 'unavailable', 'upstream'],
    [401, 'caller_disabled', 'client'],
    [403, 'rejected', 'client'],
    [404, 'callee_not_found', 'client'],
    [407, 'caller_disabled', 'client'],
    [408, 'no_answer', 'client'],
    [410, 'callee_not_found', 'client'],
    [415, 'media', 'upstream'],
    [480, 'unavailable', 'client'],
    [484, 'callee_not_found', 'client'],
    [487, 'no_answer', 'client'],
    [488, 'media', 'upstream'],
    [500, 'error', 'upstream'],
    [503, 'unavailable', 'upstream'],
    [600, 'busy', 'client'],
    [603, 'rejected', 'client'],
    [604, 'callee_not_found', 'client'],
    [606, 'media', 'upstream'],
    // of nobody's list: as the first digit says
    [399, 'unavailable', 'upstream'],
    [499, 'error', 'upstream'],
    [699, 'rejected', 'upstream'],
  ])('is %i -> %s', (status, reason, owner) => {
    expect(end(status, '')).toMatchObject({ reason, class: owner });
  });

  it('is known for every status there can be, in one sentence and with a phrase', () => {
    for (let status = 300; status <= 699; status += 1) {
      const { message, sip } = end(status, '');
      expect(message).toMatch(new RegExp(`^[A-Z].* \\(${String(status)} [^)]+\\)\\.`));
      expect(sip?.phrase).not.toBe('');
    }
    expect(end(444, 'Odd')).toMatchObject({ reason: 'error', class: 'upstream' });
    expect(end(555, '').sip?.phrase).toBe(statusTable.get(555)?.phrase);
  });

  it('says what to do about it where somebody can do something', () => {
    expect(end(488, '').message).toBe(
      'The far end cannot take this kind of audio or video (488 Not Acceptable Here). Check that WebRTC (ICE, DTLS-SRTP, rtcp-mux) and a common codec are enabled for this account on the PBX.',
    );
    for (const status of [401, 402, 403, 407, 415, 482, 483, 606]) expect(end(status, '').message).toMatch(/\)\. Check .*\.$/);
    expect(end(599, '').message).toBe('The SIP server failed (599 Server Error).');
  });

  it('says what to do about a wrong password, and shows no password', () => {
    expect(end(403, 'Forbidden', { wrongPassword: true })).toMatchObject({
      reason: 'caller_disabled',
      message: "The SIP server refused the account's password (403 Forbidden). Check sip_user, sip_password and auth_user of the mapping.",
    });
  });

  it('is that nothing answered when the refusal is our own stack\'s, and then no status is claimed', () => {
    const local = { code: 'SIP_TIMEOUT', message: 'No answer from pbx.example:5060 over udp within 32 s.' } as const;
    expect(end(408, 'Request Timeout', { local })).toEqual({ reason: 'unavailable', class: 'upstream', message: local.message });
  });

  it('is read from Reason when the call was answered elsewhere, or a telephone network says more than the status', () => {
    expect(end(487, 'Request Terminated', { reason: { protocol: 'SIP', cause: 200 } })).toMatchObject({ reason: 'picked_up', class: 'success' });
    expect(end(480, 'Temporarily Unavailable', { reason: { protocol: 'q.850', cause: 19 } }).reason).toBe('no_answer');
    expect(end(503, 'Service Unavailable', { reason: { protocol: 'Q.850', cause: 17 } }).reason).toBe('busy');
    expect(end(404, 'Not Found', { reason: { protocol: 'Q.850', cause: 17 } }).reason).toBe('callee_not_found');
    expect(end(480, 'Temporarily Unavailable', { reason: { protocol: 'Q.850', cause: 127 } }).reason).toBe('unavailable');
  });

  it('is no success for a call that was never answered, though the network cleared it normally', () => {
    expect(end(480, 'Temporarily Unavailable', { reason: { protocol: 'Q.850', cause: 16 } })).toMatchObject({ reason: 'unavailable', class: 'client' });
  });

  it('is what was announced in a 18x, unless the refusal itself says more', () => {
    const announced = { protocol: 'Q.850', cause: 1 } as const;
    const vague = { status: 487, phrase: 'Request Terminated' } as const;
    expect(refusalTermination(vague, announced)).toMatchObject({
      reason: 'callee_not_found',
      message: 'There is no such number or user (487 Request Terminated).',
      sip: vague,
    });
    expect(refusalTermination({ ...vague, reason: { protocol: 'Q.850', cause: 17 } }, announced).reason).toBe('busy');
    expect(refusalTermination({ status: 486, phrase: 'Busy Here' }, announced).reason).toBe('busy');
  });

  // www.iana.org/assignments/sip-parameters, response codes: all of 3xx to 6xx that were registered and not deprecated.
  it('has a row of its own for every registered status', () => {
    const registered = [
      300, 301, 302, 305, 380, 400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424, 425, 428, 429, 430,
      433, 436, 437, 438, 439, 440, 469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494, 500, 501, 502, 503, 504, 505, 513, 555, 580,
      600, 603, 604, 606, 607, 608,
    ];
    expect([...statusTable.keys()]).toEqual(registered);
  });

  it('never carries more of a stranger\'s phrase than one short line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (phrase) => {
        const { message, sip } = end(486, phrase);
        expect(message).not.toMatch(/\p{Cc}/u);
        expect(sip?.phrase).not.toMatch(/^\s/);
        expect(sip?.phrase.length).toBeLessThanOrEqual(64);
        expect(sip?.phrase).not.toBe('');
      }),
    );
  });
});

describe('why a caller gave up', () => {
  it.each([
    [undefined, 'no_answer'],
    [{ protocol: 'SIP', cause: 487 }, 'no_answer'],
    [{ protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' }, 'picked_up'],
    [{ protocol: 'sip', cause: 200 }, 'picked_up'],
    [{ protocol: 'Q.850', cause: 26 }, 'picked_up'],
    [{ protocol: 'SIP', cause: 603 }, 'rejected'],
    [{ protocol: 'SIP', cause: 600 }, 'busy'],
    [{ protocol: 'SIP', cause: 607 }, 'rejected'],
    [{ protocol: 'SIP', cause: 486 }, 'busy'],
    [{ protocol: 'Q.850', cause: 17 }, 'busy'],
    [{ protocol: 'q.850', cause: 21 }, 'rejected'],
    [{ protocol: 'Q.850', cause: 200 }, 'no_answer'],
    [{ protocol: 'SIP' }, 'no_answer'],
  ])('%j -> %s', (reason, expected) => {
    expect(cancelTermination(reason).reason).toBe(expected);
  });
});

describe('why the other side hung up', () => {
  it.each([
    [undefined, 'normal', 'success'],
    [{ protocol: 'Q.850', cause: 16 }, 'normal', 'success'],
    [{ protocol: 'Q.850', cause: 31 }, 'normal', 'success'],
    [{ protocol: 'Q.850' }, 'normal', 'success'],
    [{ protocol: 'Q.850', cause: 17 }, 'busy', 'client'],
    [{ protocol: 'q.850', cause: 19 }, 'no_answer', 'client'],
    [{ protocol: 'Q.850', cause: 38 }, 'unavailable', 'upstream'],
    [{ protocol: 'Q.850', cause: 26 }, 'picked_up', 'success'],
    [{ protocol: 'SIP', cause: 200, text: 'Call completed elsewhere' }, 'picked_up', 'success'],
    [{ protocol: 'SIP', cause: 408, text: 'Session timer expired' }, 'unavailable', 'upstream'],
    [{ protocol: 'sip', cause: 503 }, 'unavailable', 'upstream'],
    [{ protocol: 'SIP', cause: 486 }, 'busy', 'client'],
    [{ protocol: 'SIP', cause: 404 }, 'callee_not_found', 'client'],
    [{ protocol: 'SIP', cause: 603 }, 'rejected', 'client'],
    [{ protocol: 'SIP', cause: 302 }, 'normal', 'success'],
    [{ protocol: 'SIP', cause: 487 }, 'normal', 'success'],
    [{ protocol: 'SIP', cause: 17 }, 'normal', 'success'],
    [{ protocol: 'Preemption', cause: 1 }, 'normal', 'success'],
  ])('%j -> %s', (reason, expected, owner) => {
    expect(byeTermination(reason)).toMatchObject({ reason: expected, class: owner });
    expect(byeTermination(reason)).not.toHaveProperty('sip');
  });
});

describe('a Reason with what SIP and what a telephone network says', () => {
  const both = (sip: number, network: number): ReasonValue => ({ protocol: 'SIP', cause: sip, beside: { protocol: 'q.850', cause: network } });

  it.each([
    // the status says enough
    [486, 19, 'busy', 'busy', 'busy'],
    [404, 17, 'callee_not_found', 'no_answer', 'callee_not_found'],
    [603, 17, 'rejected', 'rejected', 'rejected'],
    // it says little
    [480, 17, 'busy', 'busy', 'busy'],
    [487, 21, 'rejected', 'rejected', 'rejected'],
    [503, 34, 'unavailable', 'no_answer', 'unavailable'],
    // the network says nothing more
    [503, 16, 'unavailable', 'no_answer', 'normal'],
    [480, 127, 'unavailable', 'no_answer', 'unavailable'],
    [487, 16, 'no_answer', 'no_answer', 'normal'],
    // nobody's status
    [499, 17, 'busy', 'busy', 'busy'],
    // answered elsewhere
    [486, 26, 'picked_up', 'picked_up', 'picked_up'],
    [200, 17, 'picked_up', 'picked_up', 'picked_up'],
  ])('SIP %i with Q.850 %i ends a refused call as %s, a cancelled one as %s, an answered one as %s', (sip, network, refused, cancelled, ended) => {
    const reason = both(sip, network);
    const status = sip === 200 ? 487 : sip;
    expect([refusalTermination({ status, phrase: '', reason }).reason, cancelTermination(reason).reason, byeTermination(reason).reason]).toEqual([refused, cancelled, ended]);
  });

  it('says which lines are busy rather than that the call was broken off', () => {
    expect(byeTermination(both(503, 34)).message).toBe('All lines of the telephone network are busy.');
    expect(byeTermination(both(503, 41 + 86)).message).toBe('The SIP server broke the call off.');
  });
});

describe('sentences of our own', () => {
  it('are whole sentences', () => {
    for (const { sentence } of q850Table.values()) expect(sentence).toMatch(/^[A-Z].*[a-z]$/);
    for (const { message } of Object.values(localTable)) expect(message).toMatch(/^[A-Z].*\.$/);
    for (const row of Object.values(hangupTable)) expect(row.sentence).toMatch(/^[A-Z].*[a-z]$/);
  });

  it('of a hangup name the response only when one was sent', () => {
    expect(hangupTermination('rejected', true)).toEqual({
      reason: 'rejected',
      class: 'client',
      message: 'The call was declined (603 Decline).',
      sip: { status: 603, phrase: 'Decline' },
    });
    expect(hangupTermination('normal', false)).toEqual({ reason: 'normal', class: 'success', message: 'The call was ended here.' });
  });
});

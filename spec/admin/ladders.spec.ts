import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminSetup } from './setup.js';

let setup: AdminSetup;

const invite = (callId: string): string =>
  `INVITE sip:600@pbx SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:ann@pbx>;tag=a\r\nTo: <sip:600@pbx>\r\nCall-ID: ${callId}\r\nCSeq: 1 INVITE\r\nAuthorization: Digest response="deadbeef"\r\n\r\n`;

beforeEach(async () => {
  setup = new AdminSetup();
  await setup.open();
  setup.recording.onCommand({ type: 'hangup', callId: 'a call/1', reason: 'busy' });
  setup.recording.onLeg('a call/1', 'sip-1');
  setup.recording.onMessage('out', 'udp', '192.0.2.4:5060', invite('sip-1'));
  setup.recording.onMessage('in', 'udp', '192.0.2.4:5060', invite('stranger'));
});

afterEach(() => setup.close());

const path = `/api/calls/${encodeURIComponent('a call/1')}/ladder`;

describe('the ladder of a call over HTTP', () => {
  it('is there as data, text, picture and packet trace, each without credentials', async () => {
    const { body, headers } = await setup.ask('GET', path);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toMatchObject({ title: 'a call/1', lanes: ['Messenger', 'Extension', 'udp 192.0.2.4:5060'], steps: [{ label: 'hangup: busy' }, { label: 'INVITE 600' }] });
    for (const [as, type, start] of [
      ['text', 'text/plain; charset=utf-8', 'a call/1'],
      ['svg', 'image/svg+xml', '<svg '],
      ['pcapng', 'application/x-pcapng', '\n\r\r\n'],
    ] as const) {
      const drawn = await setup.ask('GET', `${path}?as=${as}`);
      expect([drawn.status, drawn.headers['content-type']]).toEqual([200, type]);
      expect(drawn.text.startsWith(start)).toBe(true);
      expect(drawn.text).not.toContain('deadbeef');
    }
  });

  it('as text is as wide as was asked for, with the messages when they are wanted', async () => {
    const { text } = await setup.ask('GET', `${path}?as=text&width=120&messages=true`);
    expect(Math.max(...text.split('\n').filter((line) => line.includes('│')).map((line) => line.length))).toBeGreaterThan(100);
    expect(text).toContain('    Call-ID: sip-1');
  });

  it('of a call that nothing is held of is 404, with what to do; a wrong form is 400', async () => {
    expect(await setup.ask('GET', '/api/calls/unknown/ladder')).toMatchObject({ status: 404, body: { code: 'NOTHING_RECORDED', detail: expect.stringContaining('ladder-megabytes') as string } });
    expect(await setup.ask('GET', `${path}?as=png`)).toMatchObject({ status: 400, body: { detail: 'as: want one of text, svg, pcapng, json.' } });
  });

  it('needs the token like everything else', async () => {
    expect(await setup.ask('GET', path, { authorization: 'Bearer wrong-token-wrong' })).toMatchObject({ status: 401 });
  });
});

it('lists SIP calls that were refused before the messenger heard of them', async () => {
  expect((await setup.ask('GET', '/api/untold-calls')).body).toMatchObject({ items: [{ sipCallId: 'stranger', from: 'sip:ann@pbx', to: 'sip:600@pbx' }] });
});

it('draws a registration by its mapping', async () => {
  setup.registrations.fill(1);
  const aor = setup.registrations.all[0]?.aor ?? '';
  setup.recording.onMessage('out', 'udp', '192.0.2.4:5060', invite('reg').replaceAll('INVITE', 'REGISTER').replace('<sip:600@pbx>', `<${aor}>`));
  expect((await setup.ask('GET', '/api/registrations/1/ladder')).body).toMatchObject({ title: aor, steps: [{ label: 'REGISTER 600' }] });
  expect(await setup.ask('GET', '/api/registrations/99/ladder')).toMatchObject({ status: 404, body: { code: 'MAPPING_NOT_FOUND' } });
});

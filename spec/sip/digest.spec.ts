import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestExchange, DigestSession } from '../../src/sip/digest.js';
import { parseChallenge } from '../../src/sip/digest-challenge.js';

const register = { method: 'REGISTER', uri: 'sip:example.com', body: '' };
const hex = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

function parameter(credentials: string, name: string): string | undefined {
  return new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(credentials)?.[1];
}

/** What a registrar computes from the credentials it was sent. */
function expected(credentials: string, algorithm: string, user: string, password: string, request = register): string {
  const [nonce, nc, cnonce, qop, realm] = ['nonce', 'nc', 'cnonce', 'qop', 'realm'].map((name) => parameter(credentials, name));
  let ha1 = hex(algorithm, `${user}:${realm!}:${password}`);
  if (/algorithm=\S*-sess/i.test(credentials)) ha1 = hex(algorithm, `${ha1}:${nonce!}:${cnonce!}`);
  const ha2 = hex(algorithm, `${request.method}:${request.uri}${qop === 'auth-int' ? `:${hex(algorithm, request.body)}` : ''}`);
  return qop === undefined
    ? hex(algorithm, `${ha1}:${nonce!}:${ha2}`)
    : hex(algorithm, `${ha1}:${nonce!}:${nc!}:${cnonce!}:${qop}:${ha2}`);
}

function answerOnce(offered: string[], request = register): string {
  const answer = new DigestSession({ user: '434', password: 'pass' }).answer('Authorization', offered, request, new DigestExchange());
  expect(answer).toHaveLength(1);
  return answer![0]![1];
}

describe('a digest answer', () => {
  it('is the worked example of RFC 7616 3.9.1 but for the cnonce', () => {
    const session = new DigestSession({ user: 'Mufasa', password: 'Circle of Life' });
    const challenge = 'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
    const request = { method: 'GET', uri: '/dir/index.html', body: '' };
    const credentials = session.answer('Authorization', [challenge], request, new DigestExchange())![0]![1];
    const cnonce = parameter(credentials, 'cnonce')!;
    const ha1 = '7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232'; // SHA-256(Mufasa:http-auth@example.org:Circle of Life)
    const ha2 = '9a3fdae9a622fe8de177c24fa9c070f2b181ec85e15dcbdc32e10c82ad450b04'; // SHA-256(GET:/dir/index.html)
    const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
    expect(parameter(credentials, 'response')).toBe(hex('sha256', `${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`));
    expect(credentials).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
  });

  it.each([
    ['MD5 by default', 'Digest realm="r", nonce="n", qop="auth"', 'md5'],
    ['MD5-sess', 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess', 'md5'],
    ['SHA-256', 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256', 'sha256'],
    ['SHA-256-sess', 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256-sess', 'sha256'],
    ['SHA-512-256', 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-512-256', 'sha512-256'],
    ['MD5-sess without qop', 'Digest realm="r", nonce="n", algorithm=MD5-sess', 'md5'],
    ['no qop at all (RFC 2069)', 'Digest realm="r", nonce="n"', 'md5'],
  ])('is what a registrar computes for %s', (_, offered, algorithm) => {
    const credentials = answerOnce([offered]);
    expect(parameter(credentials, 'response')).toBe(expected(credentials, algorithm, '434', 'pass'));
  });

  it('covers the body when only auth-int is offered', () => {
    const invite = { method: 'INVITE', uri: 'sip:600@example.com', body: 'v=0\r\n' };
    const credentials = answerOnce(['Digest realm="r", nonce="n", qop="auth-int"'], invite);
    expect(parameter(credentials, 'qop')).toBe('auth-int');
    expect(parameter(credentials, 'response')).toBe(expected(credentials, 'md5', '434', 'pass', invite));
  });

  it.each([
    [['Digest realm="r", nonce="m", algorithm=MD5, qop="auth"', 'Digest realm="r", nonce="s", algorithm=SHA-256, qop="auth"']],
    [['Digest realm="r", nonce="s", algorithm=SHA-256, qop="auth"', 'Digest realm="r", nonce="m", algorithm=MD5, qop="auth"']],
    [['Digest realm="r", nonce="x", algorithm=NEW-HASH', 'Digest realm="r", nonce="s", algorithm=SHA-256']],
  ])('takes the strongest algorithm that is known, whatever the order', (offered) => {
    expect(parameter(answerOnce(offered), 'nonce')).toBe('s');
  });

  it('gives no answer to a challenge it does not know', () => {
    const session = new DigestSession({ user: '434', password: 'pass' });
    for (const offered of ['Basic realm="r"', 'Digest realm="r"', 'Digest nonce="n"', 'Digest realm="r", nonce="n", algorithm=NEW', '']) {
      expect(session.answer('Authorization', [offered], register, new DigestExchange())).toBeUndefined();
    }
  });

  it('never tells the password', () => {
    expect(answerOnce(['Digest realm="r", nonce="n"'])).not.toContain('pass');
  });
});

describe('an account with an MD5 hash in place of its password', () => {
  const withHash = (): DigestSession => new DigestSession({ user: '434', password: { ha1: hex('md5', '434:r:pass') } });

  it.each([
    ['MD5', 'Digest realm="r", nonce="m", qop="auth"'],
    ['MD5-sess', 'Digest realm="r", nonce="m", qop="auth", algorithm=MD5-sess'],
  ])('answers %s as its password would, though something stronger is offered too', (_, offered) => {
    const stronger = 'Digest realm="r", nonce="s", qop="auth", algorithm=SHA-256';
    const [[, credentials] = []] = withHash().answer('Authorization', [stronger, offered], register, new DigestExchange())!;
    expect(parameter(credentials!, 'nonce')).toBe('m');
    expect(parameter(credentials!, 'response')).toBe(expected(credentials!, 'md5', '434', 'pass'));
  });

  it('says why it cannot answer a challenge for SHA-256 alone', () => {
    const exchange = new DigestExchange();
    const offered = ['Digest realm="r", nonce="n", algorithm=SHA-256', 'Digest realm="r2", nonce="n", algorithm=SHA-512-256'];
    expect(withHash().answer('Authorization', offered, register, exchange)).toBeUndefined();
    expect(exchange.unanswerable).toBe('The account has only an MD5 hash of its password (ha1:), and the server wants SHA-256, SHA-512-256');
  });

  it('does not blame the hash for a challenge that nobody knows', () => {
    const exchange = new DigestExchange();
    withHash().answer('Authorization', ['Digest realm="r", nonce="n", algorithm=NEW'], register, exchange);
    expect(exchange.unanswerable).toBe('The server wants credentials of a kind that we do not have: Digest NEW');
  });
});

let users = 434_000;
/** Uses of a nonce are remembered by user: nobody is anybody else. */
const someone = (): string => String((users += 1));

describe('a digest session', () => {
  const challenge = (nonce: string, stale = false): string[] => [`Digest realm="r", nonce="${nonce}", qop="auth"${stale ? ', stale=true' : ''}`];

  it('answers the next request unasked, with nc counted on', () => {
    const session = new DigestSession({ user: 'alone', password: 'pass' });
    session.answer('Authorization', challenge('n1'), register, new DigestExchange());
    const credentials = session.prepare(register, new DigestExchange())[0]![1];
    expect([parameter(credentials, 'nonce'), parameter(credentials, 'nc')]).toEqual(['n1', '00000002']);
    expect(parameter(credentials, 'response')).toBe(expected(credentials, 'md5', 'alone', 'pass'));
  });

  it('starts nc anew for a new nonce', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    session.answer('Authorization', challenge('n1'), register, new DigestExchange());
    const exchange = new DigestExchange();
    session.prepare(register, exchange);
    const credentials = session.answer('Authorization', challenge('n2', true), register, exchange)![0]![1];
    expect([parameter(credentials, 'nonce'), parameter(credentials, 'nc')]).toEqual(['n2', '00000001']);
  });

  it('takes two stale nonces in a row for what they are', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const exchange = new DigestExchange();
    expect(session.answer('Authorization', challenge('n1'), register, exchange)).toBeDefined();
    expect(session.answer('Authorization', challenge('n2', true), register, exchange)).toBeDefined();
    expect(session.answer('Authorization', challenge('n3', true), register, exchange)).toBeDefined();
  });

  it('takes the same nonce refused again for a wrong password', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const exchange = new DigestExchange();
    session.answer('Authorization', challenge('n1'), register, exchange);
    expect(session.answer('Authorization', challenge('n1'), register, exchange)).toBeUndefined();
    expect(session.prepare(register, new DigestExchange())).toEqual([]);
  });

  it('gives up on a registrar that refuses every fresh nonce, and on one that calls all of them stale', () => {
    for (const stale of [false, true]) {
      const session = new DigestSession({ user: someone(), password: 'pass' });
      const exchange = new DigestExchange();
      let tries = 0;
      while (session.answer('Authorization', challenge(`n${String(tries)}`, stale), register, exchange)) tries += 1;
      expect(tries).toBeLessThan(8);
    }
  });

  it('answers the realms of several proxies in one 407', () => {
    const answers = new DigestSession({ user: someone(), password: 'pass' }).answer(
      'Proxy-Authorization',
      ['Digest realm="p", nonce="np"', 'Digest realm="q", nonce="nq"', 'Digest realm="q", nonce="ns", algorithm=SHA-256'],
      register,
      new DigestExchange(),
    );
    expect(answers?.map(([, value]) => parameter(value, 'nonce'))).toEqual(['np', 'ns']);
  });

  it('counts on when another request is given the same nonce', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const nonces = [1, 2, 3].map(() => parameter(session.answer('Authorization', challenge('n1'), register, new DigestExchange())![0]![1], 'nc'));
    expect(nonces).toEqual(['00000001', '00000002', '00000003']);
  });

  it('counts on when a late answer brings an old nonce back', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    session.answer('Authorization', challenge('n1'), register, new DigestExchange());
    for (const nonce of ['n2', 'n3', 'n4']) session.answer('Authorization', challenge(nonce), register, new DigestExchange());
    const credentials = session.answer('Authorization', challenge('n1'), register, new DigestExchange())![0]![1];
    expect([parameter(credentials, 'nonce'), parameter(credentials, 'nc')]).toEqual(['n1', '00000002']);
  });

  it('counts a nonce for each registrar and realm by itself, when two give one user the same', () => {
    const user = someone();
    const at = (host: string): DigestSession => new DigestSession({ user, password: 'pass', target: { transport: 'udp', host, port: 5060 } });
    const use = (session: DigestSession, realm: string, nonce: string): string => {
      const [answer] = session.answer('Authorization', [`Digest realm="${realm}", nonce="${nonce}", qop="auth", stale=true`], register, new DigestExchange())!;
      return parameter(answer![1], 'nc')!;
    };
    const one = at('one.example');
    use(one, 'r', 'same');
    use(one, 'r', 'other');
    expect(use(at('two.example'), 'r', 'same')).toBe('00000001');
    expect(use(at('one.example'), 's', 'same')).toBe('00000001');
    expect(use(one, 'r', 'same')).toBe('00000002');
  });

  it('takes over the next nonce that a response names, with nc from 1', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const first = session.answer('Authorization', ['Digest realm="r", nonce="n1", qop="auth", algorithm=SHA-256-sess'], register, new DigestExchange())![0]![1];
    session.acceptInfo('Authorization', `rspauth="00", qop=auth, cnonce="${parameter(first, 'cnonce')!}", nc=00000001, nextnonce="n2"`);
    const second = session.prepare(register, new DigestExchange())[0]![1];
    expect([parameter(second, 'nonce'), parameter(second, 'nc'), parameter(second, 'cnonce')]).toEqual(['n2', '00000001', parameter(first, 'cnonce')]);
    session.acceptInfo('Authorization', 'nextnonce="n2"');
    expect(parameter(session.prepare(register, new DigestExchange())[0]![1], 'nc')).toBe('00000002');
  });

  it('does not guess which realm a next nonce is for', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    session.answer('Authorization', ['Digest realm="p", nonce="np"', 'Digest realm="q", nonce="nq"'], register, new DigestExchange());
    for (const info of ['nextnonce="n2"', 'nextnonce=""', 'rspauth="00"', 'cnonce="no", nextnonce="n2"', 'nextnonce']) session.acceptInfo('Authorization', info);
    session.acceptInfo('Proxy-Authorization', 'nextnonce="n2"');
    expect(session.prepare(register, new DigestExchange()).map(([, value]) => parameter(value, 'nonce'))).toEqual(['np', 'nq']);
  });

  it('says what kind of credentials it does not have, which is no wrong password', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const exchange = new DigestExchange();
    session.answer('Proxy-Authorization', ['Digest realm="p", nonce="np"'], register, exchange);
    expect(session.answer('Authorization', ['Digest realm="r", nonce="n", algorithm=AKAv1-MD5', 'Bearer realm="\r\nx"'], register, exchange)).toBeUndefined();
    expect(exchange.unanswerable).toBe('The server wants credentials of a kind that we do not have: Digest AKAv1-MD5, Bearer');
    session.answer('Authorization', [], register, exchange);
    expect(exchange.unanswerable).toBe('The server wants credentials but does not say which');
  });

  it('hashes what is not ASCII as UTF-8, and writes a quote in the name with its escape', () => {
    const credentials = new DigestSession({ user: 'zo\u00eb "z"', password: 'p\u00e4ss' }).answer(
      'Authorization',
      ['Digest realm="Gr\u00f6\u00dfe", nonce="n", qop="auth", charset=UTF-8'],
      register,
      new DigestExchange(),
    )![0]![1];
    expect(credentials).toContain('username="zo\u00eb \\"z\\""');
    expect(parameter(credentials, 'response')).toBe(expected(credentials, 'md5', 'zo\u00eb "z"', 'p\u00e4ss'));
  });

  it('uses no nonce twice with the same nc, however many requests share it and however late answers come', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ pick: fc.nat(), move: fc.nat(9) }), { minLength: 50, maxLength: 120 }), (moves) => {
        const user = someone();
        const session = new DigestSession({ user, password: 'pass' });
        const server = new StrictServer(user);
        const waiting: { exchange: DigestExchange; credentials?: string; challenge?: string[] }[] = [];
        for (const { pick, move } of moves) {
          if (move < 4) {
            const exchange = new DigestExchange();
            waiting.push({ exchange, credentials: session.prepare(register, exchange)[0]?.[1] });
          }
          const request = waiting[pick % Math.max(waiting.length, 1)];
          if (request === undefined) continue;
          if (request.challenge === undefined) {
            const verdict = server.judge(request.credentials, move === 9);
            if (verdict.info !== undefined) session.acceptInfo('Authorization', verdict.info);
            if (verdict.challenge === undefined) waiting.splice(waiting.indexOf(request), 1);
            request.challenge = verdict.challenge;
            continue;
          }
          const answer = session.answer('Authorization', request.challenge, register, request.exchange);
          request.challenge = undefined;
          request.credentials = answer?.[0]?.[1];
          if (answer === undefined) waiting.splice(waiting.indexOf(request), 1);
        }
        expect(server.faults).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('answers a proxy and a registrar in one request', () => {
    const session = new DigestSession({ user: someone(), password: 'pass' });
    const exchange = new DigestExchange();
    session.answer('Proxy-Authorization', ['Digest realm="p", nonce="np"'], register, exchange);
    const both = session.answer('Authorization', ['Digest realm="r", nonce="nr"'], register, exchange);
    expect(both?.map(([header]) => header).sort()).toEqual(['Authorization', 'Proxy-Authorization']);
  });
});

/**
 * Checks each answer and that no (nonce, nc) comes twice; a nonce is good for five uses. Requests reach it in any order, so nc need not
 * grow from one to the next.
 */
class StrictServer {
  readonly faults: string[] = [];
  readonly #seen = new Set<string>();
  #nonce = 1;
  #uses = 0;

  constructor(private readonly user: string) {}

  judge(credentials: string | undefined, changes: boolean): { challenge?: string[]; info?: string } {
    if (changes) this.#next();
    if (credentials === undefined) return { challenge: this.#challenge(false) };
    const use = `${parameter(credentials, 'nonce')!} ${parameter(credentials, 'nc')!}`;
    if (this.#seen.has(use)) this.faults.push(`${use} again`);
    this.#seen.add(use);
    if (parameter(credentials, 'response') !== expected(credentials, 'md5', this.user, 'pass')) this.faults.push(`${use} is wrong`);
    if (parameter(credentials, 'nonce') !== `n${String(this.#nonce)}`) return { challenge: this.#challenge(true) };
    this.#uses += 1;
    if (this.#uses < 5) return {};
    this.#next();
    return { info: `nextnonce="n${String(this.#nonce)}"` };
  }

  #next(): void {
    this.#nonce += 1;
    this.#uses = 0;
  }

  #challenge(stale: boolean): string[] {
    return [`Digest realm="r", nonce="n${String(this.#nonce)}", qop="auth"${stale ? ', stale=true' : ''}`];
  }
}

describe('a challenge', () => {
  it('keeps commas and escapes of a quoted realm as the hashes want them', () => {
    expect(parseChallenge('Digest realm="a, \\"b\\" c", NONCE=abc, foo=bar, Stale=TRUE')).toMatchObject({
      realm: 'a, \\"b\\" c',
      nonce: 'abc',
      stale: true,
    });
  });

  it('is read in one pass whatever it holds', () => {
    expect(parseChallenge(`Digest ${'a="\\'.repeat(20_000)}`)).toBeUndefined();
  });
});

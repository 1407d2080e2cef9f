import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.js';
import { parseServerConf, readServerConf } from '../../src/config/read.js';

const env = { HOME: '/home/dialog' };

function tree(text: string): Record<string, unknown> {
  return parseServerConf(text, { file: 'server.conf', env }).tree;
}

/** Every issue as a person sees it. */
function complaint(text: string): string {
  try {
    tree(text);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ConfigError);
    return (thrown as ConfigError).message;
  }
  throw new Error('nothing was wrong');
}

describe('what server.conf says', () => {
  it.each([
    ['keys by path, brace or colon', 'a.b = 1\na { c = 2 }\na : { d : 3 }', { a: { b: 1, c: 2, d: 3 } }],
    ['commas and new lines alike', 'a = 1, b = 2\nc = [1, 2\n3,]', { a: 1, b: 2, c: [1, 2, 3] }],
    ['braces round the file', '{ "a": [true, null, -1.5, "x"] }', { a: [true, null, -1.5, 'x'] }],
    ['both kinds of comment', 'a = 1 # one\n// two\nb = 2 // three', { a: 1, b: 2 }],
    ['words side by side as one text', 'expires = 30 minutes', { expires: '30 minutes' }],
    ['escapes and triple quotes', 'a = "\\u0041\\n\\"", b = """x\n"y""""', { a: 'A\n"', b: 'x\n"y"' }],
    ['quoted dots as part of a key', '"a.b".c = 1', { 'a.b': { c: 1 } }],
    ['the later value of a key twice set', 'a = 1\na = 2', { a: 2 }],
    ['objects merged through a later one, but not through a text', 'a { x = 1 }\na = 5\na { y = 2 }', { a: { y: 2 } }],
    ['appending', 'a = [1]\na += 2\nb += x', { a: [1, 2], b: ['x'] }],
    ['numbers that JavaScript would change, as texts', 'a = 1.10, b = 007, c = 12345678901234567890', { a: '1.10', b: '007', c: '12345678901234567890' }],
    ['a value under the line of its key', 'a =\n  1\nb\n{ c = 2 }', { a: 1, b: { c: 2 } }],
    ['a byte order mark and Windows line ends', '\uFEFFa = 1\r\nb = x y\r\n', { a: 1, b: 'x y' }],
    ['slashes, brackets and quotes of other kinds in plain words', "net = 10.0.0.0/8, f = g(x), q = 'x'", { net: '10.0.0.0/8', f: 'g(x)', q: "'x'" }],
    ['nothing', '', {}],
  ])('takes %s', (_, text, expected) => {
    expect(tree(text)).toEqual(expected);
  });
});

describe('substitutions', () => {
  it.each([
    ['a key set later', 'a = ${b}\nb = 1', { a: 1, b: 1 }],
    ['text in a text, blanks kept', 'a = x, b = "<"${a} and  ${a}">"', { a: 'x', b: '<x and  x>' }],
    ['an object that is then extended', 'a { x = 1 }\nb = ${a} { y = 2 }', { a: { x: 1 }, b: { x: 1, y: 2 } }],
    ['a list that is then extended', 'a = [1]\nb = ${a} [2]', { a: [1], b: [1, 2] }],
    ['the environment when no key is there', 'a = ${HOME}/data', { a: '/home/dialog/data' }],
    ['a key before the environment', 'HOME = here\na = ${HOME}', { HOME: 'here', a: 'here' }],
    ['nothing for an optional one', 'a = ${?NOPE}\nb = [${?NOPE}, 1]\nc = 5\nc = ${?NOPE}', { b: [1], c: 5 }],
    ['its own earlier value', 'a = x\na = ${a}y', { a: 'xy' }],
    ['its own earlier value by paths', 'a.b = 1\na.b = ${a.b}2', { a: { b: '12' } }],
    ['a sibling inside the object being made', 'bar { foo = 42, baz = ${bar.foo} }\nbar.foo = 43', { bar: { foo: 43, baz: 43 } }],
    ['what lies below itself (HOCON specification)', 'foo : { a : { c : 1 } }\nfoo : ${foo.a}\nfoo : { a : 2 }', { foo: { a: 2, c: 1 } }],
    ['an enclosing object as it was before', 'a { x = 1 }\na { y = ${a} }', { a: { x: 1, y: { x: 1 } } }],
    ['only what is not hidden', 'a = ${missing}\na = 1', { a: 1 }],
    ['a quoted path', '"x.y" = 3, a = ${"x.y"}', { 'x.y': 3, a: 3 }],
  ])('find %s', (_, text, expected) => {
    expect(tree(text)).toEqual(expected);
  });

  it('give each place a value of its own', () => {
    const { a, b } = tree('a { x = 1 }, b = ${a}') as { a: object; b: object };
    expect(b).toEqual(a);
    expect(b).not.toBe(a);
  });

  it.each([
    ['two keys', 'a = ${b}\nb = ${a}', '1:1: a: the substitutions here go round in a circle'],
    ['two objects', 'a { x = ${b} }\nb { y = ${a} }', 'go round in a circle'],
    ['two lists', 'a = [${b}]\nb = [${a}]', 'go round in a circle'],
    ['optional ones', 'a = ${?b}\nb = ${?a}', 'go round in a circle'],
    ['a key and itself', 'a = ${a}', '1:5: a: "${a}" names nothing: no such key before it'],
  ])('that go round are refused: %s', (_, text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  it('tell a broken target once, not at each place that names it', () => {
    expect(complaint('a = ${b}\nb = ${nowhere}\nc = ${a}').split('\n')).toHaveLength(1);
  });

  it('tell all that are missing at once, with their places', () => {
    expect(complaint('a = ${x}\n\nb { c = "1"${y.z} }').split('\n')).toEqual([
      'server.conf:1:5: a: "${x}" names nothing: no such key, no such environment variable',
      'server.conf:3:12: b.c: "${y.z}" names nothing: no such key, no such environment variable',
    ]);
  });

  it('are never run as a program', async () => {
    await expect(readServerConf('fixtures/conf/eval-attempt.conf', { env })).rejects.toThrow(
      'fixtures/conf/eval-attempt.conf:2:27: modules.sip.trace-level: "${x;process.exit(7)}" names nothing',
    );
  });
});

describe('errors of syntax', () => {
  it.each([
    ['a = {\n  b = 1\n', 'server.conf:1:5: the { that opens here is never closed by }'],
    ['a = 1 }', 'server.conf:1:7: this } closes nothing'],
    ['a = [1', 'server.conf:1:5: the [ that opens here is never closed by ]'],
    ['a = "x', 'server.conf:1:5: the quote that opens here is not closed'],
    ['a = """x', 'server.conf:1:5: the """ that opens here is never closed'],
    ['a = "\\q"', 'server.conf:1:6: "\\\\q" is no escape'],
    ['a = $x', 'server.conf:1:5: "$" begins a substitution'],
    ['a = ${', 'server.conf:1:5: the ${ that opens here is not closed on its line'],
    ['a = ${}', 'server.conf:1:5: "${}" is no substitution'],
    ['a = ${b[0]}', 'server.conf:1:5: "${b[0]}" is no substitution'],
    ['a = 1\n= 2', 'server.conf:2:1: found "=", want a key'],
    ['a\nb', 'server.conf:2:1: found "b" after the key "a", want = or : or {'],
    ['a = ,', 'server.conf:1:5: found ",", want a value'],
    ['a..b = 1', 'server.conf:1:1: a key has an empty part'],
    ['a = x*', 'server.conf:1:6: "*" may only stand inside quotes'],
    ['[1]', 'server.conf:1:1: the file must hold keys and values, not a list'],
    ['{ a = 1 } b', 'server.conf:1:11: found "b" after the } that closes the file'],
    ['a = [1] { b = 1 }', 'server.conf:1:1: a: a list and an object stand side by side and cannot be joined'],
  ])('name their place: %j', (text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  it.each(['__proto__ = 1', 'a."constructor".b = 1', 'a { prototype = 1 }', 'a = ${__proto__.x}'])('refuse the key in %j', (text) => {
    expect(complaint(text)).toMatch(/^server\.conf:1:\d+: the key "\w+" is not allowed$/);
  });

  it.each([
    ['prototype-keys.conf', 'prototype-keys.conf:2:1: the key "__proto__" is not allowed'],
    ['unclosed.conf', 'unclosed.conf:1:13: the { that opens here is never closed by }'],
    ['no-such.conf', 'no-such.conf: cannot be read: ENOENT'],
  ])('name the file: %s', async (name, expected) => {
    await expect(readServerConf(`fixtures/conf/${name}`)).rejects.toThrow(expected);
  });

  it('never repeat what may be a secret that lacks its equals sign', () => {
    expect(complaint('password "hunter2"\n')).not.toContain('hunter2');
    expect(complaint('password hunter2\n')).not.toContain('hunter2');
  });
});

describe('limits', () => {
  it.each([
    ['nesting', `a = ${'['.repeat(70)}`, 'nested deeper than 64 levels'],
    ['keys by path', `${'a.'.repeat(70)}a = 1`, 'nested deeper than 64 levels'],
    ['the size of the file', `a = "${'x'.repeat(1024 * 1024)}"`, 'the file is larger than 1048576 characters'],
    ['lists that name lists', `x0 = [1, 1]\n${doubling((name) => `[${name}, ${name}]`)}`, 'holds more than 100000 values'],
    ['texts that name texts', `x0 = ab\n${doubling((name) => `${name}${name}`)}`, 'the joined text is longer than 65536 characters'],
    ['chains of substitutions', Array.from({ length: 2000 }, (_, i) => `x${String(i)} = \${x${String(i + 1)}}`).join('\n'), 'more than 500 times'],
  ])('hold for %s', (_, text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  function doubling(twice: (name: string) => string): string {
    return Array.from({ length: 40 }, (_, i) => `x${String(i + 1)} = ${twice(`\${x${String(i)}}`)}`).join('\n');
  }
});

describe('positions', () => {
  it('are those of the assignment that won', () => {
    const conf = parseServerConf('a.b = 1\na {\n  b = 2\n  b = ${?NOPE}\n  l = [1,\n    2]\n}\n', { file: 'f.conf', env });
    expect(conf.position(['a', 'b'])).toEqual({ file: 'f.conf', line: 3, column: 3 });
    expect(conf.position(['a', 'l', '1'])).toEqual({ file: 'f.conf', line: 6, column: 5 });
    expect(conf.position(['a'])).toEqual({ file: 'f.conf', line: 2, column: 1 });
    expect(conf.position(['a', 'nope'])).toBeUndefined();
  });
});

describe('includes', () => {
  let folder: string | undefined;

  function write(files: Record<string, string>): string {
    folder = mkdtempSync(join(tmpdir(), 'dialog-sip-conf-'));
    mkdirSync(join(folder, 'conf', 'below'), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return join(folder, 'conf', 'server.conf');
  }

  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
    folder = undefined;
  });

  it('read a file below the folder, whose substitutions count from the include and then from the root', async () => {
    const file = write({
      'conf/server.conf': 'top = 1\na { include "below/x" }\nx = ${a.own}\n',
      'conf/below/x.conf': 'own = 2\nmine = ${own}\nroots = ${top}\ninclude file("y.conf")',
      'conf/below/y.conf': 'list += 3',
    });
    const conf = await readServerConf(file, { env });
    expect(conf.tree).toEqual({ top: 1, a: { own: 2, mine: 2, roots: 1, list: [3] }, x: 2 });
    expect(conf.position(['a', 'mine'])).toEqual({ file: join(file, '../below/x.conf'), line: 2, column: 1 });
  });

  it('leave out a file that is not there, unless it is required', async () => {
    expect((await readServerConf(write({ 'conf/server.conf': 'include "nope"\na = 1' }), { env })).tree).toEqual({ a: 1 });
    const required = write({ 'conf/server.conf': 'include required(file("nope.conf"))' });
    await expect(readServerConf(required, { env })).rejects.toThrow('server.conf:1:1: include "nope.conf": there is no such file');
  });

  it.each([
    ['include "../secret.conf"', 'must name a file below the folder'],
    ['include file("below/../../secret.conf")', 'must name a file below the folder'],
    ['include "/etc/passwd"', 'must name a file below the folder'],
    ['include "link.conf"', 'leads out of the folder'],
    ['include "below"', 'it is not a regular file'],
    ['include url("http://127.0.0.1/x")', 'only files can be included'],
    ['include "server.conf"', 'includes go round'],
  ])('refuse %s', async (text, expected) => {
    const file = write({ 'conf/server.conf': `${text}\n`, 'secret.conf': 'password = hunter2' });
    symlinkSync(join(file, '../../secret.conf'), join(file, '../link.conf'));
    const failure = await readServerConf(file, { env }).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toContain(expected);
    expect((failure as ConfigError).message).not.toContain('hunter2');
  });

  it('refuse the fixture that reaches above its folder', async () => {
    await expect(readServerConf('fixtures/conf/include-outside.conf')).rejects.toThrow('fixtures/conf/include-outside.conf:2:1: include');
  });
});

describe('any text at all', () => {
  /** JSON trees without the keys that are refused. */
  const key = fc.string({ maxLength: 8, unit: 'binary' }).filter((name) => !['__proto__', 'prototype', 'constructor'].includes(name));
  const plainTree = fc.dictionary(
    key,
    fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (String(n) === JSON.stringify(n) && !String(n).includes('e+') ? n : 0.5)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value,
    { maxKeys: 5, noNullPrototype: true },
  );

  /** The same tree in other words: paths, `=`, `+=`, new lines, and one substitution for each text. */
  function reword(value: unknown, texts: string[]): string {
    if (typeof value === 'string') return `\${t${String(texts.push(value) - 1)}}`;
    if (Array.isArray(value)) return `[ // list\n${value.map((child) => reword(child, texts)).join('\n')}\n] []`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const fields = Object.entries(value).map(([name, child]) => `${JSON.stringify(name)} = ${reword(child, texts)} # field`);
    return `{\n${fields.join('\n')}\n}`;
  }

  it('reads JSON as JSON', () => {
    fc.assert(
      fc.property(plainTree, fc.constantFrom(0, 2), (original, indent) => {
        expect(tree(JSON.stringify(original, null, indent))).toEqual(JSON.parse(JSON.stringify(original)));
      }),
    );
  });

  it('reads a tree back from HOCON in which every text is a substitution', () => {
    fc.assert(
      fc.property(plainTree, (original) => {
        const texts: string[] = [];
        const body = reword(original, texts);
        const definitions = texts.map((text, index) => `t${String(index)} = ${JSON.stringify(text)}`);
        expect(tree(`${definitions.join('\n')}\nroot = ${body}`).root).toEqual(JSON.parse(JSON.stringify(original)));
      }),
    );
  });

  it('is read or refused with ConfigError, and touches no prototype', () => {
    const fragment = fc.constantFrom(
      'a', 'b', '.', '=', ':', '+=', '{', '}', '[', ']', ',', '\n', ' ', '"', '"""', '${a}', '${?b}', '${a.b}', '${', '}', '#', '//', '\\', '1', 'include ', '"x"',
      'file("', '")', '__proto__', 'true', '${a;b()}', '$', '\uFEFF', "'", '(', ')', '+', '\0',
    );
    const text = fc.oneof(fc.array(fragment, { maxLength: 30 }).map((parts) => parts.join('')), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(text, (input) => {
        try {
          parseServerConf(input, { file: 'f.conf', env: {}, readInclude: () => undefined });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ConfigError);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });
});

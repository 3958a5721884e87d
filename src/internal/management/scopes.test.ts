import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type CompiledLine, compileLines, parseScope, parseTree, type Scope } from './scopes.ts';

function compile(texts: readonly (readonly [Scope, string])[]): CompiledLine[] {
  return compileLines(
    texts.map(([scope, text], index) => {
      const tree = parseTree(text);
      assert.ok(tree.ok, JSON.stringify(tree));
      return { scope, revision: index + 1, tree: tree.value };
    }),
  );
}
function shown(lines: readonly CompiledLine[]): string[] {
  return lines.map(({ text, scope }) => (scope === undefined ? text : `${text}  # ${scope}`));
}

suite('scopes compile to one policy', () => {
  test('a narrower scope wins, setting by setting, and every line says where it comes from', () => {
    const lines = compile([
      ['global', 'limits: { access: { connections: 10, preSignIn: 5 } }\nsipDomains: [a.example, b.example]'],
      ['site/South', 'limits: { access: { connections: 20 } }'],
      ['service/edge1.example.com', 'sipDomains: [c.example]'],
    ]);
    assert.deepEqual(shown(lines), [
      'policy:',
      '  limits:',
      '    access:',
      '      connections: 20  # site/South',
      '      preSignIn: 5  # global',
      '  sipDomains: ["c.example"]  # service/edge1.example.com',
    ]);
  });

  test('the scope of a user takes the place of a line about that user, and of nobody else', () => {
    const lines = compile([
      [
        'global',
        'externalAccess: { remote: false, users: [{ user: Alice@Example.com, remote: true }, { user: bob@example.com }] }',
      ],
      ['user/carol@example.com', 'externalAccess: { federation: true }'],
      ['user/alice@example.com', 'externalAccess: { remote: false, federation: true }'],
      ['user/dave@example.com', ''],
    ]);
    assert.deepEqual(shown(lines), [
      'policy:',
      '  externalAccess:',
      '    remote: false  # global',
      '    users:',
      '      - {"user":"bob@example.com"}  # global',
      '      - {"user":"alice@example.com","remote":false,"federation":true}  # user/alice@example.com',
      '      - {"user":"carol@example.com","federation":true}  # user/carol@example.com',
    ]);
  });

  test('users alone make the section that they stand in', () => {
    assert.deepEqual(shown(compile([['user/a@b.example', 'externalAccess: { remote: true }']])), [
      'policy:',
      '  externalAccess:',
      '    users:',
      '      - {"user":"a@b.example","remote":true}  # user/a@b.example',
    ]);
  });

  test('the same scopes give the same bytes, in whichever order their keys were written', () => {
    const one = compile([['global', 'b: 1\na: { d: 1, c: 2 }']]);
    const two = compile([['global', 'a: { c: 2, d: 1 }\nb: 1']]);
    assert.deepEqual(
      one.map(({ text }) => text),
      two.map(({ text }) => text),
    );
  });
});

suite('what is no scope, or no policy', () => {
  test('scopes are written in one way', () => {
    for (const good of ['global', 'site/Head office', 'service/edge1.example.com', 'user/a@b.example'])
      assert.ok(parseScope(good).ok, good);
    for (const bad of ['', 'Global', 'site/', 'tag/x', 'site/a\nb', `user/${'a'.repeat(300)}`])
      assert.ok(!parseScope(bad).ok, bad);
  });
  test('aliases, two keys of one name and lists at the top are refused with their line', () => {
    for (const [text, expected] of [
      ['a: 1\nb: &x 1\nc: *x', /SLP-CFG-0021|alias/i],
      ['a: 1\na: 2', /line 2/],
      ['- a', /key: value/],
      ['a: [', /line \d/],
    ] as const) {
      const tree = parseTree(text);
      assert.ok(!tree.ok && expected.test(tree.error.message), text);
    }
  });
});

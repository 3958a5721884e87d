import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type DigestAlgorithm, digestAlgorithm } from './algorithm.ts';
import { formatChallenge, parseChallenge } from './challenge.ts';
import { formatCredentials, parseCredentials } from './credentials.ts';
import { answerChallenge, checkResponse, digestResponse, ha1 } from './response.ts';

describe('RFC 7616 §3.9.1', () => {
  const credentials = (algorithm: DigestAlgorithm) => ({
    algorithm,
    ha1: ha1(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life'),
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    nc: 1,
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    qop: 'auth' as const,
  });
  test('MD5', () => assert.equal(digestResponse(credentials('MD5')), '8ca523f5e9506fed4657c9700eebdbec'));
  test('SHA-256', () =>
    assert.equal(
      digestResponse(credentials('SHA-256')),
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    ));
});

test('RFC 7616 §3.9.2 with the hash that its erratum 4897 gives: SHA-512-256', () => {
  const response = digestResponse({
    algorithm: 'SHA-512-256',
    ha1: ha1('SHA-512-256', 'Jäsøn Doe', 'api@example.org', 'Secret, or not?'),
    method: 'GET',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    nc: 1,
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    qop: 'auth',
  });
  assert.equal(response, '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
});

describe('the parts that vary', () => {
  const base = { ha1: 'aa', method: 'REGISTER', uri: 'sip:a', nonce: 'n', nc: 1, cnonce: 'c' } as const;
  test('-sess covers nonce and cnonce', () => {
    const plain = digestResponse({ ...base, algorithm: 'SHA-256', qop: 'auth' });
    const session = digestResponse({ ...base, algorithm: 'SHA-256-sess', qop: 'auth' });
    assert.notEqual(plain, session);
  });
  test('auth-int covers the body', () => {
    const of = (body: string) =>
      digestResponse({ ...base, algorithm: 'MD5', qop: 'auth-int', body: Buffer.from(body) });
    assert.notEqual(of('a'), of('b'));
  });
  test('without qop nc and cnonce do not count', () => {
    const of = (nc: number) => digestResponse({ ...base, algorithm: 'MD5', nc });
    assert.equal(of(1), of(2));
  });
});

describe('challenges', () => {
  test('parsed', () => {
    const text =
      'Digest realm="atlanta.com", qop="auth, auth-int,x", nonce="84a4", opaque="", stale=TRUE, algorithm=sha-256';
    assert.deepEqual(parseChallenge(text), {
      ok: true,
      value: {
        realm: 'atlanta.com',
        nonce: '84a4',
        algorithm: 'SHA-256',
        qop: ['auth', 'auth-int'],
        opaque: '',
        stale: true,
      },
    });
  });
  for (const [text, error] of [
    ['Basic realm="x"', 'not-digest'],
    ['Digestrealm="x"', 'not-digest'],
    ['Digest realm="x"', 'missing-parameter'],
    ['Digest realm="x", nonce="y", algorithm=TOKEN', 'unsupported-algorithm'],
    ['Digest realm="x", nonce="y", realm="z"', 'repeated-parameter'],
    ['Digest realm="x, nonce="y"', 'syntax'],
    ['Digest realm="x" nonce="y"', 'syntax'],
    ['Digest realm="x", nonce="y", qop="token"', 'qop'],
  ] as const) {
    test(text, () => assert.deepEqual(parseChallenge(text), { ok: false, error }));
  }
});

describe('credentials', () => {
  const good = 'Digest username="a", realm="b", nonce="c", uri="sip:d", response="e"';
  for (const [tail, error] of [
    [', qop=auth', 'missing-parameter'],
    [', qop=auth, cnonce="x", nc=1', 'nonce-count'],
    [', qop=auth, cnonce="x", nc=00000000', 'nonce-count'],
    [', qop=other, cnonce="x", nc=00000001', 'qop'],
    [', username="z"', 'repeated-parameter'],
  ] as const) {
    test(tail, () => assert.deepEqual(parseCredentials(good + tail), { ok: false, error }));
  }
  test('MD5 is the default', () => {
    const parsed = parseCredentials(good);
    assert.ok(parsed.ok && parsed.value.algorithm === 'MD5');
  });
});

test('a client answers what a server asks, whatever the names and passwords', () => {
  const algorithms = [
    'MD5',
    'MD5-sess',
    'SHA-256',
    'SHA-256-sess',
    'SHA-512-256',
    'SHA-512-256-sess',
  ] as const;
  const word = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
  const qop = fc.constantFrom([], ['auth'], ['auth-int'], ['auth', 'auth-int']) as fc.Arbitrary<
    ('auth' | 'auth-int')[]
  >;
  fc.assert(
    fc.property(
      fc.constantFrom(...algorithms),
      word,
      word,
      word,
      qop,
      (algorithm, username, realm, password, qops) => {
        const challenge = parseChallenge(
          formatChallenge({ realm, nonce: 'n', algorithm, qop: qops, opaque: 'o' }),
        );
        assert.ok(challenge.ok);
        const method = 'REGISTER';
        const body = Buffer.from('body');
        const client = { username, password, method, uri: 'sip:example.com', cnonce: 'c', nc: 3, body };
        const sent = formatCredentials(answerChallenge(challenge.value, client));
        const received = parseCredentials(sent);
        assert.ok(received.ok, sent);
        const secret = ha1(algorithm, username, realm, password);
        assert.equal(checkResponse(received.value, { method, ha1: secret, body }), true);
        assert.equal(checkResponse(received.value, { method: 'INVITE', ha1: secret, body }), false);
        const other = ha1(algorithm, username, realm, `${password}x`);
        assert.equal(checkResponse(received.value, { method, ha1: other, body }), false);
      },
    ),
  );
});

test('a response of another length is wrong, whatever it begins with', () => {
  const secret = ha1('MD5', 'a', 'b', 'p');
  const base = { username: 'a', realm: 'b', nonce: 'n', uri: 'sip:d', algorithm: 'MD5' } as const;
  const response = digestResponse({ ...base, method: 'X', ha1: secret });
  const check = (text: string) => checkResponse({ ...base, response: text }, { method: 'X', ha1: secret });
  assert.equal(check(response), true);
  assert.equal(check(response.toUpperCase()), true);
  for (const text of ['', response.slice(1), `${response}0`]) assert.equal(check(text), false);
});

test('algorithms have their names in any case', () => {
  assert.equal(digestAlgorithm('sha-512-256-SESS'), 'SHA-512-256-sess');
  assert.equal(digestAlgorithm('SHA-1'), undefined);
});

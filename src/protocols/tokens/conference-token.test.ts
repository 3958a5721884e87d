import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '#kernel';
import {
  CONFERENCE_TOKEN_CHARACTERS,
  type ConferenceClaims,
  conferencePublicKey,
  conferenceSigningKey,
  nodeOfConferenceToken,
  openConferenceToken,
  sealConferenceToken,
} from './index.ts';

const random = new SeededRandom(11);
const key = conferenceSigningKey(random.bytes(32));
const publicKeys = [conferencePublicKey(key.publicBytes)!];
const claims: ConferenceClaims = {
  purpose: 'join',
  node: 'wc1.corp.example',
  conference: 'abcdefghijklmno2',
  participant: 12,
  role: 'presenter',
  serial: '00112233445566778899aabbccddeeff',
  expires: 1_800_000_000_000,
};
const NOW = claims.expires - 60_000;

test('what a node signs, an edge that has its public key reads', () => {
  const characters = (alphabet: string, length: number) =>
    fc
      .array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length })
      .map((all) => all.join(''));
  fc.assert(
    fc.property(
      fc.record(
        {
          purpose: fc.constantFrom('join' as const, 'resume' as const, 'content' as const),
          node: fc.domain().filter((name) => /^[a-z0-9.-]+$/.test(name)),
          conference: characters('abcdefghijklmnopqrstuvwxyz234567', 16),
          participant: fc.maxSafeNat(),
          role: fc.constantFrom('presenter' as const, 'attendee' as const),
          serial: characters('0123456789abcdef', 32),
          expires: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
        },
        { noNullPrototype: true },
      ),
      (some) => {
        const token = sealConferenceToken(key, some);
        assert.deepEqual(openConferenceToken(publicKeys, some.purpose, token, some.expires - 1), {
          ok: true,
          value: some,
        });
        assert.equal(nodeOfConferenceToken(token), some.node);
      },
    ),
    { numRuns: 50 },
  );
});

test('the longest node name fits into the longest token', () => {
  const token = sealConferenceToken(key, { ...claims, node: `${'a'.repeat(252)}b` });
  assert.ok(token.length <= CONFERENCE_TOKEN_CHARACTERS, `${token.length}`);
  assert.ok(openConferenceToken(publicKeys, 'join', token, NOW).ok);
});

test('every changed bit and every cut is noticed', () => {
  const token = Buffer.from(sealConferenceToken(key, claims), 'base64url');
  for (let bit = 0; bit < token.length * 8; bit++) {
    const changed = Buffer.from(token);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(openConferenceToken(publicKeys, 'join', changed.toString('base64url'), NOW).ok, false);
  }
  for (let length = 0; length < token.length; length++) {
    const cut = token.subarray(0, length).toString('base64url');
    assert.equal(openConferenceToken(publicKeys, 'join', cut, NOW).ok, false);
  }
});

test('a token is good for its purpose only, and before it expires', () => {
  const token = sealConferenceToken(key, claims);
  const error = (purpose: 'join' | 'resume' | 'content', now: number) => {
    const opened = openConferenceToken(publicKeys, purpose, token, now);
    return opened.ok ? undefined : opened.error;
  };
  assert.equal(error('join', claims.expires - 1), undefined);
  assert.equal(error('join', claims.expires), 'expired');
  assert.equal(error('resume', NOW), 'other-purpose');
  assert.equal(error('content', NOW), 'other-purpose');
});

test('who has the public key only makes nothing that opens', () => {
  const other = conferenceSigningKey(random.bytes(32));
  const foreign = sealConferenceToken(other, claims);
  assert.equal(openConferenceToken(publicKeys, 'join', foreign, NOW).ok, false);
  // Even when the hint names the right key.
  const bytes = Buffer.from(foreign, 'base64url');
  bytes[1] = key.id;
  assert.deepEqual(openConferenceToken(publicKeys, 'join', bytes.toString('base64url'), NOW), {
    ok: false,
    error: 'forged',
  });
  assert.deepEqual(openConferenceToken([], 'join', foreign, NOW), { ok: false, error: 'unknown-key' });
});

test('while keys are exchanged, tokens of both open', () => {
  const next = conferenceSigningKey(random.bytes(32));
  const both = [conferencePublicKey(next.publicBytes)!, ...publicKeys];
  for (const one of [key, next])
    assert.ok(openConferenceToken(both, 'join', sealConferenceToken(one, claims), NOW).ok);
  assert.ok(!openConferenceToken(both.slice(0, 1), 'join', sealConferenceToken(key, claims), NOW).ok);
});

test('a token has one spelling only', () => {
  const token = sealConferenceToken(key, claims);
  for (const other of [`${token}=`, `${token}\n`, ` ${token}`, token.toUpperCase(), '', 'A'])
    assert.equal(openConferenceToken(publicKeys, 'join', other, NOW).ok, false, JSON.stringify(other));
});

test('claims that have no place in a token are a bug of ours', () => {
  const wrong: Partial<ConferenceClaims>[] = [
    { node: '' },
    { node: 'UPPER.example' },
    { node: 'a'.repeat(254) },
    { conference: 'short' },
    { conference: 'abcdefghijklmno1' },
    { participant: -1 },
    { participant: 2 ** 53 },
    { serial: 'ff' },
    { expires: 2 ** 48 },
    { expires: 0.5 },
  ];
  for (const change of wrong)
    assert.throws(
      () => sealConferenceToken(key, { ...claims, ...change }),
      RangeError,
      JSON.stringify(change),
    );
  assert.throws(() => conferenceSigningKey(new Uint8Array(31)), RangeError);
  assert.equal(conferencePublicKey(new Uint8Array(31)), undefined);
});

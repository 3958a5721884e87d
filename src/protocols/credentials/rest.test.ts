import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { err, ok } from '#kernel';
import { longTermKey } from '#protocols/stun';
import {
  CombinedVerifier,
  type MediaCredentialVerifier,
  parseRestSecret,
  RestVerifier,
  restCredential,
} from './index.ts';

const secret = Buffer.from('a secret of the relay');
const wall = 1_800_000_000_000;

test('a credential has the form that coturn calls use-auth-secret', () => {
  // Reference: printf 1433895918:alice | openssl dgst -sha1 -hmac north -binary | base64
  assert.deepEqual(restCredential('north', 'alice', 1_433_895_918_999), {
    username: '1433895918:alice',
    password: 'RqMvcGPYTJMGThVLSi4amT4zFtI=',
  });
  assert.equal(restCredential('north', '', 1_433_895_918_000).username, '1433895918');
});

test('usernames: expiry alone, before, and after the user', () => {
  const verifier = new RestVerifier([secret]);
  const users = ['1800000600', '1800000600:alice', 'alice:1800000600', '1800000600:@alice:example.test'].map(
    (name) => {
      const found = verifier.lookup(Buffer.from(name), 'r', wall);
      assert.ok(found.ok, name);
      assert.equal(found.value.expires, 1_800_000_600_000);
      return found.value.user;
    },
  );
  assert.deepEqual(users, ['rest:', 'rest:alice', 'rest:alice', 'rest:@alice:example.test']);
  for (const name of [
    'alice',
    ':',
    'alice:',
    ':alice',
    '18000006o0',
    '18000000000000:a',
    '-1:a',
    'a:b:1800000600',
  ]) {
    assert.deepEqual(verifier.lookup(Buffer.from(name), 'r', wall), { ok: false, error: 'unknown' }, name);
  }
  assert.deepEqual(verifier.lookup(new Uint8Array(0), 'r', wall), { ok: false, error: 'malformed' });
  assert.deepEqual(verifier.lookup(Buffer.alloc(509, 0x31), 'r', wall), { ok: false, error: 'malformed' });
});

test('expiry is enforced to the second', () => {
  const verifier = new RestVerifier([secret]);
  const { username } = restCredential(secret, 'alice', wall + 1_000);
  assert.ok(verifier.lookup(Buffer.from(username), 'r', wall + 999).ok);
  assert.deepEqual(verifier.lookup(Buffer.from(username), 'r', wall + 1_000), {
    ok: false,
    error: 'expired',
  });
});

test('several secrets: a key for each, the current one first', () => {
  const older = Buffer.from('an older secret of ours');
  const verifier = new RestVerifier([secret, older]);
  const now = restCredential(secret, 'alice', wall + 60_000);
  const before = restCredential(older, 'alice', wall + 60_000);
  const found = verifier.lookup(Buffer.from(now.username), 'r', wall);
  assert.ok(found.ok);
  assert.deepEqual(found.value.keys[0], longTermKey(Buffer.from(now.username), 'r', now.password));
  assert.deepEqual(found.value.keys.slice(1), [longTermKey(Buffer.from(now.username), 'r', before.password)]);
  assert.deepEqual(new RestVerifier([]).lookup(Buffer.from(now.username), 'r', wall), {
    ok: false,
    error: 'unknown',
  });
});

test('combined: the verifier that knows the username decides', () => {
  const key = Buffer.alloc(16, 7);
  const carol: MediaCredentialVerifier = {
    lookup: (username) =>
      Buffer.from(username).toString() === 'carol'
        ? ok({ keys: [key], user: 'carol', expires: Number.POSITIVE_INFINITY })
        : err('unknown'),
  };
  const verifier = new CombinedVerifier([new RestVerifier([secret]), carol]);
  assert.ok(verifier.lookup(Buffer.from('1800000600:alice'), 'r', wall).ok);
  assert.deepEqual(verifier.lookup(Buffer.from('1700000600:alice'), 'r', wall), {
    ok: false,
    error: 'expired',
  });
  const found = verifier.lookup(Buffer.from('carol'), 'r', wall);
  assert.ok(found.ok && found.value.keys[0] === key);
  assert.deepEqual(verifier.lookup(Buffer.from('dave'), 'r', wall), { ok: false, error: 'unknown' });
  assert.deepEqual(verifier.lookup(Buffer.alloc(509), 'r', wall), { ok: false, error: 'malformed' });
});

test('the long-term key of RFC 8489 §9.2.2', () => {
  const key = longTermKey(Buffer.from('user'), 'realm', 'pass');
  assert.equal(key.toString('hex'), '8493fbc53ba582fb4c044c456bdc40eb');
});

test('property: whatever the user is called, the credential verifies', () => {
  const verifier = new RestVerifier([secret]);
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), fc.integer({ min: 1, max: 1e9 }), (user, seconds) => {
      const made = restCredential(secret, user, wall + seconds * 1_000);
      const username = Buffer.from(made.username);
      const found = verifier.lookup(username, 'r', wall);
      assert.ok(found.ok);
      assert.deepEqual(found.value.keys[0], longTermKey(username, 'r', made.password));
    }),
  );
});

test('secret files: one line, its end ignored', () => {
  const parsed = parseRestSecret(Buffer.from('0123456789abcdef\r\n'));
  assert.ok(parsed.ok);
  assert.equal(parsed.value.toString(), '0123456789abcdef');
  for (const bad of ['short\n', '', '0123456789abcdef\nmore\n', 'x'.repeat(513)]) {
    const refused = parseRestSecret(Buffer.from(bad));
    assert.ok(!refused.ok && refused.error.code === 'SLP-AV-0202');
  }
});

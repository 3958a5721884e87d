import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longTermKey, userhash } from '#protocols/stun';
import { AccountVerifier } from './accounts.ts';

const verifier = new AccountVerifier([{ name: 'gateway', password: Buffer.from('a long password') }]);

test('an account is known by its name and by its hash in the realm, and never ends', () => {
  for (const found of [
    verifier.lookup(Buffer.from('gateway'), 'example.org', 0),
    verifier.lookupHash(userhash('gateway', 'example.org'), 'example.org', 0),
  ]) {
    assert.ok(found.ok);
    assert.deepEqual(found.value.keys, [longTermKey('gateway', 'example.org', 'a long password')]);
    assert.equal(found.value.expires, Number.POSITIVE_INFINITY);
  }
  const sha256 = verifier.lookup(Buffer.from('gateway'), 'example.org', 0, 'sha256');
  assert.equal(sha256.ok && sha256.value.keys[0]?.length, 32);
});

test('nobody else is known, and no hash of another realm', () => {
  for (const name of ['', 'Gateway', 'gateway ', 'gatewa']) {
    assert.ok(!verifier.lookup(Buffer.from(name), 'example.org', 0).ok, name);
  }
  assert.ok(!verifier.lookupHash(userhash('gateway', 'example.net'), 'example.org', 0).ok);
  assert.ok(!verifier.lookupHash(new Uint8Array(0), 'example.org', 0).ok);
});

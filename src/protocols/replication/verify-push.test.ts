import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { catalogue } from '#kernel';
import { canonicalJson, sha256 } from './canonical.ts';
import { makeLink } from './link.ts';
import { manifestText, SNAPSHOT_BYTES } from './manifest.ts';
import { decodePush, encodePush, type Push } from './push.ts';
import type { RefusalReason } from './refusal.ts';
import { makeSealingKey, readSealingKey, seal, sealingKeyPem, unseal } from './sealed-secret.ts';
import { makeSigningKey, readSigningKey, signingKeyPem } from './signing-key.ts';
import { EDGE, TestStore } from './testing/chain.ts';
import { type Expectation, verifyPush } from './verify-push.ts';

function expecting(
  store: TestStore,
  head?: Expectation['head'],
  change: Partial<Expectation> = {},
): Expectation {
  return { edge: EDGE, signers: [store.key.fingerprint], head, held: () => undefined, ...change };
}
function refused(push: Push, expected: Expectation, reason: RefusalReason): void {
  const verdict = verifyPush(push, expected);
  assert.ok(!verdict.ok, `expected ${reason}, was accepted`);
  assert.equal(verdict.error.reason, reason, verdict.error.failure.message);
  assert.ok(catalogue[verdict.error.failure.code].remedy.length > 0);
}
function storeWith(versions: number): TestStore {
  const store = new TestStore();
  for (let version = 1; version <= versions; version++) store.publish(`policy: ${version}\n`);
  return store;
}

suite('what is taken', () => {
  test('a first load, which knows only the fingerprint of the key', () => {
    const store = storeWith(3);
    const verdict = verifyPush(store.push(2), expecting(store));
    assert.ok(verdict.ok);
    assert.deepEqual(verdict.value.head, store.head());
    assert.equal(Buffer.from(verdict.value.entries[0]?.bytes ?? []).toString(), 'policy: 3\n');
  });
  test('the next version, and one that was away catches up over every version in between', () => {
    const store = storeWith(9);
    for (const from of [0, 4, 7]) {
      const verdict = verifyPush(store.push(from + 1), expecting(store, store.head(from)));
      assert.ok(verdict.ok && !verdict.value.unchanged);
    }
  });
  test('what runs already, pushed again in full', () => {
    const store = storeWith(2);
    const verdict = verifyPush(store.push(1), expecting(store, store.head()));
    assert.ok(verdict.ok && verdict.value.unchanged);
  });
  test('an entry that is here already is not sent', () => {
    const store = storeWith(1);
    const held = (hash: string) => store.entries.get(hash);
    const push = { ...store.push(), entries: new Map() };
    assert.ok(verifyPush(push, expecting(store, undefined, { held })).ok);
    refused(push, expecting(store), 'incomplete');
    refused(push, expecting(store, undefined, { held: () => Buffer.from('rotten') }), 'malformed');
  });
  test('versions with gaps, as long as they grow', () => {
    const store = storeWith(1);
    store.publish('policy: 7\n', {}, 7);
    assert.ok(verifyPush(store.push(1), expecting(store, store.head(0))).ok);
  });
});

suite('what is refused', () => {
  test('a replay of an older version', () => {
    const store = storeWith(5);
    refused(store.push(2, 2), expecting(store, store.head(4)), 'old-version');
    refused(store.push(0, 3), expecting(store, store.head(4)), 'old-version');
  });
  test('another history: a second store with a copy of the key, or one restored from a backup', () => {
    const master = storeWith(4);
    const other = new TestStore(EDGE, master.key);
    for (let version = 1; version <= 4; version++) other.publish(`policy: other ${version}\n`);
    refused(other.push(3), expecting(master, master.head()), 'fork');
    other.publish('policy: other 5\n');
    refused(other.push(), expecting(master, master.head()), 'fork');
    refused(other.push(4), expecting(master, master.head()), 'fork');
  });
  test('a version that skips one of the chain, links out of order, a link twice', () => {
    const store = storeWith(5);
    refused(store.push(4), expecting(store, store.head(1)), 'fork');
    const [first, second, third] = store.push(2).links;
    assert.ok(first && second && third);
    const push = store.push(2);
    for (const links of [
      [second, first, third],
      [first, third],
      [first, second, second, third],
    ]) {
      refused({ ...push, links }, expecting(store, store.head(1)), 'fork');
    }
    refused({ ...push, links: [] }, expecting(store, store.head(1)), 'incomplete');
  });
  test('a version that does not grow, although it names the one that runs', () => {
    const store = storeWith(3);
    const head = store.head();
    store.publish('policy: 2\n', {}, 2);
    store.publish('policy: 4\n', {}, 4);
    refused(store.push(3), expecting(store, head), 'fork');
  });
  test('a signature by a key that is not pinned, and a pinned key with the signature of another', () => {
    const store = storeWith(1);
    const stranger = new TestStore(EDGE);
    stranger.publish('policy: 1\n');
    refused(stranger.push(), expecting(store), 'unknown-signer');
    const push = store.push();
    const [link] = push.links;
    assert.ok(link);
    const forged = { ...link, signature: stranger.links[0]?.signature ?? '' };
    refused({ ...push, links: [forged] }, expecting(store), 'bad-signature');
    refused(
      { ...push, links: [{ ...link, signature: `${link.signature}=` }] },
      expecting(store),
      'bad-signature',
    );
  });
  test('a changed link, in whatever field, and one that is spelt otherwise', () => {
    const store = storeWith(2);
    const [link] = store.push(1).links;
    assert.ok(link);
    const value = JSON.parse(link.text) as Record<string, string | number>;
    for (const change of [
      { version: 9 },
      { manifest: 'f'.repeat(64) },
      { created: 1 },
      { previous: 'a'.repeat(64) },
    ]) {
      const text = canonicalJson({ ...value, ...change });
      refused({ ...store.push(1), links: [{ ...link, text }] }, expecting(store), 'bad-signature');
    }
    const spaced = JSON.stringify(value, undefined, 1);
    refused({ ...store.push(1), links: [{ ...link, text: spaced }] }, expecting(store), 'malformed');
  });
  test('a link for another edge', () => {
    const store = new TestStore('edge2.example.com');
    store.publish('policy: 1\n');
    refused(store.push(), expecting(store), 'other-edge');
  });
  test('a format of the future', () => {
    const store = storeWith(1);
    const value = JSON.parse(store.links[0]?.text ?? '') as Record<string, string | number>;
    const text = canonicalJson({ ...value, format: 2 });
    refused({ ...store.push(), links: [{ text, signature: '' }] }, expecting(store), 'unknown-format');
  });
  test('a manifest of another version, and entries that it does not list', () => {
    const store = storeWith(2);
    refused({ ...store.push(1), manifest: store.manifests[0] ?? '' }, expecting(store), 'malformed');
    const entries = new Map([...store.push(1).entries, ['0'.repeat(64), Buffer.from('x')]]);
    refused({ ...store.push(1), entries }, expecting(store), 'malformed');
  });
  test('names that would leave the folder, collide or lie in one another', () => {
    for (const name of [
      '../policy.yaml',
      '/etc/passwd',
      'a/../b',
      'a//b',
      '.hidden',
      'A',
      'policy.yaml',
      'policy.yaml/x',
      'a/b/c/d',
      'con\0',
    ]) {
      const store = new TestStore();
      const entry = { sha256: 'a'.repeat(64), size: 1, sealed: true };
      const policy = { name: 'policy.yaml', sha256: 'b'.repeat(64), size: 1, sealed: false };
      const manifest = manifestText({
        entries: [policy, { ...entry, name }],
        author: 'a',
        reason: '',
        product: '0',
      });
      store.publish('policy: 1\n');
      const link = makeLink(store.key, {
        edge: EDGE,
        version: 1,
        previous: '0'.repeat(64),
        manifest: sha256(manifest),
        created: 1,
      });
      refused({ links: [link], manifest, entries: new Map() }, expecting(store), 'malformed');
    }
  });
  test('more than 16 MiB, in the message or by the sizes that the manifest tells', () => {
    const store = storeWith(1);
    const entry = { name: 'big', sha256: 'a'.repeat(64), size: SNAPSHOT_BYTES, sealed: true };
    const policy = { name: 'policy.yaml', sha256: 'b'.repeat(64), size: 1, sealed: false };
    const manifest = manifestText({ entries: [policy, entry], author: 'a', reason: '', product: '0' });
    const link = makeLink(store.key, {
      edge: EDGE,
      version: 1,
      previous: '0'.repeat(64),
      manifest: sha256(manifest),
      created: 1,
    });
    refused({ links: [link], manifest, entries: new Map() }, expecting(store), 'oversized');
    const decoded = decodePush(Buffer.alloc(SNAPSHOT_BYTES + 1, 32));
    assert.ok(!decoded.ok && decoded.error.reason === 'oversized');
    const tooMuch = encodePush({
      links: [],
      manifest: '',
      entries: new Map([['x', Buffer.alloc(SNAPSHOT_BYTES)]]),
    });
    assert.ok(!tooMuch.ok && tooMuch.error.reason === 'oversized');
  });
  test('a message that is cut off anywhere, or has a bit flipped anywhere', () => {
    const store = storeWith(3);
    const encoded = encodePush(store.push());
    assert.ok(encoded.ok);
    const original = encoded.value;
    for (let length = 0; length < original.length; length += 7) {
      assert.ok(!decodePush(original.subarray(0, length)).ok, `cut to ${length}`);
    }
    for (let at = 0; at < original.length; at += 3) {
      const damaged: Buffer = Buffer.from(original);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      const decoded = decodePush(damaged);
      const verdict = decoded.ok ? verifyPush(decoded.value, expecting(store)) : decoded;
      assert.ok(!verdict.ok, `bit of byte ${at}`);
    }
  });
});

suite('sealed secrets', () => {
  const context = { edge: EDGE, name: 'secrets/media.1' };
  const secret = Buffer.from('a pool key');
  test('the edge alone opens what was sealed to it, for what it was sealed', () => {
    const [own, other] = [makeSealingKey(), makeSealingKey()];
    const box = seal(secret, own.publicKey, context);
    assert.ok(box !== undefined && !box.includes(secret));
    assert.deepEqual(unseal(box, own, context), secret);
    assert.equal(unseal(box, other, context), undefined);
    assert.equal(unseal(box, own, { ...context, edge: 'edge2.example.com' }), undefined);
    assert.equal(unseal(box, own, { ...context, name: 'secrets/media.2' }), undefined);
  });
  test('a box that was changed or cut anywhere stays shut', () => {
    const key = makeSealingKey();
    const box = seal(secret, key.publicKey, context);
    assert.ok(box !== undefined);
    for (let at = 0; at < box.length; at++) {
      const damaged: Buffer = Buffer.from(box);
      damaged[at] = (damaged[at] ?? 0) ^ 0x80;
      // The highest bit of an X25519 public key is not part of it (RFC 7748 §5); the derivation covers it all the same.
      assert.equal(unseal(damaged, key, context), undefined, `byte ${at}`);
      assert.equal(unseal(box.subarray(0, at), key, context), undefined);
    }
  });
  test('nothing is sealed to a key with which nothing can be agreed upon', () => {
    assert.equal(seal(secret, Buffer.alloc(32).toString('base64url'), context), undefined);
    assert.equal(seal(secret, 'short', context), undefined);
  });
  test('keys survive their PEM form, and one kind does not pass for the other', () => {
    const [signing, sealing] = [makeSigningKey(), makeSealingKey()];
    assert.equal(readSigningKey(signingKeyPem(signing))?.fingerprint, signing.fingerprint);
    assert.equal(readSealingKey(sealingKeyPem(sealing))?.publicKey, sealing.publicKey);
    assert.equal(readSigningKey(sealingKeyPem(sealing)), undefined);
    assert.equal(readSealingKey(signingKeyPem(signing)), undefined);
    assert.equal(readSigningKey('nothing'), undefined);
  });
});

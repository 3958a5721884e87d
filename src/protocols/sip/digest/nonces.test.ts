import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SeededRandom } from '#kernel';
import { DigestNonces } from './nonces.ts';

const now = 1_700_000_000_000;
const key = Buffer.alloc(32, 7);
const nonces = (capacity = 10, windowMs = 60_000) =>
  new DigestNonces({ key, random: new SeededRandom(1), windowMs, capacity });

describe('a nonce', () => {
  test('is good for its window and stale afterwards', () => {
    const server = nonces();
    const nonce = server.issue(now);
    assert.equal(server.check(nonce, now + 59_999), 'good');
    assert.equal(server.check(nonce, now + 60_000), 'stale');
  });
  test('is honoured by every server with the key, and by no other', () => {
    const nonce = nonces().issue(now);
    assert.equal(nonces().check(nonce, now), 'good');
    const stranger = new DigestNonces({
      key: Buffer.alloc(32, 8),
      random: new SeededRandom(1),
      windowMs: 60_000,
      capacity: 1,
    });
    assert.equal(stranger.check(nonce, now), 'forged');
  });
  test('belongs to what it was bound to', () => {
    const server = nonces();
    const nonce = server.issue(now, 'connection 1');
    assert.equal(server.check(nonce, now, 'connection 1'), 'good');
    assert.equal(server.check(nonce, now, 'connection 2'), 'forged');
    assert.equal(server.check(nonce, now), 'forged');
  });
  test('has one spelling', () => {
    const server = nonces();
    const nonce = server.issue(now);
    for (const other of ['', 'x', `${nonce}=`, `${nonce} `, nonce.slice(1), `${nonce}A`]) {
      assert.equal(server.check(other, now), 'forged');
    }
  });
  test('two issued in one millisecond differ', () => {
    const server = nonces();
    assert.notEqual(server.issue(now), server.issue(now));
  });
});

describe('nonce counts', () => {
  test('S15: count once', () => {
    const server = nonces();
    const nonce = server.issue(now);
    assert.equal(server.use(nonce, 1, now), 'good');
    assert.equal(server.use(nonce, 1, now), 'replayed');
    assert.equal(server.use(nonce, 2, now), 'good');
    assert.equal(server.use(nonce, 1, now), 'replayed');
  });
  test('may overtake one another a little', () => {
    const server = nonces();
    const nonce = server.issue(now);
    const verdicts = [40, 10, 9, 39, 39, 8].map((nc) => server.use(nonce, nc, now));
    assert.deepEqual(verdicts, ['good', 'good', 'good', 'good', 'replayed', 'replayed']);
    assert.equal(server.use(nonce, 2 ** 32 - 1, now), 'good');
    assert.equal(server.use(nonce, 40, now), 'replayed');
  });
  test('are not taken for a stale or forged nonce', () => {
    const server = nonces();
    assert.equal(server.use(server.issue(now), 1, now + 60_000), 'stale');
    assert.equal(server.use('x', 1, now), 'forged');
    assert.equal(server.used, 0);
  });
});

test('the table keeps its size, and what it forgot cannot be replayed', () => {
  const server = nonces(3);
  const issued = [0, 1, 2, 3].map((ms) => server.issue(now + ms));
  for (const nonce of issued) assert.equal(server.use(nonce, 1, now + 10), 'good');
  assert.equal(server.used, 3);
  assert.equal(server.use(issued[0]!, 2, now + 10), 'stale');
  assert.equal(server.use(issued[1]!, 2, now + 10), 'good');
  assert.equal(server.use(server.issue(now + 10), 1, now + 10), 'good');
});

test('a short key or an empty table is a mistake of the caller', () => {
  const options = { random: new SeededRandom(1), windowMs: 1, capacity: 1 };
  assert.throws(() => new DigestNonces({ ...options, key: Buffer.alloc(15) }), RangeError);
  assert.throws(() => new DigestNonces({ ...options, key, capacity: 0 }), RangeError);
});

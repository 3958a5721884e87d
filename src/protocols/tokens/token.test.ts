import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '#kernel';
import { decodeFlowToken, encodeFlowToken } from './flow-token.ts';
import { openToken, sealToken, type TokenKeys, tokenKey } from './token.ts';

const random = new SeededRandom(7);
const newKey = () => tokenKey(random.bytes(32));
const keys: TokenKeys = { current: newKey() };

test('a sealed payload opens again for the same purpose', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 1024 }),
      fc.string({ minLength: 1, maxLength: 60 }),
      (payload, purpose) => {
        const opened = openToken(keys, purpose, sealToken(keys, purpose, payload));
        assert.ok(opened.ok);
        assert.deepEqual(new Uint8Array(opened.value), payload);
      },
    ),
  );
});

test('a token of another purpose is forged, wherever the boundary is put', () => {
  const token = sealToken(keys, 'flow', Buffer.from('conference'));
  assert.deepEqual(openToken(keys, 'flo', token), { ok: false, error: 'forged' });
  assert.deepEqual(openToken(keys, 'flowc', token), { ok: false, error: 'forged' });
});

test('every changed bit and every cut is noticed', () => {
  const token = Buffer.from(sealToken(keys, 'flow', Buffer.from('payload')), 'base64url');
  for (let bit = 0; bit < token.length * 8; bit++) {
    const changed = Buffer.from(token);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(openToken(keys, 'flow', changed.toString('base64url')).ok, false, `bit ${bit}`);
  }
  for (let length = 0; length < token.length; length++)
    assert.equal(openToken(keys, 'flow', token.subarray(0, length).toString('base64url')).ok, false);
});

test('a token has one spelling only', () => {
  const token = sealToken(keys, 'flow', Buffer.from('ab'));
  const respelt = `${token.slice(0, -1)}${token.endsWith('_') ? '-' : '_'}`;
  for (const other of [`${token}=`, `${token}\n`, ` ${token}`, token.replaceAll('-', '+'), respelt, ''])
    if (other !== token) assert.equal(openToken(keys, 'flow', other).ok, false, JSON.stringify(other));
});

test('a key that is listed opens, and one that is listed no more does not', () => {
  const old: TokenKeys = { current: newKey() };
  const token = sealToken(old, 'flow', Buffer.from('x'));
  let next = newKey();
  while (next.id === old.current.id) next = newKey();
  assert.ok(openToken({ current: next, others: [newKey(), old.current] }, 'flow', token).ok);
  assert.deepEqual(openToken({ current: next }, 'flow', token), { ok: false, error: 'unknown-key' });
});

test('two keys that share their id are both tried', () => {
  const first = newKey();
  let second = newKey();
  while (second.id !== first.id) second = newKey();
  const token = sealToken({ current: first }, 'flow', Buffer.from('x'));
  assert.ok(openToken({ current: second, others: [first] }, 'flow', token).ok);
});

test('short secrets, long payloads and empty purposes are refused', () => {
  assert.throws(() => tokenKey(new Uint8Array(31)), RangeError);
  assert.throws(() => sealToken(keys, 'flow', new Uint8Array(1025)), RangeError);
  assert.throws(() => sealToken(keys, '', new Uint8Array(1)), RangeError);
});

test('a flow token names node, worker, connection and nonce', () => {
  const u16 = fc.integer({ min: 0, max: 2 ** 16 - 1 });
  const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(
      fc.record({ node: u16, worker: u16, connection: u48, nonce: u48 }, { noNullPrototype: true }),
      (flow) => {
        const token = encodeFlowToken(keys, flow);
        assert.match(token, /^[A-Za-z0-9_-]{46}$/);
        assert.deepEqual(decodeFlowToken(keys, token), { ok: true, value: flow });
      },
    ),
  );
});

test('a sealed value that is no flow is malformed, and fields have bounds', () => {
  assert.deepEqual(decodeFlowToken(keys, sealToken(keys, 'flow', Buffer.alloc(17, 2))), {
    ok: false,
    error: 'malformed',
  });
  assert.deepEqual(decodeFlowToken(keys, sealToken(keys, 'flow', Buffer.alloc(16, 1))), {
    ok: false,
    error: 'malformed',
  });
  const flow = { node: 0, worker: 0, connection: 0, nonce: 0 };
  for (const wrong of [{ node: 65536 }, { worker: -1 }, { connection: 2 ** 48 }, { nonce: 0.5 }])
    assert.throws(() => encodeFlowToken(keys, { ...flow, ...wrong }), RangeError);
});

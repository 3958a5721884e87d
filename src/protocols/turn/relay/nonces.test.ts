import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '#kernel';
import { NONCE_COOKIE_BYTES, nonceCookie } from '#protocols/stun';
import { AnswerBudget } from './answer-budget.ts';
import { NONCE_BYTES, Nonces } from './nonces.ts';
import type { TurnListener } from './turn-listener.ts';

const listener: TurnListener = {
  id: 1,
  face: 'external',
  transport: 'udp',
  address: '203.0.113.30',
  port: 3478,
};
const client = { listener, address: '198.51.100.7', port: 40_000 };

test('a nonce is good for its client and its time only', () => {
  const nonces = new Nonces(new SeededRandom(1).bytes(32));
  const nonce = nonces.issue(listener, client.address, client.port, 10_000);
  assert.equal(nonce.length, NONCE_BYTES);
  assert.ok(nonces.check(nonce, client, 10_000, 60));
  assert.ok(nonces.check(nonce, client, 70_000, 60));
  assert.ok(!nonces.check(nonce, client, 71_000, 60));
  assert.ok(!nonces.check(nonce, client, 9_000, 60));
  assert.ok(!nonces.check(nonce, { ...client, port: 40_001 }, 10_000, 60));
  assert.ok(!nonces.check(nonce, { ...client, address: '198.51.100.8' }, 10_000, 60));
  assert.ok(!nonces.check(nonce, { ...client, listener: { ...listener, id: 2 } }, 10_000, 60));
});

test('changed and foreign nonces are refused', () => {
  const nonces = new Nonces(new SeededRandom(1).bytes(32));
  const nonce = nonces.issue(listener, client.address, client.port, 10_000);
  for (let at = 0; at < nonce.length; at++) {
    const changed = new Uint8Array(nonce);
    changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
    assert.ok(!nonces.check(changed, client, 10_000, 60), `octet ${at}`);
  }
  assert.ok(!nonces.check(new Uint8Array(0), client, 10_000, 60));
  assert.ok(!nonces.check(nonce.subarray(1), client, 10_000, 60));
  assert.ok(!nonces.check(new Uint8Array(16), client, 10_000, 60));
  const other = new Nonces(new SeededRandom(2).bytes(32));
  assert.ok(!other.check(nonce, client, 10_000, 60));
});

test('what a nonce’s cookie says is sealed with it, and a cookie is neither added nor taken away', () => {
  const nonces = new Nonces(new SeededRandom(1).bytes(32));
  const { address, port } = client;
  const said = nonces.issue(listener, address, port, 10_000, 1);
  assert.equal(said.length, NONCE_COOKIE_BYTES + NONCE_BYTES);
  assert.ok(nonces.check(said, client, 10_000, 60));
  for (let at = 0; at < said.length; at++) {
    const changed = new Uint8Array(said);
    changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
    assert.ok(!nonces.check(changed, client, 10_000, 60), `octet ${at}`);
  }
  assert.ok(!nonces.check(said.subarray(NONCE_COOKIE_BYTES), client, 10_000, 60));
  const bare = nonces.issue(listener, address, port, 10_000);
  for (const features of [0, 1, 0xffffff]) {
    const dressed = Buffer.concat([Buffer.from(nonceCookie(features), 'latin1'), bare]);
    assert.ok(!nonces.check(dressed, client, 10_000, 60));
  }
});

test('T8: a prefix has a burst and a rate of answers, other prefixes their own', () => {
  const budget = new AnswerBudget(99, 3);
  const take = (address: string, now: number) => budget.take(address, now, 2, 3);
  assert.deepEqual([take('192.0.2.1', 0), take('192.0.2.2', 0), take('192.0.2.3', 0)], [true, true, true]);
  assert.equal(take('192.0.2.4', 0), false);
  assert.equal(take('198.51.100.1', 0), true);
  assert.equal(take('192.0.2.5', 500), true);
  assert.equal(take('192.0.2.5', 500), false);
  for (let count = 0; count < 3; count++) assert.ok(take(`2001:db8:7:${count}::1`, 0));
  assert.equal(take('2001:db8:7:9::1', 0), false);
  assert.equal(take('2001:db8:8::1', 0), true);
});

import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hmac, messageHmac } from './hmac.ts';

test('is the HMAC of RFC 2104, for keys and messages of any length, in any number of parts', () => {
  for (const algorithm of ['sha1', 'sha256'] as const) {
    for (const keyOctets of [0, 1, 16, 63, 64, 65, 512]) {
      for (const octets of [0, 1, 55, 64, 120, 2_047, 2_048, 2_049, 70_000]) {
        const key = randomBytes(keyOctets);
        const message = randomBytes(octets);
        const right = createHmac(algorithm, key).update(message).digest();
        const half = octets >> 1;
        assert.deepEqual(hmac(algorithm, key, message), right, `${algorithm}, ${keyOctets}, ${octets}`);
        assert.deepEqual(hmac(algorithm, key, message.subarray(0, half), message.subarray(half)), right);
      }
    }
  }
});

test('text is taken as UTF-8', () => {
  const key = Buffer.from('key');
  const right = createHmac('sha1', key).update('Grüße, 世界').digest();
  assert.deepEqual(hmac('sha1', key, 'Grüße', ', 世界'), right);
});

test('what was given out is not written to again', () => {
  const key = randomBytes(20);
  const first = hmac('sha256', key, 'one');
  const copy = Buffer.from(first);
  hmac('sha256', key, 'two');
  assert.deepEqual(first, copy);
});

test('of a message, with another length in its head and zeros behind it, as message integrity wants it', () => {
  for (const octets of [20, 63, 64, 200, 2_060]) {
    for (const zeros of [0, 1, 63]) {
      const key = randomBytes(16);
      const message = randomBytes(octets);
      const meant = Buffer.concat([message, Buffer.alloc(zeros)]);
      meant.writeUInt16BE(0xfedc, 2);
      const before = Buffer.from(message);
      const right = createHmac('sha1', key).update(meant).digest('binary');
      assert.equal(messageHmac('sha1', key, message, octets, 0xfedc, zeros), right, `${octets}, ${zeros}`);
      assert.deepEqual(message, before, 'the message itself stays as it is');
    }
  }
});

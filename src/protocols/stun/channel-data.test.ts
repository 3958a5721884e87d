import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { channelDataLength, channelNumberOf, encodeChannelHeader, looksLikeChannelData } from './index.ts';

test('first bytes 64 to 127 are ChannelData (RFC 8656 §12, RFC 5766 §11)', () => {
  for (let byte = 0; byte < 256; byte++) assert.equal(looksLikeChannelData(byte), byte >= 64 && byte <= 127);
});

test('data, padding over UDP, and lengths that do not fit', () => {
  const length = (hex: string) => channelDataLength(Buffer.from(hex, 'hex'));
  assert.equal(length('40010003616263'), 3);
  assert.equal(length('4001000361626300'), 3);
  assert.equal(length('40010000'), 0);
  assert.equal(length('40010004616263'), -1);
  assert.equal(length('400100'), -1);
  assert.equal(length(''), -1);
  assert.equal(length('80010000'), -1);
});

test('header round trip', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0x4000, max: 0x7fff }),
      fc.uint8Array({ maxLength: 300 }),
      (channel, data) => {
        const bytes = new Uint8Array(4 + data.length);
        encodeChannelHeader(bytes, 0, channel, data.length);
        bytes.set(data, 4);
        assert.equal(channelNumberOf(bytes), channel);
        assert.equal(channelDataLength(bytes), data.length);
      },
    ),
  );
});

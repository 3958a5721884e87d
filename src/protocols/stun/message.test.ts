import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AttributeType,
  checkFingerprint,
  checkIntegrity,
  checkMessageIntegrity,
  checkMessageIntegritySha256,
  decodeLifetime,
  decodeStun,
  encodeFingerprint,
  encodeLifetime,
  encodeMessageIntegrity,
  encodeMessageIntegritySha256,
  MessageClass,
  Method,
  messageClassOf,
  messageType,
  methodOf,
  type StunMessage,
  StunWriter,
  writeU16,
} from './index.ts';

const id = Buffer.from('0102030405060708090a0b0c', 'hex');
const key = Buffer.from('a key of any length');

function begin(): StunWriter {
  return new StunWriter().begin(new Uint8Array(2_000), Method.Allocate, MessageClass.Request, id);
}

function decode(writer: StunWriter): StunMessage {
  const decoded = decodeStun(writer.bytes);
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.error);
  return decoded.value;
}

function dropOf(bytes: Uint8Array): string {
  const decoded = decodeStun(bytes);
  return decoded.ok ? 'accepted' : decoded.error;
}

test('message types: method and class bits, both ways', () => {
  assert.equal(messageType(Method.Binding, MessageClass.Request), 0x0001);
  assert.equal(messageType(Method.Allocate, MessageClass.Error), 0x0113);
  assert.equal(messageType(Method.Data, MessageClass.Indication), 0x0017);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xfff }), fc.constantFrom(0, 1, 2, 3), (method, messageClass) => {
      const type = messageType(method, messageClass as MessageClass);
      assert.ok(type < 0x4000);
      assert.equal(methodOf(type), method);
      assert.equal(messageClassOf(type), messageClass);
    }),
  );
});

test('what is not a STUN message is dropped with its reason', () => {
  const good = Buffer.from(begin().bytes);
  assert.equal(dropOf(good), 'accepted');
  assert.equal(dropOf(good.subarray(0, 19)), 'too-short');
  assert.equal(dropOf(Buffer.alloc(0)), 'too-short');
  assert.equal(dropOf(Buffer.concat([good, Buffer.alloc(4)])), 'bad-length');
  const cookie = Buffer.from(good);
  cookie[4] = 0;
  assert.equal(dropOf(cookie), 'not-stun');
  const channel = Buffer.from(good);
  channel[0] = 0x40;
  assert.equal(dropOf(channel), 'not-stun');
  const odd = Buffer.concat([good, Buffer.alloc(2)]);
  writeU16(odd, 2, 2);
  assert.equal(dropOf(odd), 'bad-length');
});

test('attributes that overrun the message, or are too many, are refused', () => {
  const writer = begin();
  writer.reserve(AttributeType.Data, 8);
  const bytes = Buffer.from(writer.bytes);
  writeU16(bytes, 22, 12);
  assert.equal(dropOf(bytes), 'attribute-overrun');
  const many = begin();
  for (let count = 0; count < 65; count++) many.reserve(AttributeType.DontFragment, 0);
  assert.equal(dropOf(many.bytes), 'too-many-attributes');
});

test('T6: attributes after MESSAGE-INTEGRITY are ignored', () => {
  const writer = begin();
  encodeMessageIntegrity(writer, key);
  encodeLifetime(writer, 0);
  writer.reserve(0x7abc, 4);
  const message = decode(writer);
  assert.deepEqual(decodeLifetime(message), { ok: false, error: 'absent' });
  assert.deepEqual(message.unknownRequired(new Set()), []);
  assert.ok(checkMessageIntegrity(message, key));
});

test('T6: after MESSAGE-INTEGRITY-SHA256 only FINGERPRINT counts', () => {
  const writer = begin();
  encodeLifetime(writer, 7);
  encodeMessageIntegritySha256(writer, key);
  encodeMessageIntegrity(writer, Buffer.from('forged'));
  encodeLifetime(writer, 0);
  encodeFingerprint(writer);
  const message = decode(writer);
  assert.deepEqual(decodeLifetime(message), { ok: true, value: 7 });
  assert.equal(message.integrityAt, 0);
  assert.ok(checkMessageIntegritySha256(message, key));
  assert.ok(message.fingerprintAt > 0);
});

test('MESSAGE-INTEGRITY and then SHA256: both are found, and the stronger decides', () => {
  const writer = begin();
  encodeMessageIntegrity(writer, key);
  encodeMessageIntegritySha256(writer, Buffer.from('other'));
  const message = decode(writer);
  assert.ok(checkMessageIntegrity(message, key));
  assert.ok(!checkMessageIntegritySha256(message, key));
  assert.ok(!checkIntegrity(message, key));
  assert.ok(checkIntegrity(message, Buffer.from('other')));
});

test('MESSAGE-INTEGRITY-SHA256 may be truncated to 16 octets, not to 12', () => {
  const writer = begin();
  encodeMessageIntegritySha256(writer, key);
  const bytes = Buffer.from(writer.bytes);
  for (const [kept, expected] of [
    [16, true],
    [12, 'malformed-integrity'],
  ] as const) {
    const cut = Buffer.from(bytes.subarray(0, 24 + kept));
    writeU16(cut, 2, 4 + kept);
    writeU16(cut, 22, kept);
    const decoded = decodeStun(cut);
    // A truncated value is computed over the length that was sent, so ours, made for 32, does not fit.
    assert.equal(decoded.ok ? decoded.value.integritySha256At > 0 : decoded.error, expected);
  }
});

test('FINGERPRINT must fit and be last', () => {
  const writer = begin();
  encodeFingerprint(writer);
  assert.ok(checkFingerprint(writer.bytes, 20));
  const wrong = Buffer.from(writer.bytes);
  wrong[9] = 0xff;
  assert.equal(dropOf(wrong), 'bad-fingerprint');
  encodeLifetime(writer, 1);
  assert.equal(dropOf(writer.bytes), 'fingerprint-not-last');
});

test('of several attributes of one type the first counts, and the others can be walked', () => {
  const writer = begin();
  encodeLifetime(writer, 1);
  encodeLifetime(writer, 2);
  const message = decode(writer);
  assert.deepEqual(decodeLifetime(message), { ok: true, value: 1 });
  const first = message.find(AttributeType.Lifetime);
  assert.equal(message.find(AttributeType.Lifetime, message.next(first)), 28);
  assert.equal(message.find(AttributeType.Lifetime, message.next(28)), -1);
});

test('the writer refuses what does not fit, and can be used again', () => {
  const writer = new StunWriter();
  assert.throws(() => writer.begin(new Uint8Array(19), 1, 0, id), RangeError);
  assert.throws(() => writer.begin(new Uint8Array(40), 1, 0, id.subarray(1)), RangeError);
  writer.begin(new Uint8Array(24), Method.Binding, MessageClass.Request, id);
  assert.throws(() => encodeLifetime(writer, 1), RangeError);
  const buffer = new Uint8Array(40).fill(0xff);
  writer.begin(buffer, Method.Binding, MessageClass.Request, id);
  writer.put(AttributeType.Nonce, Buffer.from('abc'));
  assert.equal(
    Buffer.from(writer.bytes).toString('hex'),
    '000100082112a4420102030405060708090a0b0c0015000361626300',
  );
});

test('any message that the writer makes is decoded to the same attributes', () => {
  const attribute = fc.record({
    // Anything but the three that have a place of their own.
    type: fc.integer({ min: 0, max: 0xffff }).filter((type) => ![0x0008, 0x001c, 0x8028].includes(type)),
    value: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(fc.array(attribute, { maxLength: 20 }), fc.boolean(), (attributes, sealed) => {
      const writer = begin();
      for (const { type, value } of attributes) writer.put(type, value);
      if (sealed) encodeMessageIntegrity(writer, key);
      encodeFingerprint(writer);
      const message = decode(writer);
      let at = 20;
      for (const { type, value } of attributes) {
        assert.equal(message.typeAt(at), type);
        assert.deepEqual(Buffer.from(message.valueAt(at)), Buffer.from(value));
        at = message.next(at);
      }
      assert.equal(at, message.end);
      assert.equal(checkMessageIntegrity(message, key), sealed);
    }),
  );
});

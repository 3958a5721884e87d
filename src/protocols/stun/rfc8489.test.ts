import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AttributeType,
  checkMessageIntegritySha256,
  decodePasswordAlgorithm,
  decodeStun,
  decodeUserhash,
  encodeMessageIntegritySha256,
  encodePasswordAlgorithm,
  encodeText,
  longTermKey,
  MessageClass,
  Method,
  nonceCookie,
  StunWriter,
  securityFeatures,
  userhash,
} from './index.ts';

// RFC 8489 §B.1 with its verified erratum 6268: the user's name in katakana, the password after OpaqueString.
const NAME = '\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9';
const REALM = 'example.org';
const NONCE = 'obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA';
const key = longTermKey(NAME, REALM, 'TheMatrIX', 'sha256');
const USERHASH = '4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704';
const INTEGRITY = 'b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65';

test('RFC 8489 B.1: USERHASH, PASSWORD-ALGORITHM and MESSAGE-INTEGRITY-SHA256 are those that the RFC prints', () => {
  const writer = new StunWriter();
  const id = Buffer.from('78ad3433c6ad72c029da412e', 'hex');
  writer.begin(new Uint8Array(300), Method.Binding, MessageClass.Request, id);
  writer.put(AttributeType.Userhash, userhash(NAME, REALM));
  encodeText(writer, AttributeType.Nonce, Buffer.from(NONCE));
  encodeText(writer, AttributeType.Realm, Buffer.from(REALM));
  encodePasswordAlgorithm(writer, 'sha256');
  encodeMessageIntegritySha256(writer, key);
  assert.equal(Buffer.from(writer.bytes.subarray(-32)).toString('hex'), INTEGRITY);
  assert.equal(writer.bytes[3], 0x90);
  const message = decodeStun(writer.bytes);
  assert.ok(message.ok);
  const hash = decodeUserhash(message.value);
  assert.equal(hash.ok && Buffer.from(hash.value).toString('hex'), USERHASH);
  assert.deepEqual(decodePasswordAlgorithm(message.value), { ok: true, value: 'sha256' });
  assert.ok(checkMessageIntegritySha256(message.value, key));
  assert.ok(!checkMessageIntegritySha256(message.value, longTermKey(NAME, REALM, 'TheMatrIX')));
});

test('the features that a nonce says, lowest bit first as in RFC 8489 B.1', () => {
  assert.equal(securityFeatures(Buffer.from(NONCE)), 2);
  assert.equal(nonceCookie(2), NONCE.slice(0, 13));
  for (const features of [0, 1, 3, 0x800000, 0xffffff]) {
    assert.equal(securityFeatures(Buffer.from(`${nonceCookie(features)}rest`)), features);
  }
  for (const nonce of ['', 'obMatJos', 'obMatJos2', 'obMatJos2AA', 'xbMatJos2AAAC', 'obMatJos2A*AC']) {
    assert.equal(securityFeatures(Buffer.from(nonce)), undefined, nonce);
  }
});

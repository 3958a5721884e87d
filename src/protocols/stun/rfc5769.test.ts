import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  AttributeType,
  checkFingerprint,
  checkMessageIntegrity,
  decodeStun,
  decodeText,
  decodeXorAddress,
  encodeFingerprint,
  encodeMessageIntegrity,
  encodeText,
  encodeXorAddress,
  longTermKey,
  MessageClass,
  Method,
  type StunMessage,
  StunWriter,
} from './index.ts';

const PASSWORD = 'VOkJxbRl1RmTxUk/WvJxBt';

function vector(name: string): Buffer {
  const file = new URL('../../../spec/vectors/rfc5769.txt', import.meta.url);
  const part = readFileSync(file, 'utf8')
    .split(/^= /m)
    .find((text) => text.startsWith(`${name}\n`));
  const lines = (part ?? '').split('\n').slice(1);
  return Buffer.from(lines.map((line) => line.replace(/;.*/, '').replaceAll(' ', '')).join(''), 'hex');
}

function decode(name: string): StunMessage {
  const decoded = decodeStun(vector(name));
  assert.ok(decoded.ok);
  return decoded.value;
}

function text(message: StunMessage, type: Parameters<typeof decodeText>[1]): string | undefined {
  const value = decodeText(message, type);
  return value.ok ? Buffer.from(value.value).toString() : undefined;
}

test('RFC 5769 §2.1: request', () => {
  const message = decode('request');
  assert.equal(message.method, Method.Binding);
  assert.equal(message.messageClass, MessageClass.Request);
  assert.equal(text(message, AttributeType.Software), 'STUN test client');
  assert.equal(text(message, AttributeType.Username), 'evtj:h6vY');
  assert.deepEqual(message.value(AttributeType.Priority), Buffer.from('6e0001ff', 'hex'));
  assert.ok(checkMessageIntegrity(message, Buffer.from(PASSWORD)));
  assert.ok(!checkMessageIntegrity(message, Buffer.from('another')));
  assert.ok(checkFingerprint(message.bytes, message.fingerprintAt));
  assert.deepEqual(message.unknownRequired(new Set([AttributeType.Username])), [AttributeType.Priority]);
});

for (const [name, address] of [
  ['ipv4-response', '192.0.2.1'],
  ['ipv6-response', '2001:db8:1234:5678:11:2233:4455:6677'],
] as const) {
  test(`RFC 5769 §2.2 and §2.3: ${name}`, () => {
    const message = decode(name);
    assert.equal(message.messageClass, MessageClass.Success);
    assert.equal(text(message, AttributeType.Software), 'test vector');
    const mapped = decodeXorAddress(message, AttributeType.XorMappedAddress);
    assert.ok(mapped.ok);
    assert.equal(mapped.value.address, address);
    assert.equal(mapped.value.port, 32853);
    assert.ok(checkMessageIntegrity(message, Buffer.from(PASSWORD)));
  });

  test(`our writer makes ${name}, but for the padding`, () => {
    const message = decode(name);
    const writer = new StunWriter().begin(
      new Uint8Array(200),
      Method.Binding,
      MessageClass.Success,
      message.transactionId,
    );
    encodeText(writer, AttributeType.Software, Buffer.from('test vector'));
    encodeXorAddress(writer, AttributeType.XorMappedAddress, address, 32853);
    encodeMessageIntegrity(writer, Buffer.from(PASSWORD));
    encodeFingerprint(writer);
    assert.equal(writer.length, message.bytes.length);
    const again = decodeStun(new Uint8Array(writer.bytes));
    assert.ok(again.ok && checkMessageIntegrity(again.value, Buffer.from(PASSWORD)));
    assert.deepEqual(Buffer.from(writer.bytes.subarray(0, 35)), message.bytes.subarray(0, 35));
    assert.deepEqual(
      Buffer.from(writer.bytes.subarray(36, message.integrityAt + 4)),
      message.bytes.subarray(36, message.integrityAt + 4),
    );
  });
}

test('RFC 5769 §2.4: request with long-term authentication, reproduced octet by octet', () => {
  const message = decode('long-term-request');
  const username = '\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9';
  assert.equal(text(message, AttributeType.Username), username);
  assert.equal(text(message, AttributeType.Nonce), 'f//499k954d6OL34oL9FSTvy64sA');
  assert.equal(text(message, AttributeType.Realm), 'example.org');
  const key = longTermKey(username, 'example.org', 'TheMatrIX');
  assert.ok(checkMessageIntegrity(message, key));
  const writer = new StunWriter().begin(
    new Uint8Array(200),
    Method.Binding,
    MessageClass.Request,
    message.transactionId,
  );
  encodeText(writer, AttributeType.Username, Buffer.from(username));
  encodeText(writer, AttributeType.Nonce, Buffer.from('f//499k954d6OL34oL9FSTvy64sA'));
  encodeText(writer, AttributeType.Realm, Buffer.from('example.org'));
  encodeMessageIntegrity(writer, key);
  assert.deepEqual(Buffer.from(writer.bytes), message.bytes);
});

test('RFC 8489 §9.2.2: the printed key of user, realm and pass', () => {
  assert.equal(longTermKey('user', 'realm', 'pass').toString('hex'), '8493fbc53ba582fb4c044c456bdc40eb');
});

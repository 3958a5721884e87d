import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  checkMsIntegrity,
  decodeMs,
  decodeMsAddress,
  decodeMsErrorCode,
  decodeMsNumber,
  decodeMsSequence,
  decodeMsText,
  decodeMsXorAddress,
  encodeMsAddress,
  encodeMsErrorCode,
  encodeMsIntegrity,
  encodeMsSequence,
  encodeMsXorAddress,
  longTermKey,
  looksLikeMs,
  MsAttributeType,
  type MsMessage,
  MsMessageType,
  MsWriter,
} from '../index.ts';
import { msVectors, type VectorName, vectorBytes } from '../testing/ms-vectors.ts';

const key = Buffer.from(msVectors.md5_key_hex, 'hex');
const username = Buffer.from(msVectors.username_hex, 'hex');
const realm = Buffer.from(msVectors.realm);
const connection = Buffer.from('c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3', 'hex');
const names = Object.keys(msVectors.messages) as VectorName[];

function decode(name: VectorName): MsMessage {
  const decoded = decodeMs(vectorBytes(name));
  assert.ok(decoded.ok, name);
  return decoded.value;
}

function write(name: VectorName, type: number, fill: (writer: MsWriter, id: Uint8Array) => void): void {
  const { transactionId } = decode(name);
  const writer = new MsWriter().begin(new Uint8Array(300), type, transactionId);
  fill(writer, transactionId);
  assert.equal(Buffer.from(writer.bytes).toString('hex'), vectorBytes(name).toString('hex'));
}

test('every vector is known by its first attribute and keeps its message type', () => {
  const { AllocateRequest, AllocateError, AllocateResponse, SendRequest, DataIndication } = MsMessageType;
  assert.deepEqual(
    names.map((name) => decode(name).type),
    [
      AllocateRequest,
      AllocateError,
      AllocateRequest,
      AllocateResponse,
      SendRequest,
      DataIndication,
      MsMessageType.SetActiveDestinationRequest,
      MsMessageType.SetActiveDestinationResponse,
    ],
  );
  assert.ok(names.every((name) => looksLikeMs(vectorBytes(name))));
});

test('the key is MD5 over the raw octets, the token two HMACs', () => {
  const password = Buffer.from(msVectors.password_hex, 'hex');
  assert.deepEqual(longTermKey(username, realm, password), key);
  const hmac = (name: 'key1_hex' | 'key2_hex', bytes: Uint8Array) =>
    createHmac('sha1', Buffer.from(msVectors[name], 'hex')).update(bytes).digest();
  assert.deepEqual(hmac('key1_hex', username.subarray(0, 32)), username.subarray(32));
  assert.deepEqual(hmac('key2_hex', username), password);
  assert.equal(username.toString('base64'), msVectors.username_b64);
});

test('integrity fits where it is, and a change anywhere before it is noticed', () => {
  const signed = names.filter((name) => decode(name).hasIntegrity);
  assert.deepEqual(
    signed.map((name) => name.slice(0, 1)),
    ['3', '4', '5', '7', '8'],
  );
  for (const name of signed) {
    assert.ok(checkMsIntegrity(decode(name), key), name);
    const bytes = vectorBytes(name);
    for (let at = 4; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const decoded = decodeMs(changed);
      if (decoded.ok) assert.equal(checkMsIntegrity(decoded.value, key), false, `${name} at ${at}`);
    }
  }
});

test('what the vectors hold is read', () => {
  const refusal = decode('2_allocate_error_401');
  assert.deepEqual(decodeMsErrorCode(refusal), { ok: true, value: 401 });
  const nonce = decodeMsText(refusal, MsAttributeType.Nonce);
  assert.ok(nonce.ok && Buffer.from(nonce.value).toString() === 'n-0001');
  const granted = decode('4_allocate_success');
  assert.deepEqual(decodeMsAddress(granted, MsAttributeType.MappedAddress), {
    ok: true,
    value: { address: '192.0.2.10', port: 50_000 },
  });
  assert.deepEqual(decodeMsXorAddress(granted), {
    ok: true,
    value: { address: '198.51.100.7', port: 40_000 },
  });
  assert.deepEqual(decodeMsNumber(granted, MsAttributeType.Lifetime), { ok: true, value: 600 });
  assert.deepEqual(decodeMsNumber(granted, MsAttributeType.Bandwidth), { ok: true, value: 750 });
  const send = decode('5_send_request_libnice_order');
  const sequence = decodeMsSequence(send);
  assert.ok(sequence.ok && sequence.value.number === 1);
  assert.deepEqual(Buffer.from(sequence.value.connectionId), connection);
  assert.equal(Buffer.from(send.value(MsAttributeType.Data) ?? []).toString(), 'hello');
  const data = decode('6_data_indication');
  assert.deepEqual(decodeMsAddress(data, MsAttributeType.RemoteAddress), {
    ok: true,
    value: { address: '203.0.113.5', port: 6_000 },
  });
});

test('every vector is written octet by octet', () => {
  const { Realm, Nonce, Username, MsVersion, MappedAddress, Lifetime, Bandwidth } = MsAttributeType;
  const { Data, DestinationAddress, RemoteAddress } = MsAttributeType;
  const peer = { address: '203.0.113.5', port: 6_000 };
  write('1_allocate_request', MsMessageType.AllocateRequest, (writer) => writer.putU32(MsVersion, 1));
  write('2_allocate_error_401', MsMessageType.AllocateError, (writer) => {
    encodeMsErrorCode(writer, 401, 'Unauthorized');
    writer.put(Realm, realm);
    writer.put(Nonce, Buffer.from('n-0001'));
    writer.putU32(MsVersion, 1);
  });
  write('3_allocate_request_auth', MsMessageType.AllocateRequest, (writer) => {
    writer.putU32(MsVersion, 1);
    writer.put(Realm, realm);
    writer.put(Nonce, Buffer.from('n-0001'));
    writer.put(Username, username);
    encodeMsIntegrity(writer, key);
  });
  write('4_allocate_success', MsMessageType.AllocateResponse, (writer, id) => {
    encodeMsAddress(writer, MappedAddress, '192.0.2.10', 50_000);
    writer.putU32(Lifetime, 600);
    writer.putU32(Bandwidth, 750);
    encodeMsXorAddress(writer, '198.51.100.7', 40_000, id);
    encodeMsSequence(writer, connection, 0);
    writer.putU32(MsVersion, 1);
    encodeMsIntegrity(writer, key);
  });
  write('5_send_request_libnice_order', MsMessageType.SendRequest, (writer) => {
    writer.put(Username, username);
    encodeMsAddress(writer, DestinationAddress, peer.address, peer.port);
    writer.putU32(MsVersion, 1);
    encodeMsSequence(writer, connection, 1);
    writer.put(Realm, realm);
    writer.put(Data, Buffer.from('hello'));
    encodeMsIntegrity(writer, key);
  });
  write('6_data_indication', MsMessageType.DataIndication, (writer) => {
    encodeMsAddress(writer, RemoteAddress, peer.address, peer.port);
    writer.put(Data, Buffer.from('world'));
  });
  write('7_set_active_destination', MsMessageType.SetActiveDestinationRequest, (writer) => {
    writer.put(Username, username);
    encodeMsSequence(writer, connection, 2);
    writer.put(Realm, realm);
    encodeMsAddress(writer, DestinationAddress, peer.address, peer.port);
    encodeMsIntegrity(writer, key);
  });
  write('8_set_active_destination_ok', MsMessageType.SetActiveDestinationResponse, (writer) => {
    encodeMsSequence(writer, connection, 2);
    encodeMsIntegrity(writer, key);
  });
});

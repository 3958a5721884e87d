import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AttributeType,
  checkChannelNumber,
  checkTextLength,
  decodeAddressFamily,
  decodeChannelNumber,
  decodeErrorCode,
  decodeEvenPort,
  decodeIp,
  decodeLifetime,
  decodeMappedAddress,
  decodeRequestedTransport,
  decodeReservationToken,
  decodeStun,
  decodeText,
  decodeUnknownAttributes,
  decodeXorAddress,
  encodeAddressFamily,
  encodeChannelNumber,
  encodeErrorCode,
  encodeEvenPort,
  encodeLifetime,
  encodeMappedAddress,
  encodeRequestedTransport,
  encodeReservationToken,
  encodeText,
  encodeUnknownAttributes,
  encodeXorAddress,
  MessageClass,
  Method,
  type StunMessage,
  StunWriter,
} from '../index.ts';

function message(fill: (writer: StunWriter) => void): StunMessage {
  const id = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafb', 'hex');
  const writer = new StunWriter().begin(new Uint8Array(2_000), Method.Allocate, MessageClass.Request, id);
  fill(writer);
  const decoded = decodeStun(writer.bytes);
  assert.ok(decoded.ok);
  return decoded.value;
}

const withRaw = (type: number, hex: string) => message((writer) => writer.put(type, Buffer.from(hex, 'hex')));
const empty = message(() => {});

/** Every family: its type, how it is read, octets that are wrong. */
const families: readonly [
  number,
  (message: StunMessage) => { ok: boolean; error?: unknown },
  readonly string[],
][] = [
  [AttributeType.Lifetime, decodeLifetime, ['', '0000', '0000000000']],
  [AttributeType.ChannelNumber, decodeChannelNumber, ['4000', '']],
  [AttributeType.RequestedTransport, decodeRequestedTransport, ['11', '']],
  [AttributeType.EvenPort, decodeEvenPort, ['', '8000', '80000000']],
  [AttributeType.ReservationToken, decodeReservationToken, ['00', '000102030405060708']],
  [AttributeType.ErrorCode, decodeErrorCode, ['0000', '00000201', '00000701', '00000464']],
  [AttributeType.UnknownAttributes, decodeUnknownAttributes, ['00', '000102']],
  [
    AttributeType.XorPeerAddress,
    (m) => decodeXorAddress(m, AttributeType.XorPeerAddress),
    ['', '0001000901020304ff', '0002000901020304', '0003000901020304'],
  ],
  [
    AttributeType.AlternateServer,
    (m) => decodeMappedAddress(m, AttributeType.AlternateServer),
    ['', '00010009010203', '0002000901020304'],
  ],
  [
    AttributeType.RequestedAddressFamily,
    (m) => decodeAddressFamily(m, AttributeType.RequestedAddressFamily),
    ['', '01'],
  ],
  [AttributeType.Username, (m) => decodeText(m, AttributeType.Username), ['61'.repeat(509)]],
];

for (const [type, decode, wrong] of families) {
  test(`attribute ${type}: absent and malformed are told apart`, () => {
    assert.deepEqual(decode(empty), { ok: false, error: 'absent' });
    for (const hex of wrong)
      assert.deepEqual(decode(withRaw(type, hex)), { ok: false, error: 'malformed' }, hex);
  });
}

test('what is encoded is decoded again', () => {
  const made = message((writer) => {
    encodeLifetime(writer, 0xffffffff);
    encodeChannelNumber(writer, 0x4abc);
    encodeRequestedTransport(writer, 17);
    encodeEvenPort(writer, true);
    encodeReservationToken(writer, Buffer.from('12345678'));
    encodeErrorCode(writer, 438, 'Stale');
    encodeUnknownAttributes(writer, [1, 0x7fff]);
    encodeMappedAddress(writer, AttributeType.AlternateServer, '2001:db8::7', 3478);
    encodeAddressFamily(writer, AttributeType.RequestedAddressFamily, 'ipv6');
    encodeText(writer, AttributeType.Realm, Buffer.from('example.org'));
  });
  assert.deepEqual(decodeLifetime(made), { ok: true, value: 0xffffffff });
  assert.deepEqual(decodeChannelNumber(made), { ok: true, value: 0x4abc });
  assert.deepEqual(decodeRequestedTransport(made), { ok: true, value: 17 });
  assert.deepEqual(decodeEvenPort(made), { ok: true, value: { reserveNext: true } });
  const token = decodeReservationToken(made);
  assert.equal(token.ok && Buffer.from(token.value).toString(), '12345678');
  assert.deepEqual(decodeErrorCode(made), { ok: true, value: { code: 438, reason: 'Stale' } });
  assert.deepEqual(decodeUnknownAttributes(made), { ok: true, value: [1, 0x7fff] });
  const alternate = decodeMappedAddress(made, AttributeType.AlternateServer);
  assert.deepEqual(alternate, { ok: true, value: { address: '2001:db8::7', port: 3478 } });
  assert.deepEqual(decodeAddressFamily(made, AttributeType.RequestedAddressFamily), {
    ok: true,
    value: 'ipv6',
  });
});

test('a family that nobody knows is unsupported, not malformed', () => {
  const strange = withRaw(AttributeType.RequestedAddressFamily, '03000000');
  assert.deepEqual(decodeAddressFamily(strange, AttributeType.RequestedAddressFamily), {
    ok: false,
    error: 'unsupported',
  });
});

test('channel numbers are 0x4000 to 0x7FFF, as clients of RFC 5766 still choose them', () => {
  for (const [channel, good] of [
    [0x3fff, false],
    [0x4000, true],
    [0x7fff, true],
    [0x8000, false],
  ] as const) {
    assert.equal(checkChannelNumber(channel), good);
  }
});

test('texts that are too long cannot be written', () => {
  assert.throws(
    () => message((writer) => encodeText(writer, AttributeType.Username, Buffer.alloc(509))),
    RangeError,
  );
  assert.ok(checkTextLength(AttributeType.Username, 508));
  assert.ok(!checkTextLength(AttributeType.Username, 509));
});

test('every address and port survives XOR', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(octets, fc.integer({ min: 0, max: 0xffff }), (address, port) => {
      const text = decodeIp(address, 0, address.length as 4 | 16);
      const made = message((writer) => encodeXorAddress(writer, AttributeType.XorPeerAddress, text, port));
      const family = address.length === 4 ? 'ipv4' : 'ipv6';
      assert.deepEqual(decodeXorAddress(made, AttributeType.XorPeerAddress), {
        ok: true,
        value: { family, address: text, port },
      });
    }),
  );
});

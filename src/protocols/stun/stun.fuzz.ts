import type { FuzzTarget } from '#tools/fuzz';
import {
  AttributeType,
  channelDataLength,
  channelNumberOf,
  decodeAddressFamily,
  decodeChannelNumber,
  decodeData,
  decodeErrorCode,
  decodeEvenPort,
  decodeLifetime,
  decodeMappedAddress,
  decodeRequestedTransport,
  decodeReservationToken,
  decodeStun,
  decodeText,
  decodeUnknownAttributes,
  decodeXorAddress,
  encodeFingerprint,
  encodeMessageIntegrity,
  encodeXorAddress,
  MessageClass,
  Method,
  type StunMessage,
  StunWriter,
  sameOctets,
  stunLimits,
} from './index.ts';

const writer = new StunWriter();
const first = new Uint8Array(70_000);
const second = new Uint8Array(70_000);

/** Decoded, written again, decoded and written once more: the same octets. */
function fuzzMessage(input: Uint8Array): void {
  const decoded = decodeStun(input);
  if (!decoded.ok) return;
  const message = decoded.value;
  if (message.end > input.length || message.end < 20)
    throw new Error('the attributes end outside the message');
  decodeEverything(message);
  const once = rewrite(message, first);
  const again = decodeStun(once);
  if (!again.ok) throw new Error(`what was written is not read: ${again.error}`);
  if (!sameOctets(rewrite(again.value, second), once)) throw new Error('two writings differ');
}

/** Writes the attributes that count into `buffer`; zero padding, no integrity, no fingerprint. */
function rewrite(message: StunMessage, buffer: Uint8Array): Uint8Array {
  writer.begin(buffer, message.method, message.messageClass, message.transactionId);
  let count = 0;
  for (let at = 20; at < message.end; at = message.next(at)) {
    writer.put(message.typeAt(at), message.valueAt(at));
    count++;
  }
  if (count > stunLimits.attributes) throw new Error(`${count} attributes`);
  if (writer.length !== message.end) throw new Error('the attributes take another length');
  return writer.bytes;
}

/** Every family reads the message without an exception, and what it reads is in bounds. */
function decodeEverything(message: StunMessage): void {
  decodeAddressFamily(message, AttributeType.RequestedAddressFamily);
  decodeChannelNumber(message);
  const data = decodeData(message);
  if (data >= 0 && data + 4 + message.lengthAt(data) > message.end) throw new Error('DATA out of bounds');
  const code = decodeErrorCode(message);
  if (code.ok && (code.value.code < 300 || code.value.code > 699))
    throw new Error(`error ${code.value.code}`);
  decodeEvenPort(message);
  const lifetime = decodeLifetime(message);
  if (lifetime.ok && !(lifetime.value >= 0 && lifetime.value < 2 ** 32)) throw new Error('LIFETIME');
  decodeMappedAddress(message, AttributeType.AlternateServer);
  decodeRequestedTransport(message);
  decodeReservationToken(message);
  decodeText(message, AttributeType.Username);
  decodeUnknownAttributes(message);
  message.unknownRequired(new Set());
  const peer = decodeXorAddress(message, AttributeType.XorPeerAddress);
  if (!peer.ok) return;
  const { address, port } = peer.value;
  writer.begin(second, message.method, message.messageClass, message.transactionId);
  encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
  const value = message.value(AttributeType.XorPeerAddress) ?? new Uint8Array(0);
  if (!sameOctets(writer.bytes.subarray(26, writer.length), value.subarray(2)))
    throw new Error(`address ${address}`);
}

function fuzzChannelData(input: Uint8Array): void {
  const length = channelDataLength(input);
  if (length === -1) return;
  const number = channelNumberOf(input);
  if (length + 4 > input.length || number < 0x4000 || number > 0x7fff) throw new Error('out of bounds');
}

function seed(fill: (writer: StunWriter) => void): Uint8Array {
  const message = new StunWriter().begin(
    new Uint8Array(500),
    Method.Allocate,
    MessageClass.Request,
    new Uint8Array(12),
  );
  fill(message);
  return message.bytes;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: 'stun-message',
    seeds: [
      seed(() => {}),
      seed((message) => {
        encodeXorAddress(message, AttributeType.XorPeerAddress, '192.0.2.1', 9);
        encodeXorAddress(message, AttributeType.XorPeerAddress, '2001:db8::1', 9);
        message.put(AttributeType.Data, Buffer.from('abcde'));
        message.put(AttributeType.ErrorCode, Buffer.from('00000401', 'hex'));
        message.put(AttributeType.Lifetime, Buffer.from('00000258', 'hex'));
        message.put(AttributeType.UnknownAttributes, Buffer.from('00010002', 'hex'));
      }),
      seed((message) => {
        message.put(AttributeType.EvenPort, Buffer.from('80', 'hex'));
        encodeMessageIntegrity(message, Buffer.from('key'));
        encodeFingerprint(message);
      }),
    ],
    run: fuzzMessage,
  },
  {
    name: 'channel-data',
    seeds: [Buffer.from('40010003616263', 'hex'), Buffer.from('4fff0000', 'hex')],
    run: fuzzChannelData,
  },
];

import { err, ok, type Result } from '#kernel';
import { decodeIp, encodeIp, type TransportAddress } from '../ip-address.ts';
import type { AttributeFault } from '../message.ts';
import { readU16, readU32, writeU16, writeU32 } from '../octets.ts';
import { MsAttributeType } from './ms-attribute-types.ts';
import type { MsMessage } from './ms-message.ts';
import type { MsWriter } from './ms-writer.ts';

/** LIFETIME, BANDWIDTH, MS-VERSION: one 32-bit number. */
export function decodeMsNumber(message: MsMessage, type: number): Result<number, AttributeFault> {
  const at = message.find(type);
  if (at < 0) return err('absent');
  return message.lengthAt(at) === 4 ? ok(readU32(message.bytes, at + 4)) : err('malformed');
}

/** Longest values of text attributes, octets ([MS-TURN] §2.2.2; USERNAME as in RFC 8489 §14.3). */
const longest: Readonly<Record<number, number>> = {
  [MsAttributeType.Username]: 508,
  [MsAttributeType.Nonce]: 128,
  [MsAttributeType.Realm]: 128,
};

/** USERNAME, NONCE, REALM as octets, a view. */
export function decodeMsText(message: MsMessage, type: number): Result<Uint8Array, AttributeFault> {
  const value = message.value(type);
  if (value === undefined) return err('absent');
  return value.length > 0 && value.length <= (longest[type] ?? 0) ? ok(value) : err('malformed');
}

/** MAPPED, ALTERNATE SERVER, DESTINATION and REMOTE ADDRESS: in clear, IPv4 or IPv6. */
export function decodeMsAddress(message: MsMessage, type: number): Result<TransportAddress, AttributeFault> {
  return readAddress(message, type, undefined);
}

/** XOR MAPPED ADDRESS: port and address combined with the first octets of the transaction id. */
export function decodeMsXorAddress(message: MsMessage): Result<TransportAddress, AttributeFault> {
  return readAddress(message, MsAttributeType.XorMappedAddress, message.transactionId);
}

function readAddress(
  message: MsMessage,
  type: number,
  mask: Uint8Array | undefined,
): Result<TransportAddress, AttributeFault> {
  const value = message.value(type);
  if (value === undefined) return err('absent');
  const octets = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (octets === 0 || value.length !== 4 + octets) return err('malformed');
  if (mask === undefined) return ok({ address: decodeIp(value, 4, octets), port: readU16(value, 2) });
  const clear = value.slice();
  unmask(clear, 0, octets, mask);
  return ok({ address: decodeIp(clear, 4, octets), port: readU16(clear, 2) });
}

/** @param address IP text; anything else is a RangeError */
export function encodeMsAddress(writer: MsWriter, type: number, address: string, port: number): void {
  writeAddress(writer, type, address, port);
}

/** @param transactionId of the message being written */
export function encodeMsXorAddress(
  writer: MsWriter,
  address: string,
  port: number,
  transactionId: Uint8Array,
): void {
  const { at, octets } = writeAddress(writer, MsAttributeType.XorMappedAddress, address, port);
  unmask(writer.buffer, at, octets, transactionId);
}

function writeAddress(writer: MsWriter, type: number, address: string, port: number) {
  const scratch = new Uint8Array(16);
  const octets = encodeIp(address, scratch, 0);
  if (octets === 0) throw new RangeError(`not an IP address: ${address}`);
  const at = writer.reserve(type, 4 + octets);
  writer.buffer[at] = 0;
  writer.buffer[at + 1] = octets === 4 ? 1 : 2;
  writeU16(writer.buffer, at + 2, port);
  writer.buffer.set(scratch.subarray(0, octets), at + 4);
  return { at, octets };
}

function unmask(bytes: Uint8Array, at: number, octets: number, mask: Uint8Array): void {
  for (let index = 0; index < 2; index++) {
    bytes[at + 2 + index] = (bytes[at + 2 + index] ?? 0) ^ (mask[index] ?? 0);
  }
  for (let index = 0; index < octets; index++) {
    bytes[at + 4 + index] = (bytes[at + 4 + index] ?? 0) ^ (mask[index] ?? 0);
  }
}

/** Octets of a ConnectionID. */
export const CONNECTION_ID_BYTES = 20;

/** MS-SEQUENCE NUMBER: which allocation a message belongs to, and its place in the order ([MS-TURN] §2.2.2.19). */
export interface MsSequence {
  /** 20 octets, a view. */
  readonly connectionId: Uint8Array;
  /** 0..2^32-1 */
  readonly number: number;
}

export function decodeMsSequence(message: MsMessage): Result<MsSequence, AttributeFault> {
  const value = message.value(MsAttributeType.MsSequenceNumber);
  if (value === undefined) return err('absent');
  if (value.length !== CONNECTION_ID_BYTES + 4) return err('malformed');
  return ok({
    connectionId: value.subarray(0, CONNECTION_ID_BYTES),
    number: readU32(value, CONNECTION_ID_BYTES),
  });
}

export function encodeMsSequence(writer: MsWriter, connectionId: Uint8Array, number: number): void {
  const at = writer.reserve(MsAttributeType.MsSequenceNumber, CONNECTION_ID_BYTES + 4);
  writer.buffer.set(connectionId.subarray(0, CONNECTION_ID_BYTES), at);
  writeU32(writer.buffer, at + CONNECTION_ID_BYTES, number);
}

/** The code, 300..699. Its reason phrase is the peer's text and is not read. */
export function decodeMsErrorCode(message: MsMessage): Result<number, AttributeFault> {
  const value = message.value(MsAttributeType.ErrorCode);
  if (value === undefined) return err('absent');
  const hundreds = (value[2] ?? 0) & 7;
  const rest = value[3] ?? 0;
  if (value.length < 4 || hundreds < 3 || hundreds > 6 || rest > 99) return err('malformed');
  return ok(hundreds * 100 + rest);
}

/** @param reason ASCII; left empty by servers that keep their answers small */
export function encodeMsErrorCode(writer: MsWriter, code: number, reason = ''): void {
  const at = writer.reserve(MsAttributeType.ErrorCode, 4 + reason.length);
  const { buffer } = writer;
  buffer[at] = 0;
  buffer[at + 1] = 0;
  buffer[at + 2] = Math.floor(code / 100);
  buffer[at + 3] = code % 100;
  buffer.set(Buffer.from(reason, 'latin1'), at + 4);
}

export function encodeMsUnknownAttributes(writer: MsWriter, types: readonly number[]): void {
  const listed = types.slice(0, 16);
  const at = writer.reserve(MsAttributeType.UnknownAttributes, 2 * listed.length);
  for (const [index, type] of listed.entries()) writeU16(writer.buffer, at + 2 * index, type);
}

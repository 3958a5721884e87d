import { err, ok, type Result } from '#kernel';
import { decodeIp, encodeIp, type TransportAddress } from '../ip-address.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU16, writeU16 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** MAPPED-ADDRESS (RFC 8489 §14.1) and ALTERNATE-SERVER (§14.15): an address in clear. */
export function decodeMappedAddress(
  message: StunMessage,
  type: number,
): Result<TransportAddress, AttributeFault> {
  const value = message.value(type);
  if (value === undefined) return err('absent');
  const octets = value[1] === 1 ? 4 : value[1] === 2 ? 16 : 0;
  if (octets === 0 || value.length !== 4 + octets) return err('malformed');
  return ok({ address: decodeIp(value, 4, octets), port: readU16(value, 2) });
}

/** @param address IP text; anything else is a RangeError */
export function encodeMappedAddress(writer: StunWriter, type: number, address: string, port: number): void {
  const octets = new Uint8Array(16);
  const length = encodeIp(address, octets, 0);
  if (length === 0) throw new RangeError(`not an IP address: ${address}`);
  const at = writer.reserve(type, 4 + length);
  writer.buffer[at] = 0;
  writer.buffer[at + 1] = length === 4 ? 1 : 2;
  writeU16(writer.buffer, at + 2, port);
  writer.buffer.set(octets.subarray(0, length), at + 4);
}

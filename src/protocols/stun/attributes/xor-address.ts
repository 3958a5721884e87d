import { err, ok, type Result } from '#kernel';
import { type AddressFamily, decodeIp, encodeIp, type TransportAddress } from '../ip-address.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU16, writeU16 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/**
 * XOR-MAPPED-ADDRESS (RFC 8489 §14.2), XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS (RFC 8656 §18.3, §18.5): the
 * port is combined with the first half of the magic cookie, the address with the cookie and the transaction id,
 * which stand next to one another in the header from offset 4.
 */
export interface XorAddress extends TransportAddress {
  readonly family: AddressFamily;
}

const COOKIE_AT = 4;
const IPV4 = 0x01;
const IPV6 = 0x02;
const scratch = new Uint8Array(16);

/** Reads the first attribute of `type`. */
export function decodeXorAddress(message: StunMessage, type: number): Result<XorAddress, AttributeFault> {
  const at = message.find(type);
  return at < 0 ? err('absent') : decodeXorAddressAt(message, at);
}

/** Reads the attribute whose header is at `at` (for attributes that may occur several times). */
export function decodeXorAddressAt(message: StunMessage, at: number): Result<XorAddress, AttributeFault> {
  const { bytes } = message;
  const length = message.lengthAt(at);
  const family = bytes[at + 5];
  const octets = family === IPV4 ? 4 : family === IPV6 ? 16 : 0;
  if (octets === 0 || length !== 4 + octets) return err('malformed');
  for (let index = 0; index < octets; index++) {
    scratch[index] = (bytes[at + 8 + index] ?? 0) ^ (bytes[COOKIE_AT + index] ?? 0);
  }
  return ok({
    family: octets === 4 ? 'ipv4' : 'ipv6',
    address: decodeIp(scratch, 0, octets),
    port: readU16(bytes, at + 6) ^ readU16(bytes, COOKIE_AT),
  });
}

/** Octets that the attribute takes with its header. */
export function xorAddressBytes(address: string): number {
  return address.includes(':') ? 24 : 12;
}

/** @param address IP text; anything else is a RangeError */
export function encodeXorAddress(writer: StunWriter, type: number, address: string, port: number): void {
  const octets = encodeIp(address, scratch, 0);
  if (octets === 0) throw new RangeError(`not an IP address: ${address}`);
  const at = writer.reserve(type, 4 + octets);
  const { buffer } = writer;
  buffer[at] = 0;
  buffer[at + 1] = octets === 4 ? IPV4 : IPV6;
  writeU16(buffer, at + 2, port ^ readU16(buffer, COOKIE_AT));
  for (let index = 0; index < octets; index++) {
    buffer[at + 4 + index] = (scratch[index] ?? 0) ^ (buffer[COOKIE_AT + index] ?? 0);
  }
}

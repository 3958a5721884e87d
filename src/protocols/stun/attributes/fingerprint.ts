import { AttributeType } from '../attribute-types.ts';
import { readU32, writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** RFC 8489 §14.7: what the CRC is combined with, "STUN" in ASCII. */
const STUN = 0x5354554e;

/** The reflected CRC-32 of ITU V.42, polynomial 0x04c11db7. */
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Appends FINGERPRINT. Nothing may follow. */
export function encodeFingerprint(writer: StunWriter): void {
  const at = writer.reserve(AttributeType.Fingerprint, 4);
  writeU32(writer.buffer, at, fingerprintOf(writer.buffer, at - 4));
}

/** Whether the FINGERPRINT whose header is at `at` fits the bytes before it. */
export function checkFingerprint(bytes: Uint8Array, at: number): boolean {
  return readU32(bytes, at + 4) === fingerprintOf(bytes, at);
}

function fingerprintOf(bytes: Uint8Array, end: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < end; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ((crc ^ 0xffffffff ^ STUN) >>> 0) as number;
}

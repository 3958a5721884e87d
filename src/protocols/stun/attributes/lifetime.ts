import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU32, writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** LIFETIME in seconds, 0..2^32-1 (RFC 8656 §18.2). */
export function decodeLifetime(message: StunMessage): Result<number, AttributeFault> {
  const at = message.find(AttributeType.Lifetime);
  if (at < 0) return err('absent');
  return message.lengthAt(at) === 4 ? ok(readU32(message.bytes, at + 4)) : err('malformed');
}

export function encodeLifetime(writer: StunWriter, seconds: number): void {
  writeU32(writer.buffer, writer.reserve(AttributeType.Lifetime, 4), seconds);
}

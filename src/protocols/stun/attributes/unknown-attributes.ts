import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU16, writeU16 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** UNKNOWN-ATTRIBUTES, RFC 8489 §14.13. */
export function decodeUnknownAttributes(message: StunMessage): Result<number[], AttributeFault> {
  const value = message.value(AttributeType.UnknownAttributes);
  if (value === undefined) return err('absent');
  if (value.length % 2 !== 0) return err('malformed');
  return ok(Array.from({ length: value.length / 2 }, (_, index) => readU16(value, 2 * index)));
}

export function encodeUnknownAttributes(writer: StunWriter, types: readonly number[]): void {
  const at = writer.reserve(AttributeType.UnknownAttributes, 2 * types.length);
  for (const [index, type] of types.entries()) writeU16(writer.buffer, at + 2 * index, type);
}

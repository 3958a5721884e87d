import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU32, writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** CONNECTION-ID, 0..2^32-1 (RFC 6062 §6.2.1). */
export function decodeConnectionId(message: StunMessage): Result<number, AttributeFault> {
  const at = message.find(AttributeType.ConnectionId);
  if (at < 0) return err('absent');
  return message.lengthAt(at) === 4 ? ok(readU32(message.bytes, at + 4)) : err('malformed');
}

export function encodeConnectionId(writer: StunWriter, id: number): void {
  writeU32(writer.buffer, writer.reserve(AttributeType.ConnectionId, 4), id);
}

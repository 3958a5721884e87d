import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { writeU32 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** IP protocol numbers that REQUESTED-TRANSPORT may hold (RFC 8656 §18.8, RFC 6062 §6.1). */
export const TransportProtocol = { Tcp: 6, Udp: 17 } as const;

export function decodeRequestedTransport(message: StunMessage): Result<number, AttributeFault> {
  const at = message.find(AttributeType.RequestedTransport);
  if (at < 0) return err('absent');
  return message.lengthAt(at) === 4 ? ok(message.bytes[at + 4] ?? 0) : err('malformed');
}

export function encodeRequestedTransport(writer: StunWriter, protocol: number): void {
  writeU32(writer.buffer, writer.reserve(AttributeType.RequestedTransport, 4), protocol * 0x1000000);
}

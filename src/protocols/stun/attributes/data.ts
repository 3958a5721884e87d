import { AttributeType } from '../attribute-types.ts';
import type { StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/** DATA, RFC 8656 §18.4. Offset of the attribute's header, -1 when absent; its data begin four octets on. */
export function decodeData(message: StunMessage): number {
  return message.find(AttributeType.Data);
}

/** Appends `bytes[start, end)` as DATA. */
export function encodeData(writer: StunWriter, bytes: Uint8Array, start: number, end: number): void {
  const at = writer.reserve(AttributeType.Data, end - start);
  const { buffer } = writer;
  for (let index = start; index < end; index++) buffer[at + index - start] = bytes[index] ?? 0;
}

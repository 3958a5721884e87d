import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/** EVEN-PORT, RFC 8656 §18.7: an even port is asked for; `reserveNext` is the R bit. */
export interface EvenPort {
  readonly reserveNext: boolean;
}

export function decodeEvenPort(message: StunMessage): Result<EvenPort, AttributeFault> {
  const at = message.find(AttributeType.EvenPort);
  if (at < 0) return err('absent');
  if (message.lengthAt(at) !== 1) return err('malformed');
  return ok({ reserveNext: ((message.bytes[at + 4] ?? 0) & 0x80) !== 0 });
}

export function encodeEvenPort(writer: StunWriter, reserveNext: boolean): void {
  writer.buffer[writer.reserve(AttributeType.EvenPort, 1)] = reserveNext ? 0x80 : 0;
}

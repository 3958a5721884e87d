import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

export interface ErrorCodeValue {
  /** 300..699 */
  readonly code: number;
  /** At most 763 octets on the wire (RFC 8489 §14.8). Text of the peer: escape before printing. */
  readonly reason: string;
}

const LONGEST_REASON = 763;

export function decodeErrorCode(message: StunMessage): Result<ErrorCodeValue, AttributeFault> {
  const value = message.value(AttributeType.ErrorCode);
  if (value === undefined) return err('absent');
  const hundreds = (value[2] ?? 0) & 7;
  const rest = value[3] ?? 0;
  if (value.length < 4 || value.length > 4 + LONGEST_REASON) return err('malformed');
  if (hundreds < 3 || hundreds > 6 || rest > 99) return err('malformed');
  return ok({ code: hundreds * 100 + rest, reason: Buffer.from(value.subarray(4)).toString('utf8') });
}

/** @param reason ASCII; left empty by servers that keep their answers small */
export function encodeErrorCode(writer: StunWriter, code: number, reason = ''): void {
  const at = writer.reserve(AttributeType.ErrorCode, 4 + reason.length);
  const { buffer } = writer;
  buffer[at] = 0;
  buffer[at + 1] = 0;
  buffer[at + 2] = Math.floor(code / 100);
  buffer[at + 3] = code % 100;
  for (let index = 0; index < reason.length; index++)
    buffer[at + 4 + index] = reason.charCodeAt(index) & 0x7f;
}

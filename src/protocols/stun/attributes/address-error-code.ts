import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AddressFamily } from '../ip-address.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/** ADDRESS-ERROR-CODE, RFC 8656 §18.12: why one of two address families was not given. The reason phrase is left out. */
export function encodeAddressErrorCode(writer: StunWriter, family: AddressFamily, code: number): void {
  const at = writer.reserve(AttributeType.AddressErrorCode, 4);
  const { buffer } = writer;
  buffer[at] = family === 'ipv4' ? 1 : 2;
  buffer[at + 1] = 0;
  buffer[at + 2] = Math.floor(code / 100);
  buffer[at + 3] = code % 100;
}

export function decodeAddressErrorCode(
  message: StunMessage,
): Result<{ readonly family: AddressFamily; readonly code: number }, AttributeFault> {
  const value = message.value(AttributeType.AddressErrorCode);
  if (value === undefined) return err('absent');
  const [family = 0, , hundreds = 0, rest = 0] = value;
  if (value.length < 4 || (family !== 1 && family !== 2) || rest > 99) return err('malformed');
  return ok({ family: family === 1 ? 'ipv4' : 'ipv6', code: (hundreds & 7) * 100 + rest });
}

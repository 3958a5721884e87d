import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/** RESERVATION-TOKEN, RFC 8656 §18.10. */
export const RESERVATION_TOKEN_BYTES = 8;

/** The eight octets, a view. */
export function decodeReservationToken(message: StunMessage): Result<Uint8Array, AttributeFault> {
  const value = message.value(AttributeType.ReservationToken);
  if (value === undefined) return err('absent');
  return value.length === RESERVATION_TOKEN_BYTES ? ok(value) : err('malformed');
}

export function encodeReservationToken(writer: StunWriter, token: Uint8Array): void {
  if (token.length !== RESERVATION_TOKEN_BYTES) throw new RangeError('a reservation token has 8 octets');
  writer.put(AttributeType.ReservationToken, token);
}

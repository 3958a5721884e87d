import { err, ok, type Result } from '#kernel';

/** A header without extensions (RFC 5905 §7.3). */
export const SNTP_BYTES = 48;

const CLIENT_MODE = 3;
const SERVER_MODE = 4;
const VERSION = 4;
const NOT_SYNCHRONIZED = 3;
const LAST_STRATUM = 15;

/** Seconds from 1900 to 1970 (RFC 5905 §6). */
const EPOCH = 2_208_988_800;
const ERA = 2 ** 32;

const ORIGIN_AT = 24;
const RECEIVE_AT = 32;
const TRANSMIT_AT = 40;

/** Why an answer tells no time. */
export type SntpFault = 'not-sntp' | 'other-request' | 'not-synchronized';

export interface SntpAnswer {
  /** Milliseconds since 1970 by the server's clock when the request arrived there. */
  readonly receivedAt: number;
  /** And when it answered. */
  readonly answeredAt: number;
}

/** A request of a client (RFC 5905 §14). `nonce`, 8 octets, stands in place of its time and comes back in the answer. */
export function encodeSntpRequest(nonce: Uint8Array): Uint8Array {
  if (nonce.length !== 8) throw new RangeError('a nonce has 8 octets');
  const bytes = new Uint8Array(SNTP_BYTES);
  bytes[0] = (VERSION << 3) | CLIENT_MODE;
  bytes.set(nonce, TRANSMIT_AT);
  return bytes;
}

/** Reads the answer to the request with `nonce`; `now` in milliseconds since 1970 tells the era. */
export function decodeSntpAnswer(
  bytes: Uint8Array,
  nonce: Uint8Array,
  now: number,
): Result<SntpAnswer, SntpFault> {
  const first = bytes[0] ?? 0;
  if (bytes.length < SNTP_BYTES || (first & 7) !== SERVER_MODE) return err('not-sntp');
  if (!nonce.every((octet, index) => bytes[ORIGIN_AT + index] === octet)) return err('other-request');
  const stratum = bytes[1] ?? 0;
  // RFC 5905 §7.3: stratum 0 is a refusal, 16 and above a server without time.
  if (first >> 6 === NOT_SYNCHRONIZED || stratum === 0 || stratum > LAST_STRATUM)
    return err('not-synchronized');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return ok({
    receivedAt: timestamp(view, RECEIVE_AT, now),
    answeredAt: timestamp(view, TRANSMIT_AT, now),
  });
}

/** A timestamp counts 2^32 seconds and begins again; the era nearest to `now` is meant. */
function timestamp(view: DataView, at: number, now: number): number {
  const seconds = view.getUint32(at) - EPOCH;
  const era = Math.round((now / 1000 - seconds) / ERA);
  return (seconds + era * ERA) * 1000 + (view.getUint32(at + 4) / ERA) * 1000;
}

import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import { readU16, sameOctets, writeU16 } from '../octets.ts';
import type { StunWriter } from '../writer.ts';

/** Password algorithms of RFC 8489 §18.5 that are spoken here: how a long-term key is made of its texts. */
export type PasswordAlgorithm = 'md5' | 'sha256';

const numbers: Readonly<Record<PasswordAlgorithm, number>> = { md5: 1, sha256: 2 };

/** What a server offers in PASSWORD-ALGORITHMS, the better one first; neither takes parameters. */
const offer = Uint8Array.from([0, numbers.sha256, 0, 0, 0, numbers.md5, 0, 0]);

/** Appends PASSWORD-ALGORITHMS with all that is spoken here (RFC 8489 §14.11). */
export function encodePasswordAlgorithms(writer: StunWriter): void {
  writer.put(AttributeType.PasswordAlgorithms, offer);
}

/** Whether the message gives back exactly what {@link encodePasswordAlgorithms} wrote. */
export function checkPasswordAlgorithms(message: StunMessage): boolean {
  const value = message.value(AttributeType.PasswordAlgorithms);
  return value !== undefined && sameOctets(value, offer);
}

/** PASSWORD-ALGORITHM (RFC 8489 §14.12): the one that was chosen; 'malformed' when it is none of those offered. */
export function decodePasswordAlgorithm(message: StunMessage): Result<PasswordAlgorithm, AttributeFault> {
  const value = message.value(AttributeType.PasswordAlgorithm);
  if (value === undefined) return err('absent');
  if (value.length !== 4 || readU16(value, 2) !== 0) return err('malformed');
  if (readU16(value, 0) === numbers.sha256) return ok('sha256');
  return readU16(value, 0) === numbers.md5 ? ok('md5') : err('malformed');
}

export function encodePasswordAlgorithm(writer: StunWriter, algorithm: PasswordAlgorithm): void {
  const at = writer.reserve(AttributeType.PasswordAlgorithm, 4);
  writeU16(writer.buffer, at, numbers[algorithm]);
  writeU16(writer.buffer, at + 2, 0);
}

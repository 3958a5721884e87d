import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';

const USERHASH_BYTES = 32;

/** What stands for a name in USERHASH (RFC 8489 §14.4); the strings are taken as they are. */
export function userhash(username: Uint8Array | string, realm: Uint8Array | string): Buffer {
  return createHash('sha256').update(username).update(':').update(realm).digest();
}

/** The value, a view of 32 octets. */
export function decodeUserhash(message: StunMessage): Result<Uint8Array, AttributeFault> {
  const value = message.value(AttributeType.Userhash);
  if (value === undefined) return err('absent');
  return value.length === USERHASH_BYTES ? ok(value) : err('malformed');
}

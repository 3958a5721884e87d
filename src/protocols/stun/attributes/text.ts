import { err, ok, type Result } from '#kernel';
import { AttributeType } from '../attribute-types.ts';
import type { AttributeFault, StunMessage } from '../message.ts';
import type { StunWriter } from '../writer.ts';

/**
 * USERNAME, REALM, NONCE and SOFTWARE: text with a greatest length in octets (RFC 8489 §14.3, §14.9, §14.10,
 * §14.14). They are handed over as octets, since they are compared and hashed as such; they come from the peer
 * and must be escaped before they are printed.
 */
const longest = {
  [AttributeType.Username]: 508,
  [AttributeType.Realm]: 763,
  [AttributeType.Nonce]: 763,
  [AttributeType.Software]: 763,
} as const;

export type TextAttribute = keyof typeof longest;

/** The value, a view. */
export function decodeText(message: StunMessage, type: TextAttribute): Result<Uint8Array, AttributeFault> {
  const value = message.value(type);
  if (value === undefined) return err('absent');
  return value.length <= longest[type] ? ok(value) : err('malformed');
}

/** A value too long is a RangeError. */
export function encodeText(writer: StunWriter, type: TextAttribute, value: Uint8Array): void {
  if (value.length > longest[type]) throw new RangeError(`${value.length} octets are too many`);
  writer.put(type, value);
}

/** Whether `length` octets may be sent as `type`. */
export function checkTextLength(type: TextAttribute, length: number): boolean {
  return length <= longest[type];
}

import { timingSafeEqual } from 'node:crypto';
import { messageHmac } from '../hmac.ts';
import { writeText } from '../octets.ts';
import { MsAttributeType } from './ms-attribute-types.ts';
import { MS_HEADER_BYTES, type MsMessage } from './ms-message.ts';
import type { MsWriter } from './ms-writer.ts';

const SHA1_BYTES = 20;
const BLOCK_BYTES = 64;
const expected = new Uint8Array(SHA1_BYTES);

/**
 * Whether MESSAGE-INTEGRITY fits ([MS-TURN] §2.2.2.5). False when it is absent, and for the 32 octets of a later
 * version.
 * @param key MD5(username ":" realm ":" password), raw octets, 16 of them
 */
export function checkMsIntegrity(message: MsMessage, key: Uint8Array): boolean {
  const at = message.integrityAt;
  if (at === 0 || message.lengthAt(at) !== SHA1_BYTES) return false;
  writeText(expected, 0, integrityOf(message.bytes, at, key));
  return timingSafeEqual(expected, message.valueAt(at));
}

/** Appends MESSAGE-INTEGRITY. Nothing may follow. */
export function encodeMsIntegrity(writer: MsWriter, key: Uint8Array): void {
  const at = writer.reserve(MsAttributeType.MessageIntegrity, SHA1_BYTES) - 4;
  writeText(writer.buffer, at + 4, integrityOf(writer.buffer, at, key));
}

/** HMAC-SHA1 over all before the attribute, the length as if it ended the message, filled up with zeros to 64. */
function integrityOf(bytes: Uint8Array, at: number, key: Uint8Array): string {
  const fill = (BLOCK_BYTES - (at % BLOCK_BYTES)) % BLOCK_BYTES;
  return messageHmac('sha1', key, bytes, at, at + 4 + SHA1_BYTES - MS_HEADER_BYTES, fill);
}

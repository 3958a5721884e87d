import { hash as digestOf, timingSafeEqual } from 'node:crypto';
import { AttributeType } from '../attribute-types.ts';
import { messageHmac } from '../hmac.ts';
import { HEADER_BYTES, type StunMessage } from '../message.ts';
import { writeText } from '../octets.ts';
import type { StunWriter } from '../writer.ts';
import type { PasswordAlgorithm } from './password-algorithm.ts';

const COLON = 0x3a;
const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
const expected = new Uint8Array(SHA256_BYTES);
const expectedSha1 = expected.subarray(0, SHA1_BYTES);

/**
 * Key of the long-term mechanism, 16 octets by MD5 or 32 by SHA-256 (RFC 8489 §9.2.2, §18.5). The strings are taken as
 * they are.
 */
export function longTermKey(
  username: Uint8Array | string,
  realm: Uint8Array | string,
  password: Uint8Array | string,
  algorithm: PasswordAlgorithm = 'md5',
): Buffer {
  const joined = Buffer.allocUnsafe(octetsOf(username) + octetsOf(realm) + octetsOf(password) + 2);
  let at = put(joined, 0, username);
  joined[at] = COLON;
  at = put(joined, at + 1, realm);
  joined[at] = COLON;
  put(joined, at + 1, password);
  const key = digestOf(algorithm, joined, 'buffer');
  // It is cut from memory that others get.
  joined.fill(0);
  return key;
}

function octetsOf(text: Uint8Array | string): number {
  return typeof text === 'string' ? Buffer.byteLength(text) : text.length;
}
/** @returns where it ends */
function put(into: Buffer, at: number, text: Uint8Array | string): number {
  if (typeof text === 'string') return at + into.write(text, at);
  into.set(text, at);
  return at + text.length;
}

/** Appends MESSAGE-INTEGRITY (RFC 8489 §14.5). Only SHA256 and FINGERPRINT may follow. */
export function encodeMessageIntegrity(writer: StunWriter, key: Uint8Array): void {
  const at = writer.reserve(AttributeType.MessageIntegrity, SHA1_BYTES) - 4;
  writeText(writer.buffer, at + 4, integrityOf('sha1', writer.buffer, at, SHA1_BYTES, key));
}

/** Appends MESSAGE-INTEGRITY-SHA256, untruncated (RFC 8489 §14.6). Only FINGERPRINT may follow. */
export function encodeMessageIntegritySha256(writer: StunWriter, key: Uint8Array): void {
  const at = writer.reserve(AttributeType.MessageIntegritySha256, SHA256_BYTES) - 4;
  writeText(writer.buffer, at + 4, integrityOf('sha256', writer.buffer, at, SHA256_BYTES, key));
}

/** False also when the attribute is absent. */
export function checkMessageIntegrity(message: StunMessage, key: Uint8Array): boolean {
  return check('sha1', message, message.integrityAt, key);
}

/** False also when the attribute is absent. A truncated value (16 octets or more) is compared as far as it goes. */
export function checkMessageIntegritySha256(message: StunMessage, key: Uint8Array): boolean {
  return check('sha256', message, message.integritySha256At, key);
}

/** RFC 8489 §9.2.4: the SHA-256 form decides where it is present, else the SHA-1 form. */
export function checkIntegrity(message: StunMessage, key: Uint8Array): boolean {
  return message.integritySha256At !== 0
    ? checkMessageIntegritySha256(message, key)
    : checkMessageIntegrity(message, key);
}

function check(hash: 'sha1' | 'sha256', message: StunMessage, at: number, key: Uint8Array): boolean {
  if (at === 0) return false;
  const claimed = message.valueAt(at);
  const right = integrityOf(hash, message.bytes, at, claimed.length, key);
  writeText(expected, 0, right);
  const whole = claimed.length === SHA1_BYTES ? expectedSha1 : expected.subarray(0, claimed.length);
  return timingSafeEqual(whole, claimed);
}

/** HMAC over everything before the attribute at `at`, with the length as if the message ended after it; an octet a character. */
function integrityOf(
  hash: 'sha1' | 'sha256',
  bytes: Uint8Array,
  at: number,
  valueBytes: number,
  key: Uint8Array,
): string {
  return messageHmac(hash, key, bytes, at, at + 4 + valueBytes - HEADER_BYTES);
}

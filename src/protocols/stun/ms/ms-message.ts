import { err, ok, type Result } from '#kernel';
import { readU16, readU32 } from '../octets.ts';
import { MsAttributeType } from './ms-attribute-types.ts';

/** Value of the first attribute of every message ([MS-TURN] §2.2.2.8). */
export const MS_COOKIE = 0x72c64bc6;
export const MS_HEADER_BYTES = 20;
export const MS_TRANSACTION_ID_BYTES = 16;
/** Header and the cookie's attribute: nothing shorter is a message. */
const LEAST_BYTES = MS_HEADER_BYTES + 8;

/** Why bytes with the dialect's cookie are not a message that can be answered. */
export type MsDrop =
  | 'ms-too-short'
  | 'ms-bad-length'
  | 'ms-attribute-overrun'
  | 'ms-too-many-attributes'
  | 'ms-malformed-integrity';

export const msDrops: readonly MsDrop[] = [
  'ms-too-short',
  'ms-bad-length',
  'ms-attribute-overrun',
  'ms-too-many-attributes',
  'ms-malformed-integrity',
];

/**
 * Tells a control message of this dialect from everything else that comes over the same port, by its first
 * attribute, which is the cookie. No RFC 8489 message has one of this type.
 */
export function looksLikeMs(bytes: Uint8Array): boolean {
  return (
    bytes.length >= LEAST_BYTES &&
    (bytes[0] ?? 0xff) < 0x40 &&
    readU32(bytes, MS_HEADER_BYTES) === 0x000f0004 &&
    readU32(bytes, MS_HEADER_BYTES + 4) === MS_COOKIE
  );
}

/**
 * A control message as a view over the bytes it was decoded from: valid only while those are unchanged. Attributes
 * follow one another without padding. Those after MESSAGE-INTEGRITY do not count; of several of one type the first
 * does ([MS-TURN] §2.2.2).
 */
export class MsMessage {
  readonly bytes: Uint8Array;
  /** The whole type, see MsMessageType. */
  readonly type: number;
  /** Offset of the MESSAGE-INTEGRITY attribute's header; 0 when absent. */
  readonly integrityAt: number;
  /** End of the attributes that count. */
  readonly end: number;

  constructor(bytes: Uint8Array, integrityAt: number) {
    this.bytes = bytes;
    this.type = readU16(bytes, 0);
    this.integrityAt = integrityAt;
    this.end = integrityAt || bytes.length;
  }
  /** 128 bits, a view. */
  get transactionId(): Uint8Array {
    return this.bytes.subarray(4, MS_HEADER_BYTES);
  }
  get hasIntegrity(): boolean {
    return this.integrityAt !== 0;
  }
  /** Offset of the header of the first attribute of `type`, -1 when there is none. */
  find(type: number): number {
    for (let at = MS_HEADER_BYTES; at < this.end; at = this.next(at)) {
      if (readU16(this.bytes, at) === type) return at;
    }
    return -1;
  }
  has(type: number): boolean {
    return this.find(type) >= 0;
  }
  next(at: number): number {
    return at + 4 + readU16(this.bytes, at + 2);
  }
  typeAt(at: number): number {
    return readU16(this.bytes, at);
  }
  lengthAt(at: number): number {
    return readU16(this.bytes, at + 2);
  }
  /** The value of the attribute at `at`, a view. */
  valueAt(at: number): Uint8Array {
    return this.bytes.subarray(at + 4, this.next(at));
  }
  /** The value of the first attribute of `type`, a view. */
  value(type: number): Uint8Array | undefined {
    const at = this.find(type);
    return at < 0 ? undefined : this.valueAt(at);
  }
  /** Types below 0x8000 that are not in `known`, in order, once each. */
  unknownRequired(known: ReadonlySet<number>): number[] {
    const unknown: number[] = [];
    for (let at = MS_HEADER_BYTES; at < this.end; at = this.next(at)) {
      const type = readU16(this.bytes, at);
      if (type < 0x8000 && !known.has(type) && !unknown.includes(type)) unknown.push(type);
    }
    return unknown;
  }
}

/**
 * Decodes one whole datagram, or one control frame of a stream, for which `looksLikeMs` holds.
 * @param mostAttributes attributes in one message
 */
export function decodeMs(bytes: Uint8Array, mostAttributes = 64): Result<MsMessage, MsDrop> {
  if (!looksLikeMs(bytes)) return err('ms-too-short');
  if (MS_HEADER_BYTES + readU16(bytes, 2) !== bytes.length) return err('ms-bad-length');
  let integrityAt = 0;
  let count = 0;
  for (let at = MS_HEADER_BYTES; at < bytes.length; count++) {
    if (count === mostAttributes) return err('ms-too-many-attributes');
    if (at + 4 > bytes.length) return err('ms-attribute-overrun');
    const length = readU16(bytes, at + 2);
    if (at + 4 + length > bytes.length) return err('ms-attribute-overrun');
    if (integrityAt === 0 && readU16(bytes, at) === MsAttributeType.MessageIntegrity) {
      // SHA-256, 32 octets, belongs to a version that this server does not announce.
      if (length !== 20 && length !== 32) return err('ms-malformed-integrity');
      integrityAt = at;
    }
    at += 4 + length;
  }
  return ok(new MsMessage(bytes, integrityAt));
}

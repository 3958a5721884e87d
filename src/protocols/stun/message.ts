import { err, ok, type Result } from '#kernel';
import { AttributeType, comprehensionRequired } from './attribute-types.ts';
import { checkFingerprint } from './attributes/fingerprint.ts';
import { type MessageClass, messageClassOf, methodOf } from './methods.ts';
import { readU16, readU32 } from './octets.ts';

/** RFC 8489 §5. */
export const MAGIC_COOKIE = 0x2112a442;
export const HEADER_BYTES = 20;
export const TRANSACTION_ID_BYTES = 12;

/** Why bytes are not a STUN message that can be answered. */
export type StunDrop =
  | 'too-short'
  | 'not-stun'
  | 'bad-length'
  | 'attribute-overrun'
  | 'too-many-attributes'
  | 'malformed-integrity'
  | 'fingerprint-not-last'
  | 'bad-fingerprint';

export const stunDrops: readonly StunDrop[] = [
  'too-short',
  'not-stun',
  'bad-length',
  'attribute-overrun',
  'too-many-attributes',
  'malformed-integrity',
  'fingerprint-not-last',
  'bad-fingerprint',
];

export interface StunLimits {
  /** Attributes in one message. */
  readonly attributes: number;
}

export const stunLimits: StunLimits = { attributes: 64 };

/** What a `decode…` of one attribute family can find wrong. */
export type AttributeFault = 'absent' | 'malformed';

/**
 * A STUN message as a view over the bytes it was decoded from: valid only while those bytes are unchanged.
 * Attributes are found by their offset. Only attributes that count are found: those before MESSAGE-INTEGRITY or
 * MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6), and of several of one type the first (§5).
 */
export class StunMessage {
  readonly bytes: Uint8Array;
  readonly method: number;
  readonly messageClass: MessageClass;
  /** Offset of the MESSAGE-INTEGRITY attribute's header; 0 when absent. The same for the two below. */
  readonly integrityAt: number;
  readonly integritySha256At: number;
  readonly fingerprintAt: number;
  /** End of the attributes that count. */
  readonly end: number;
  #transactionId: Uint8Array | undefined;

  constructor(bytes: Uint8Array, layout: AttributeLayout) {
    const type = readU16(bytes, 0);
    this.bytes = bytes;
    this.method = methodOf(type);
    this.messageClass = messageClassOf(type);
    this.integrityAt = layout.integrityAt;
    this.integritySha256At = layout.integritySha256At;
    this.fingerprintAt = layout.fingerprintAt;
    this.end = layout.end;
  }
  /** The 96-bit transaction id, a view. */
  get transactionId(): Uint8Array {
    this.#transactionId ??= this.bytes.subarray(8, HEADER_BYTES);
    return this.#transactionId;
  }
  /** Whether a MESSAGE-INTEGRITY of either kind is present. */
  get hasIntegrity(): boolean {
    return this.integrityAt !== 0 || this.integritySha256At !== 0;
  }
  /**
   * Offset of the header of the first attribute of `type` at or after offset `from`, -1 when there is none.
   * To go on to the next of the same type, pass `next(at)`.
   */
  find(type: number, from = HEADER_BYTES): number {
    for (let at = from; at < this.end; at = this.next(at)) {
      if (readU16(this.bytes, at) === type) return at;
    }
    return -1;
  }
  has(type: number): boolean {
    return this.find(type) >= 0;
  }
  /** Offset of the attribute after the one whose header is at `at`. */
  next(at: number): number {
    return at + 4 + paddedLength(readU16(this.bytes, at + 2));
  }
  typeAt(at: number): number {
    return readU16(this.bytes, at);
  }
  /** Length of the value of the attribute at `at`, without padding. */
  lengthAt(at: number): number {
    return readU16(this.bytes, at + 2);
  }
  /** The value of the attribute at `at`, a view. */
  valueAt(at: number): Uint8Array {
    return this.bytes.subarray(at + 4, at + 4 + this.lengthAt(at));
  }
  /** The value of the first attribute of `type`, a view. */
  value(type: number): Uint8Array | undefined {
    const at = this.find(type);
    return at < 0 ? undefined : this.valueAt(at);
  }
  /** Types of attributes that must be understood (RFC 8489 §6.3) and are not in `known`, in order, once each. */
  unknownRequired(known: ReadonlySet<number>): number[] {
    const unknown: number[] = [];
    for (let at = HEADER_BYTES; at < this.end; at = this.next(at)) {
      const type = readU16(this.bytes, at);
      if (comprehensionRequired(type) && !known.has(type) && !unknown.includes(type)) unknown.push(type);
    }
    return unknown;
  }
}

export interface AttributeLayout {
  readonly integrityAt: number;
  readonly integritySha256At: number;
  readonly fingerprintAt: number;
  readonly end: number;
}

/** Whether a first byte can begin a STUN message (RFC 7983 §7: 0..3). */
export function looksLikeStun(firstByte: number): boolean {
  return firstByte < 4;
}

/** Octets of a value with the padding to a multiple of four (RFC 8489 §14). */
export function paddedLength(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Decodes one whole datagram (or one frame of a stream) as an RFC 8489 message, following §6.3's first checks.
 * A FINGERPRINT, when present, is verified. Message integrity is not: that needs a key.
 */
export function decodeStun(
  bytes: Uint8Array,
  limits: StunLimits = stunLimits,
): Result<StunMessage, StunDrop> {
  if (bytes.length < HEADER_BYTES) return err('too-short');
  if (!looksLikeStun(bytes[0] ?? 0xff) || readU32(bytes, 4) !== MAGIC_COOKIE) return err('not-stun');
  const length = readU16(bytes, 2);
  if ((length & 3) !== 0 || HEADER_BYTES + length !== bytes.length) return err('bad-length');
  const layout = walkAttributes(bytes, limits.attributes);
  if (!layout.ok) return layout;
  const { fingerprintAt } = layout.value;
  if (fingerprintAt !== 0 && !checkFingerprint(bytes, fingerprintAt)) return err('bad-fingerprint');
  return ok(new StunMessage(bytes, layout.value));
}

/** Bounds of every attribute, and where the ones with a place of their own are. */
function walkAttributes(bytes: Uint8Array, most: number): Result<AttributeLayout, StunDrop> {
  let integrityAt = 0;
  let integritySha256At = 0;
  let fingerprintAt = 0;
  let count = 0;
  for (let at = HEADER_BYTES; at < bytes.length; count++) {
    if (fingerprintAt !== 0) return err('fingerprint-not-last');
    if (count === most) return err('too-many-attributes');
    if (at + 4 > bytes.length) return err('attribute-overrun');
    const type = readU16(bytes, at);
    const length = readU16(bytes, at + 2);
    const next = at + 4 + paddedLength(length);
    if (next > bytes.length) return err('attribute-overrun');
    if (type === AttributeType.Fingerprint) {
      if (length !== 4) return err('bad-fingerprint');
      fingerprintAt = at;
    } else if (integritySha256At === 0 && type === AttributeType.MessageIntegritySha256) {
      // RFC 8489 §14.6: 16 to 32 octets, a multiple of four.
      if (length < 16 || length > 32 || (length & 3) !== 0) return err('malformed-integrity');
      integritySha256At = at;
    } else if (integrityAt + integritySha256At === 0 && type === AttributeType.MessageIntegrity) {
      if (length !== 20) return err('malformed-integrity');
      integrityAt = at;
    }
    at = next;
  }
  const end = integrityAt || integritySha256At || fingerprintAt || bytes.length;
  return ok({ integrityAt, integritySha256At, fingerprintAt, end });
}

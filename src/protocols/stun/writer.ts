import { HEADER_BYTES, MAGIC_COOKIE, paddedLength, TRANSACTION_ID_BYTES } from './message.ts';
import { type MessageClass, messageType } from './methods.ts';
import { writeU16, writeU32 } from './octets.ts';

/**
 * Writes one STUN message into a buffer that the caller gives, attribute after attribute, without copies. The
 * header's length is right after every attribute, so the message is complete at any time:
 * `begin`, then `encode…` functions of the attribute families, then `bytes`. Reusable after another `begin`.
 * A buffer too small is the caller's bug: RangeError.
 */
export class StunWriter {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** @param transactionId 12 octets, copied */
  begin(buffer: Uint8Array, method: number, messageClass: MessageClass, transactionId: Uint8Array): this {
    if (transactionId.length !== TRANSACTION_ID_BYTES) throw new RangeError('a transaction id has 12 octets');
    if (buffer.length < HEADER_BYTES) throw new RangeError('no room for a STUN header');
    this.#buffer = buffer;
    this.#length = HEADER_BYTES;
    writeU16(buffer, 0, messageType(method, messageClass));
    writeU16(buffer, 2, 0);
    writeU32(buffer, 4, MAGIC_COOKIE);
    buffer.set(transactionId, 8);
    return this;
  }
  /** Octets written so far, header included. */
  get length(): number {
    return this.#length;
  }
  /** The buffer being written into. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }
  /** The message so far, a view valid until the buffer is reused. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
  /** Appends an attribute's header and zero padding; the caller fills `length` octets from the returned offset. */
  reserve(type: number, length: number): number {
    const at = this.#length;
    const end = at + 4 + paddedLength(length);
    if (end > this.#buffer.length || end - HEADER_BYTES > 0xffff) {
      throw new RangeError(`no room for an attribute of ${length} octets`);
    }
    writeU16(this.#buffer, at, type);
    writeU16(this.#buffer, at + 2, length);
    for (let padding = at + 4 + length; padding < end; padding++) this.#buffer[padding] = 0;
    this.#length = end;
    writeU16(this.#buffer, 2, end - HEADER_BYTES);
    return at + 4;
  }
  /** Appends an attribute with this value. */
  put(type: number, value: Uint8Array): void {
    this.#buffer.set(value, this.reserve(type, value.length));
  }
}

import { writeU16, writeU32 } from '../octets.ts';
import { MsAttributeType } from './ms-attribute-types.ts';
import { MS_COOKIE, MS_HEADER_BYTES, MS_TRANSACTION_ID_BYTES } from './ms-message.ts';

/**
 * Writes one message of the dialect into a buffer that the caller gives; the cookie stands first from the start, and
 * the message is complete after every attribute. A buffer too small is the caller's bug: RangeError.
 */
export class MsWriter {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** @param transactionId 16 octets, copied */
  begin(buffer: Uint8Array, type: number, transactionId: Uint8Array): this {
    if (transactionId.length !== MS_TRANSACTION_ID_BYTES)
      throw new RangeError('a transaction id has 16 octets');
    if (buffer.length < MS_HEADER_BYTES) throw new RangeError('no room for a header');
    this.#buffer = buffer;
    this.#length = MS_HEADER_BYTES;
    writeU16(buffer, 0, type);
    writeU16(buffer, 2, 0);
    buffer.set(transactionId, 4);
    this.putU32(MsAttributeType.MagicCookie, MS_COOKIE);
    return this;
  }
  get length(): number {
    return this.#length;
  }
  get buffer(): Uint8Array {
    return this.#buffer;
  }
  /** The message so far, a view valid until the buffer is reused. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
  /** Appends an attribute's header; the caller fills `length` octets from the returned offset. */
  reserve(type: number, length: number): number {
    const at = this.#length;
    const end = at + 4 + length;
    if (end > this.#buffer.length || end - MS_HEADER_BYTES > 0xffff) {
      throw new RangeError(`no room for an attribute of ${length} octets`);
    }
    writeU16(this.#buffer, at, type);
    writeU16(this.#buffer, at + 2, length);
    this.#length = end;
    writeU16(this.#buffer, 2, end - MS_HEADER_BYTES);
    return at + 4;
  }
  put(type: number, value: Uint8Array): void {
    this.#buffer.set(value, this.reserve(type, value.length));
  }
  putU32(type: number, value: number): void {
    writeU32(this.#buffer, this.reserve(type, 4), value);
  }
}

/** Integers are big-endian. A string or an array is its length or count as an unsigned 16-bit number, then its content. */
export const MOST_LENGTH = 0xff_ff;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads values one after another; a value that is not whole or not valid makes `failed` true for good. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get failed(): boolean {
    return this.#failed;
  }
  /** Everything was read, and all of it was good. */
  get complete(): boolean {
    return !this.#failed && this.#offset === this.#bytes.length;
  }

  uint8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }
  uint16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at);
  }
  uint32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at);
  }
  uint64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at);
  }
  boolean(): boolean {
    const value = this.uint8();
    if (value > 1) this.#failed = true;
    return value === 1;
  }
  int32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getInt32(at);
  }
  /** A signed 64-bit integer within ±(2^53 - 1). */
  int64(): number {
    const at = this.#take(8);
    const value = at < 0 ? 0 : Number(this.#view.getBigInt64(at));
    if (!Number.isSafeInteger(value)) this.#failed = true;
    return value;
  }
  /** A copy: it may outlive what it was read from. */
  bytes(): Uint8Array {
    const length = this.uint16();
    const at = this.#take(length);
    return at < 0 ? new Uint8Array() : this.#bytes.slice(at, at + length);
  }
  string(): string {
    const length = this.uint16();
    const at = this.#take(length);
    if (at < 0) return '';
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      this.#failed = true;
      return '';
    }
  }
  /** `size` is the least that one element takes, so that a count cannot promise more than there is. */
  list<T>(size: number, read: () => T): T[] {
    const count = this.uint16();
    if (count * size > this.#bytes.length - this.#offset) this.#failed = true;
    const values: T[] = [];
    for (let index = 0; index < count && !this.#failed; index++) values.push(read());
    return values;
  }

  /** Where the next `length` bytes begin; -1 when there are not so many. */
  #take(length: number): number {
    if (this.#failed || this.#bytes.length - this.#offset < length) {
      this.#failed = true;
      return -1;
    }
    const at = this.#offset;
    this.#offset += length;
    return at;
  }
}

const FIRST_ROOM = 64;

/** Writes values one after another. A value that has no place in the format is a bug of ours: RangeError. */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_ROOM);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }
  /** Begins anew, in the same memory unless that is more than `most` bytes. */
  reset(most: number): void {
    this.#length = 0;
    if (this.#bytes.length <= most) return;
    this.#bytes = new Uint8Array(FIRST_ROOM);
    this.#view = new DataView(this.#bytes.buffer);
  }
  /** What has been written; valid until more is. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  uint8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, inRange(value, 0, 0xff));
  }
  uint16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, inRange(value, 0, MOST_LENGTH));
  }
  /** Overwrites two bytes that were written before. */
  uint16At(offset: number, value: number): void {
    this.#view.setUint16(offset, inRange(value, 0, MOST_LENGTH));
  }
  uint32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, inRange(value, 0, 0xff_ff_ff_ff));
  }
  uint64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
  }
  boolean(value: boolean): void {
    this.uint8(value ? 1 : 0);
  }
  int32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, inRange(value, -(2 ** 31), 2 ** 31 - 1));
  }
  int64(value: number): void {
    const whole = inRange(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const at = this.#room(8);
    this.#view.setBigInt64(at, BigInt(whole));
  }
  bytes(value: Uint8Array): void {
    this.uint16(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }
  string(value: string): void {
    // A UTF-16 unit is three bytes at most.
    const at = this.#room(2 + 3 * value.length);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(at + 2));
    this.#length = at + 2 + written;
    this.uint16At(at, written);
  }
  list<T>(values: readonly T[], write: (value: T) => void): void {
    this.uint16(values.length);
    for (const value of values) write(value);
  }

  #room(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

function inRange(value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${value} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

import type { Monotonic } from '#kernel';

export interface FrameLimits {
  /** Longest body of a frame, 1..65535 bytes. */
  readonly frameBytes: number;
  /** Longest time from the first byte of a frame to its last, milliseconds. */
  readonly frameMs: number;
}

export type FrameFault = 'empty-frame' | 'frame-too-long' | 'frame-too-slow';

const LENGTH_BYTES = 2;
const FIRST_ROOM = 256;

/**
 * Takes a stream apart into the bodies of its frames. Holds at most one frame that is not whole; after a fault it
 * takes nothing more.
 */
export class FrameReader {
  #limits: FrameLimits;
  /** The frame that is not whole yet: its first `#held` bytes. */
  #frame = new Uint8Array();
  #held = 0;
  #since: Monotonic = 0;
  #fault: FrameFault | undefined;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }
  get fault(): FrameFault | undefined {
    return this.#fault;
  }
  /** Bytes of a frame that is not whole yet. */
  get buffered(): number {
    return this.#held;
  }
  /** Other limits from the next frame on: a participant may say more than a stranger. */
  configure(limits: FrameLimits): void {
    this.#limits = limits;
  }

  /** Whole bodies in order, each borrowed from `bytes` or from the reader: use it before asking for the next. */
  *push(bytes: Uint8Array, now: Monotonic): Generator<Uint8Array> {
    let rest = bytes;
    while (this.#fault === undefined && rest.length > 0) {
      if (this.#held === 0) {
        const length = this.#wholeAt(rest);
        if (length > 0) {
          yield rest.subarray(LENGTH_BYTES, length);
          rest = rest.subarray(length);
          continue;
        }
        this.#since = now;
      } else if (this.isLate(now)) {
        return this.#fail('frame-too-slow');
      }
      rest = this.#take(rest);
      const length = this.#wholeAt(this.#frame.subarray(0, this.#held));
      if (length === 0) continue;
      yield this.#frame.subarray(LENGTH_BYTES, length);
      this.#forget();
    }
  }

  /** A frame has begun and should have ended by now: look from time to time when nothing arrives. */
  isLate(now: Monotonic): boolean {
    return this.#held > 0 && now - this.#since > this.#limits.frameMs;
  }

  /** The length of the frame that `bytes` begin with, its own length field included; 0 when it is not whole or not good. */
  #wholeAt(bytes: Uint8Array): number {
    if (bytes.length < LENGTH_BYTES) return 0;
    const length = lengthOf(bytes);
    if (length === 0) this.#fail('empty-frame');
    else if (length > this.#limits.frameBytes) this.#fail('frame-too-long');
    if (this.#fault !== undefined || bytes.length < LENGTH_BYTES + length) return 0;
    return LENGTH_BYTES + length;
  }

  /** Adds what belongs to the frame that has begun, no more; gives the rest. */
  #take(bytes: Uint8Array): Uint8Array {
    if (this.#fault !== undefined) return bytes.subarray(bytes.length);
    const wanted = this.#held < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + lengthOf(this.#frame);
    const count = Math.min(bytes.length, wanted - this.#held);
    const needed = this.#held + count;
    if (needed > this.#frame.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(this.#frame.length * 2, wanted), FIRST_ROOM));
      larger.set(this.#frame.subarray(0, this.#held));
      this.#frame = larger;
    }
    this.#frame.set(bytes.subarray(0, count), this.#held);
    this.#held = needed;
    return bytes.subarray(count);
  }

  #forget(): void {
    this.#held = 0;
    if (this.#frame.length > FIRST_ROOM) this.#frame = new Uint8Array();
  }
  #fail(fault: FrameFault): void {
    this.#fault = fault;
    this.#forget();
  }
}

function lengthOf(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
}

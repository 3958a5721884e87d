import { CHANNEL_HEADER_BYTES, LAST_ACCEPTED_CHANNEL } from '../channel-data.ts';
import { HEADER_BYTES, looksLikeStun, MAGIC_COOKIE, paddedLength } from '../message.ts';
import { readU16, readU32 } from '../octets.ts';

/** Why a byte stream cannot be read any further. */
export type FramingFault =
  /** What comes next is neither a STUN message nor ChannelData. */
  | 'not-a-frame'
  /** A frame longer than the limit. */
  | 'frame-too-long';

const NOTHING = Buffer.alloc(0);
const LENGTH_BYTES = 4;

/**
 * Cuts a byte stream into STUN messages (RFC 8489 §6.2.2) and ChannelData with their padding (RFC 8656 §12.5).
 * Frames that lie in one chunk are views of it; only one that is split is put together. Once a fault is found nothing
 * more is read, since the boundaries are lost.
 */
export class StunFramer {
  /** The longest frame that is accepted; may change between chunks. */
  frameBytes: number;
  readonly #take: (frame: Buffer) => void;
  #held: Buffer = NOTHING;
  /** Octets of `#held` that are in use, when it is a buffer made for a split frame. */
  #filled = 0;
  #stopped = false;
  #fault: FramingFault | undefined;

  /**
   * @param frameBytes octets, at most 65 556 make sense
   * @param take called for each frame; it may call `stop`
   */
  constructor(frameBytes: number, take: (frame: Buffer) => void) {
    this.frameBytes = frameBytes;
    this.#take = take;
  }
  /** Whether a frame has begun and not ended. */
  get isPartial(): boolean {
    return this.#filled > 0;
  }
  /** From inside `take`: what follows is no frame. {@link rest} has it. */
  stop(): void {
    this.#stopped = true;
  }
  /** After `stop`: the octets that came behind the last frame. */
  get rest(): Buffer {
    return this.#held.subarray(0, this.#filled);
  }
  /** Takes the next chunk of the stream, which is ours from then on. */
  push(chunk: Buffer): FramingFault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    let from = 0;
    if (this.#filled > 0) {
      from = this.#complete(chunk);
      if (this.#fault !== undefined || this.#filled > 0) return this.#fault;
    }
    while (from < chunk.length && !this.#stopped) {
      const length = this.#lengthAt(chunk, from, chunk.length);
      if (this.#fault !== undefined) return this.#fault;
      if (length === 0 || from + length > chunk.length) break;
      this.#take(from === 0 && length === chunk.length ? chunk : chunk.subarray(from, from + length));
      from += length;
    }
    this.#hold(chunk, from);
    return undefined;
  }

  /** Adds octets of the chunk to the frame that is held; where the chunk goes on after it. */
  #complete(chunk: Buffer): number {
    let from = 0;
    if (this.#filled < LENGTH_BYTES) from = this.#fill(chunk, 0, LENGTH_BYTES);
    const length = this.#lengthAt(this.#held, 0, this.#filled);
    if (this.#fault !== undefined || length === 0) return from;
    from = this.#fill(chunk, from, length);
    // Now that more of it is there, the cookie can be seen.
    if (this.#lengthAt(this.#held, 0, this.#filled) === 0 || this.#filled < length) return from;
    const frame = this.#held.subarray(0, length);
    this.#held = NOTHING;
    this.#filled = 0;
    this.#take(frame);
    return from;
  }
  /** Copies from the chunk until `target` octets are held; where the chunk goes on. */
  #fill(chunk: Buffer, from: number, target: number): number {
    const more = Math.min(target - this.#filled, chunk.length - from);
    if (this.#held.length < target) {
      const larger = Buffer.alloc(target);
      this.#held.copy(larger, 0, 0, this.#filled);
      this.#held = larger;
    }
    chunk.copy(this.#held, this.#filled, from, from + more);
    this.#filled += more;
    return from + more;
  }
  #hold(chunk: Buffer, from: number): void {
    const left = chunk.length - from;
    // A copy, since a few octets must not keep a whole chunk alive while the rest is awaited.
    this.#held = left === 0 ? NOTHING : Buffer.from(chunk.subarray(from));
    this.#filled = left;
  }
  /** Length of the frame at `at`, 0 while it is not known; sets the fault. */
  #lengthAt(bytes: Buffer, at: number, end: number): number {
    const first = bytes[at] ?? 0;
    const isStun = looksLikeStun(first);
    if (!isStun && (first < 0x40 || first > LAST_ACCEPTED_CHANNEL >> 8)) return this.#fail('not-a-frame');
    if (end - at < LENGTH_BYTES) return 0;
    const length = readU16(bytes, at + 2);
    if (isStun && (length & 3) !== 0) return this.#fail('not-a-frame');
    const whole = isStun ? HEADER_BYTES + length : CHANNEL_HEADER_BYTES + paddedLength(length);
    if (whole > this.frameBytes) return this.#fail('frame-too-long');
    // The cookie tells early what is no STUN at all, before the whole length is awaited.
    if (isStun && end - at >= 8 && readU32(bytes, at + 4) !== MAGIC_COOKIE) return this.#fail('not-a-frame');
    return whole;
  }
  #fail(fault: FramingFault): 0 {
    this.#fault = fault;
    return 0;
  }
}

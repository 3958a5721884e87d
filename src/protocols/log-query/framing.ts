import type { Monotonic } from '#kernel';

/** Longest frames, octets, without their length field. */
export const FRAME_BYTES = { toAgent: 65_536, fromAgent: 262_144 } as const;

export interface FrameLimits {
  readonly frameBytes: number;
  /** Longest time from the first octet of a frame to its last, milliseconds. */
  readonly frameMs: number;
}
export type FrameFault = 'empty-frame' | 'frame-too-long' | 'frame-too-slow' | 'unknown-kind';

/** A message as text of JSON, or octets of a segment that is being copied. */
export type Frame =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'octets'; readonly octets: Uint8Array };

const LENGTH = 4;
/** First octet of a frame: that of a JSON object, or this one before octets. */
const OPENING = 0x7b;
const OCTETS = 0x00;

export function encodeMessage(message: object): Buffer {
  return encodeText(JSON.stringify(message));
}
/** A message that is text already. */
export function encodeText(text: string): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - LENGTH);
  frame.write(text, LENGTH, 'utf8');
  return frame;
}

export function encodeOctets(octets: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH + 1 + octets.length);
  frame.writeUInt32BE(1 + octets.length);
  frame[LENGTH] = OCTETS;
  frame.set(octets, LENGTH + 1);
  return frame;
}

/** Takes a stream apart. Holds at most one frame that is not whole; after a fault it takes nothing more. */
export class LogFrameReader {
  readonly #limits: FrameLimits;
  #held: Buffer = Buffer.alloc(0);
  #count = 0;
  #since: Monotonic = 0;
  #fault: FrameFault | undefined;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }
  get fault(): FrameFault | undefined {
    return this.#fault;
  }

  *push(bytes: Uint8Array, now: Monotonic): Generator<Frame> {
    if (this.#fault !== undefined) return;
    if (this.isLate(now)) return this.#fail('frame-too-slow');
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    while (rest.length > 0 && this.#fault === undefined) {
      if (this.#count === 0) this.#since = now;
      rest = this.#take(rest);
      if (this.#count < LENGTH) return;
      const length = this.#held.readUInt32BE();
      if (length === 0) return this.#fail('empty-frame');
      if (length > this.#limits.frameBytes) return this.#fail('frame-too-long');
      if (this.#count < LENGTH + length) continue;
      const frame = this.#frameOf(this.#held.subarray(LENGTH, LENGTH + length));
      this.#forget();
      if (frame !== undefined) yield frame;
    }
  }

  /** A frame has begun and should have ended by now: look from time to time when nothing arrives. */
  isLate(now: Monotonic): boolean {
    return this.#count > 0 && now - this.#since > this.#limits.frameMs;
  }

  #frameOf(body: Buffer): Frame | undefined {
    if (body[0] === OPENING) return { kind: 'message', text: body.toString('utf8') };
    if (body[0] === OCTETS) return { kind: 'octets', octets: new Uint8Array(body.subarray(1)) };
    this.#fail('unknown-kind');
    return undefined;
  }

  /** Adds what belongs to the frame that has begun, no more; gives the rest. */
  #take(bytes: Buffer): Buffer<ArrayBuffer> {
    const announced = this.#count < LENGTH ? LENGTH : LENGTH + this.#held.readUInt32BE();
    // A length beyond the limit has been refused before its frame is waited for.
    const count = Math.min(bytes.length, announced - this.#count);
    const needed = this.#count + count;
    if (needed > this.#held.length) {
      const larger = Buffer.alloc(Math.max(needed, Math.min(this.#held.length * 2, announced), 256));
      this.#held.copy(larger, 0, 0, this.#count);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#count, 0, count);
    this.#count = needed;
    return bytes.subarray(count) as Buffer<ArrayBuffer>;
  }
  #forget(): void {
    this.#count = 0;
    if (this.#held.length > 4096) this.#held = Buffer.alloc(0);
  }
  #fail(fault: FrameFault): void {
    this.#fault = fault;
    this.#forget();
  }
}

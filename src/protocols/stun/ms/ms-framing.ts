import { readU16, writeU16 } from '../octets.ts';

/** [MS-TURN] §2.1.4: type, a zero octet, length; every byte of a stream is framed so, without padding. */
export const MS_FRAME_HEADER_BYTES = 4;
export const MsFrameType = { Control: 0x02, Data: 0x03 } as const;
export type MsFrameType = (typeof MsFrameType)[keyof typeof MsFrameType];

/** Room that a frame which is not complete gets at first; it grows only as its octets arrive. */
const FIRST_ROOM = 2_048;

/** Writes a frame's header at `at`. */
export function encodeMsFrameHeader(into: Uint8Array, at: number, type: MsFrameType, length: number): void {
  into[at] = type;
  into[at + 1] = 0;
  writeU16(into, at + 2, length);
}

/** Whether a stream that begins with these two octets is framed in this dialect. */
export function looksLikeMsFrame(first: number, second: number): boolean {
  return (first === MsFrameType.Control || first === MsFrameType.Data) && second === 0;
}

/** Gets a frame's content, a view valid during the call. False: no more of this stream is wanted. */
export type MsFrameReceiver = (type: MsFrameType, content: Uint8Array) => boolean;

/** Takes a stream apart. Holds at most one frame that is not complete, and of that only what has arrived. */
export class MsDeframer {
  readonly #header = new Uint8Array(MS_FRAME_HEADER_BYTES);
  #content: Uint8Array = new Uint8Array(0);
  /** Octets of the frame that is not complete: its header's, then its content's. */
  #have = 0;

  /** Octets held back because their frame is not complete. */
  get pending(): number {
    return this.#have;
  }

  /**
   * Takes the next octets of the stream and hands over every frame that is complete with them.
   * @returns false when the stream is not framed so, or the receiver wants no more: it must be closed
   */
  handleBytes(chunk: Uint8Array, onFrame: MsFrameReceiver): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#have === 0 && chunk.length - at >= MS_FRAME_HEADER_BYTES) {
        const end = at + MS_FRAME_HEADER_BYTES + readU16(chunk, at + 2);
        if (end <= chunk.length) {
          // A whole frame: nothing is copied.
          if (!handOver(chunk, at, chunk.subarray(at + MS_FRAME_HEADER_BYTES, end), onFrame)) return false;
          at = end;
          continue;
        }
      }
      const taken = this.#collect(chunk, at, onFrame);
      if (taken === 0) return false;
      at += taken;
    }
    return true;
  }

  /** Takes what belongs to the frame that is not complete. @returns octets taken, 0 when the stream is bad */
  #collect(chunk: Uint8Array, at: number, onFrame: MsFrameReceiver): number {
    if (this.#have < MS_FRAME_HEADER_BYTES) {
      this.#header[this.#have++] = chunk[at] ?? 0;
      const known = this.#have === 1 || looksLikeMsFrame(this.#header[0] ?? 0, this.#header[1] ?? 1);
      if (!known || !looksLikeMsFrame(this.#header[0] ?? 0, 0)) return 0;
      if (this.#have < MS_FRAME_HEADER_BYTES || readU16(this.#header, 2) > 0) return 1;
      return this.#complete(0, onFrame) ? 1 : 0;
    }
    const length = readU16(this.#header, 2);
    const filled = this.#have - MS_FRAME_HEADER_BYTES;
    const taken = Math.min(length - filled, chunk.length - at);
    this.#grow(filled + taken, length);
    this.#content.set(chunk.subarray(at, at + taken), filled);
    this.#have += taken;
    if (filled + taken < length) return taken;
    return this.#complete(length, onFrame) ? taken : 0;
  }

  #complete(length: number, onFrame: MsFrameReceiver): boolean {
    const content = this.#content.subarray(0, length);
    this.#content = new Uint8Array(0);
    this.#have = 0;
    return handOver(this.#header, 0, content, onFrame);
  }

  #grow(needed: number, length: number): void {
    if (needed <= this.#content.length) return;
    const room = Math.min(length, Math.max(needed, FIRST_ROOM, 2 * this.#content.length));
    const wider = new Uint8Array(room);
    wider.set(this.#content);
    this.#content = wider;
  }
}

function handOver(header: Uint8Array, at: number, content: Uint8Array, onFrame: MsFrameReceiver): boolean {
  const type = header[at] ?? 0;
  return looksLikeMsFrame(type, header[at + 1] ?? 1) && onFrame(type as MsFrameType, content);
}

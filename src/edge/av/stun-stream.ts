import { StunFramer } from '#protocols/stun';
import type { StreamDialect } from './stream-client.ts';

/** Octets that a client may send as one frame before it holds an allocation: no request is longer. */
const FRAME_BEFORE_ALLOCATION = 2_048;
/** The longest STUN message there is. */
const LONGEST_FRAME = 20 + 0xffff;

/** The standard dialect in a stream: what the relay is given and gives is the frame itself. */
export class StunStream implements StreamDialect {
  readonly #framer: StunFramer;
  frames = 0;

  /** @param take called for each frame */
  constructor(take: (frame: Buffer) => void) {
    this.#framer = new StunFramer(FRAME_BEFORE_ALLOCATION, (frame) => {
      this.frames += 1;
      take(frame);
    });
  }
  get isPartial(): boolean {
    return this.#framer.isPartial;
  }
  receive(chunk: Buffer): boolean {
    return this.#framer.push(chunk) === undefined;
  }
  frame(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
  }
  stop(): void {
    this.#framer.stop();
  }
  get rest(): Buffer {
    return this.#framer.rest;
  }
  /** From now on its frames may be as long as any. */
  allocationOpened(): void {
    this.#framer.frameBytes = LONGEST_FRAME;
  }
}

import {
  MsDeframer,
  type MsFrameType,
  matchPseudoClientHello,
  PSEUDO_CLIENT_HELLO_BYTES,
} from '#protocols/stun';
import type { StreamDialect } from './stream-client.ts';

/** Octets that a client may send as one frame before it holds an allocation: no request is longer. */
const FRAME_BEFORE_ALLOCATION = 2_048;

/** Gets a frame's content; false when the connection is to be closed. */
export type TakeMsFrame = (type: MsFrameType, content: Uint8Array) => boolean;

/** The Microsoft dialect in a stream: frames of its own, perhaps behind a hello that looks like TLS. */
export class MsStream implements StreamDialect {
  readonly #deframer = new MsDeframer();
  readonly #take: TakeMsFrame;
  /** Answers the hello; absent when none is awaited. */
  #greet: (() => void) | undefined;
  #hello: Buffer = Buffer.alloc(0);
  #isProven = false;
  frames = 0;

  /** @param greet sends the answer to the client's hello, for connections that begin with one */
  constructor(take: TakeMsFrame, greet?: () => void) {
    this.#take = (type, content) => {
      this.frames += 1;
      return take(type, content);
    };
    this.#greet = greet;
  }
  get isPartial(): boolean {
    return this.#greet !== undefined || this.#deframer.pending > 0;
  }
  receive(chunk: Buffer): boolean {
    if (this.#greet !== undefined) return this.#receiveHello(chunk);
    if (!this.#deframer.handleBytes(chunk, this.#take)) return false;
    return this.#isProven || this.#deframer.pending <= FRAME_BEFORE_ALLOCATION;
  }
  /** The relay writes the frames' headers itself: only it knows control messages from data that look like some. */
  frame(bytes: Uint8Array, start: number, end: number): Uint8Array {
    return bytes.subarray(start, end);
  }
  allocationOpened(): void {
    this.#isProven = true;
  }

  /** The client sends nothing after its hello until it has the answer ([MS-TURN] §2.1.1). */
  #receiveHello(chunk: Buffer): boolean {
    this.#hello = Buffer.concat([this.#hello, chunk]);
    const match = matchPseudoClientHello(this.#hello);
    if (match !== 'yes') return match === 'partial';
    if (this.#hello.length !== PSEUDO_CLIENT_HELLO_BYTES) return false;
    const greet = this.#greet;
    this.#greet = undefined;
    this.#hello = Buffer.alloc(0);
    greet?.();
    return true;
  }
}

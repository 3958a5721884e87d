import { encodeCall } from '../framing/operations.ts';
import type { DistributedInterface } from './interface.ts';
import { type ParameterValue, writeParameters } from './parameters.ts';

/** Where the proxy identifier stands in the frame of a CALL: behind its length and its code. */
const PROXY_OFFSET = 3;

/** Identifiers by which a call is kept: who comes by the same way has the same ones, and others get a copy of their own. */
const MOST_FRAMES = 4;

/**
 * A call of a client's method that goes out on many connections: its parameters are encoded once, and connections that know
 * the object by the same identifier share one frame.
 */
export class SharedCall {
  readonly declared: DistributedInterface;
  readonly #frame: Uint8Array;
  readonly #frames = new Map<number, Uint8Array>();

  /** @throws RangeError when the interface has no such method, or the values have no place in a frame */
  constructor(declared: DistributedInterface, method: string, parameters: readonly ParameterValue[]) {
    const found = declared.numbered.client.byName.get(method);
    if (found === undefined) throw new RangeError(`${declared.name} has no ${method} on that side`);
    this.declared = declared;
    this.#frame = encodeCall(0, found.number, (writer) => writeParameters(writer, found.types, parameters));
  }
  /** Bytes of the frame. */
  get length(): number {
    return this.#frame.length;
  }
  /** The frame for those who know the object by this identifier; nobody may change it. */
  frame(proxy: number): Uint8Array {
    const known = this.#frames.get(proxy);
    if (known !== undefined) return known;
    const frame = this.#frames.size === 0 ? this.#frame : this.#frame.slice();
    new DataView(frame.buffer, frame.byteOffset).setUint32(PROXY_OFFSET, proxy);
    if (this.#frames.size < MOST_FRAMES) this.#frames.set(proxy, frame);
    return frame;
  }
}

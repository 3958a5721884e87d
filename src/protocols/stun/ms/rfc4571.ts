import { readU16 } from '../octets.ts';

/**
 * Cuts a stream at the borders of its packets, each 16 bits of length and as many octets (RFC 4571 §2). Clients of the
 * dialect want exactly one such packet, length included, in each frame.
 */
export class Rfc4571Cutter {
  #pending: Uint8Array = new Uint8Array(0);
  #filled = 0;

  /** Octets held back because their packet is not complete. */
  get pending(): number {
    return this.#filled;
  }

  /** @param onPacket gets one packet with its two octets of length, a view valid during the call */
  handleBytes(chunk: Uint8Array, onPacket: (packet: Uint8Array) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#filled === 0 && chunk.length - at >= 2) {
        const end = at + 2 + readU16(chunk, at);
        if (end <= chunk.length) {
          onPacket(chunk.subarray(at, end));
          at = end;
          continue;
        }
      }
      at += this.#collect(chunk, at, onPacket);
    }
  }

  #collect(chunk: Uint8Array, at: number, onPacket: (packet: Uint8Array) => void): number {
    const wanted = this.#filled < 2 ? 2 : 2 + readU16(this.#pending, 0);
    const taken = Math.min(wanted - this.#filled, chunk.length - at);
    this.#grow(this.#filled + taken, wanted);
    this.#pending.set(chunk.subarray(at, at + taken), this.#filled);
    this.#filled += taken;
    if (this.#filled < 2 || this.#filled < 2 + readU16(this.#pending, 0)) return taken;
    const packet = this.#pending.subarray(0, this.#filled);
    this.#pending = new Uint8Array(0);
    this.#filled = 0;
    onPacket(packet);
    return taken;
  }

  #grow(needed: number, wanted: number): void {
    if (needed <= this.#pending.length) return;
    const wider = new Uint8Array(Math.min(wanted, Math.max(needed, 1_500, 2 * this.#pending.length)));
    wider.set(this.#pending.subarray(0, this.#filled));
    this.#pending = wider;
  }
}

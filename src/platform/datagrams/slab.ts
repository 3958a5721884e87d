/** Larger than any UDP payload (65 507 bytes). */
const SLAB_BYTES = 256 * 1024;

/**
 * Cuts frames for outgoing datagrams one behind the other from one large buffer, so that none costs an allocation
 * of memory and none is overwritten while it waits in a send queue: a full slab is replaced, never reused.
 */
export class Slab {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** @param size 1..65536 bytes */
  cut(size: number): Buffer {
    if (this.#used + size > SLAB_BYTES) {
      this.#bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = start + size;
    return this.#bytes.subarray(start, this.#used);
  }
}

import type { Connection } from '#platform/net';

/** Where gathered bytes go. */
export interface Gathered {
  /** @param sent to be called when the bytes may be overwritten; never, when that is not certain */
  take(bytes: Buffer, sent: () => void): void;
}

interface Slab {
  readonly bytes: Buffer;
  /** Pieces that were handed on and may still be needed. */
  underWay: number;
  /** Nothing is added any more. */
  full: boolean;
}

const SLAB_BYTES = 65_536;
/** Keeps no more than four times its own size from being used again. */
const LARGE_BYTES = SLAB_BYTES / 4;
/** Kept for use again; more than that are left to the collector. */
const SPARE_SLABS = 64;

/**
 * Puts together what one turn of the event loop has for one receiver, so that it is written once: a copy costs less than a write,
 * its event and its frame. The memory is used over and over. The order of each receiver's bytes stays; between two receivers there is none.
 */
export class TurnWriter {
  readonly #spare: Slab[] = [];
  #slab: Slab = newSlab();
  /** What waits is from here to there in the slab. */
  #start = 0;
  #end = 0;
  #receiver: Gathered | undefined;
  #armed = false;

  /** Copies the bytes. The receiver hears of them before anybody else's are gathered, at the latest in the next turn. */
  write(receiver: Gathered, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      // With each piece, and until it holds: whoever takes one may flush, or write to others.
      while (this.#receiver !== receiver) {
        this.flush();
        this.#receiver ??= receiver;
      }
      const count = Math.min(bytes.length - from, SLAB_BYTES - this.#end);
      this.#slab.bytes.set(count === bytes.length ? bytes : bytes.subarray(from, from + count), this.#end);
      this.#end += count;
      from += count;
      if (this.#end === SLAB_BYTES) this.#handOver(receiver);
    }
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#turn);
  }
  /** What waits goes to its receiver now. */
  flush(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver !== undefined) this.#handOver(receiver);
  }

  readonly #turn = (): void => {
    this.#armed = false;
    this.flush();
  };
  /** First all of this is in order again, then the receiver is told, who may do anything. */
  #handOver(receiver: Gathered): void {
    const slab = this.#slab;
    const piece = slab.bytes.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (piece.length > 0) slab.underWay += 1;
    if (this.#end === SLAB_BYTES) {
      slab.full = true;
      this.#slab = this.#spare.pop() ?? newSlab();
      this.#start = 0;
      this.#end = 0;
    }
    if (piece.length > 0) receiver.take(piece, () => this.#handleSent(slab));
  }
  #handleSent(slab: Slab): void {
    slab.underWay -= 1;
    if (slab.underWay > 0 || !slab.full || this.#spare.length >= SPARE_SLABS) return;
    slab.full = false;
    this.#spare.push(slab);
  }
}

/**
 * Writes gathered bytes. Whoever reads slowly must not keep memory that others share: a small piece that would have to wait is
 * copied once more.
 * @returns as `Connection.write`
 */
export function writeGathered(
  to: Pick<Connection, 'queued' | 'write'>,
  bytes: Uint8Array,
  sent: () => void,
): boolean {
  if (to.queued === 0 || bytes.length >= LARGE_BYTES) return to.write(bytes, sent);
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  sent();
  return to.write(own);
}

function newSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), underWay: 0, full: false };
}

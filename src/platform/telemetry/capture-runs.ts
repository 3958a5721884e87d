/** Octets of a slab: more than a batch has, and more than any frame. */
const SLAB_BYTES = 196_608;

/**
 * Messages as they wait to leave: written once as the frames that they leave as, so that keeping one makes no object that
 * outlives the call and holds no buffer of a connection, and leaving is a write of octets that are there. A run is what
 * stands together in a slab; slabs are used again.
 */
export class CaptureRuns {
  #slab: Slab | undefined;
  #spare: Slab | undefined;

  /** An empty run that has room for at least so many octets, at most {@link SLAB_BYTES}. */
  open(bytes: number): CaptureRun {
    if (this.#slab === undefined || this.#slab.room < bytes) {
      this.#slab = this.#spare ?? new Slab();
      this.#spare = undefined;
    }
    return new CaptureRun(this.#slab);
  }
  /** Its octets are not needed any more. */
  close({ slab }: CaptureRun): void {
    slab.runs -= 1;
    if (slab.runs > 0) return;
    slab.used = 0;
    if (slab !== this.#slab) this.#spare = slab;
  }
}

class Slab {
  readonly octets = Buffer.allocUnsafeSlow(SLAB_BYTES);
  used = 0;
  runs = 0;
  get room(): number {
    return SLAB_BYTES - this.used;
  }
}

export class CaptureRun {
  readonly type = 'run';
  readonly slab: Slab;
  readonly #from: number;
  #to: number;
  #count = 0;

  constructor(slab: Slab) {
    this.slab = slab;
    slab.runs += 1;
    this.#from = slab.used;
    this.#to = slab.used;
  }
  /** Messages in it. */
  get count(): number {
    return this.#count;
  }
  get bytes(): Buffer {
    return this.slab.octets.subarray(this.#from, this.#to);
  }
  get length(): number {
    return this.#to - this.#from;
  }
  /** Where the next one begins in the slab. */
  get end(): number {
    return this.#to;
  }
  /** Octets that still fit, while the run is the last one of its slab. */
  get room(): number {
    return this.slab.room;
  }
  /** So many messages have been written behind the others, up to there. */
  grow(count: number, end: number): void {
    this.#to = end;
    this.slab.used = end;
    this.#count += count;
  }
}

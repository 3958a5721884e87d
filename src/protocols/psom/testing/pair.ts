import type { DistributedInterface } from '../objects/interface.ts';
import { type PsomEvent, type PsomLimits, PsomPeer } from '../objects/peer.ts';

export const LIMITS: PsomLimits = {
  frameBytes: 65_535,
  frameMs: 10_000,
  objects: 8,
  depth: 3,
  nameLength: 32,
};

type Side = 'client' | 'server';

/** A client and a server with a wire between them that delivers only when told. */
export class Pair {
  readonly client: PsomPeer;
  readonly server: PsomPeer;
  readonly #wire = { client: [] as Uint8Array[], server: [] as Uint8Array[] };

  constructor(
    root: DistributedInterface,
    interfaces: readonly DistributedInterface[],
    limits: PsomLimits = LIMITS,
  ) {
    this.client = new PsomPeer({ side: 'client', root, interfaces, limits });
    this.server = new PsomPeer({ side: 'server', root, interfaces, limits });
  }
  /** Gives the other side everything that `from` has written; gives what that led to there. */
  deliver(from: Side): PsomEvent[] {
    const to = from === 'client' ? this.server : this.client;
    this.#wire[from].push(...this[from].takeOutput());
    return this.#wire[from].splice(0).flatMap((frame) => [...to.handleBytes(frame, 0)]);
  }
  /** Puts what `from` has written on the wire, where it waits. */
  hold(from: Side): void {
    this.#wire[from].push(...this[from].takeOutput());
  }
  /** Delivers both ways until nothing is left; gives what happened on either side. */
  settle(): { client: PsomEvent[]; server: PsomEvent[] } {
    const seen = { client: [] as PsomEvent[], server: [] as PsomEvent[] };
    for (let round = 0; round < 20; round++) {
      seen.server.push(...this.deliver('client'));
      seen.client.push(...this.deliver('server'));
    }
    return seen;
  }
}

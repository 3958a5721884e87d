import { loopPrint, type SipRequest, type Via } from '#protocols/sip';
import type { Seal } from './seal.ts';

/**
 * How a branch of ours ends that has a trail: behind the count the print of what it was sent by, and behind that those of its
 * earlier ways through this edge, the latest first.
 */
const TRAIL = /^z9hG4bK(?:w\d{1,3}\.)?[a-z2-7]{12}\d{1,16}((?:-[0-9a-f]{16})+)$/;
const SEPARATOR = '-';
/** Earlier prints that are kept. What goes round by more ways than that is ended by its Max-Forwards. */
const MOST_EARLIER = 15;

/**
 * Finds requests that go round in a circle (RFC 3261 §16.3 step 4). Who loops passes this edge outward once in every round, so
 * that is where it is looked for, and what comes in costs nothing. Of the Vias of the inside none leaves the house, and with them
 * would go the prints of all the rounds before, so they are kept behind that of our own Via: without that, two users who
 * forward to one another at two places would never be found (RFC 5393 §3).
 */
export class Trails {
  readonly #seal: Seal;
  readonly #host: string;

  /** @param host what our Vias outside name as their sender, in lower case */
  constructor(seal: Seal, host: string) {
    this.#seal = seal;
    this.#host = host;
  }

  /** What the branch has to end in with which this request goes outward; undefined: it went this very way before. */
  of(request: SipRequest): string | undefined {
    const print = loopPrint(request, this.#seal.printKey);
    const earlier = this.#earlier(request.vias());
    if (earlier === undefined) return SEPARATOR + print;
    if (earlier.includes(print)) return undefined;
    return ['', print, ...earlier.slice(0, MOST_EARLIER)].join(SEPARATOR);
  }

  /** Of a request that never was here before, which is nearly every one: undefined. */
  #earlier(vias: readonly Via[]): string[] | undefined {
    let prints: string[] | undefined;
    for (const { host, branch } of vias) {
      if (host !== this.#host || branch === undefined) continue;
      const trail = TRAIL.exec(branch)?.[1];
      if (trail === undefined) continue;
      prints ??= [];
      prints.push(...trail.slice(1).split(SEPARATOR));
    }
    return prints;
  }
}

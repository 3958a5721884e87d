/** Longer texts are made anew each time. */
const LONGEST = 64;

interface Known {
  readonly octets: Uint8Array;
  readonly text: string;
}

/** One step of the hash over the octets of a text; it begins with 0. */
export function textHashStep(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + octet) | 0;
}

/**
 * Texts that come again in message after message, such as the URIs of the two parties: octets that were met a while ago give
 * the very string that they gave then. They need not be checked again, nothing is cut out or decoded, and whoever looks the text up
 * in a `Map` pays neither for its hash nor for comparing it. Each has one place, from which another one may push it.
 */
export class RecentTexts {
  readonly #places: (Known | undefined)[];
  readonly #mask: number;

  /** @param places a power of two */
  constructor(places: number) {
    this.#places = new Array<Known | undefined>(places).fill(undefined);
    this.#mask = places - 1;
  }

  /** What {@link learn} was told of `bytes[start..end)`, if that is not too long ago. @param hash of these octets */
  text(bytes: Uint8Array, start: number, end: number, hash: number): string | undefined {
    const known = this.#places[this.#placeOf(hash)];
    if (known === undefined) return undefined;
    const { octets, text } = known;
    if (octets.length !== end - start) return undefined;
    for (let i = 0; i < octets.length; i++) if (octets[i] !== bytes[start + i]) return undefined;
    return text;
  }

  /** @returns the text */
  learn(bytes: Uint8Array, start: number, end: number, hash: number, text: string): string {
    // A copy: a part of the message would keep all of it for as long as the text is remembered.
    if (end - start <= LONGEST)
      this.#places[this.#placeOf(hash)] = { octets: new Uint8Array(bytes.subarray(start, end)), text };
    return text;
  }

  #placeOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }
}

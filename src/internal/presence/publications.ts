import { type Random, randomToken, type WallTime } from '#kernel';
import {
  PIDF_TYPE,
  type PresenceDocument,
  type PresenceSource,
  presenceLimits,
  readPidf,
  writePidf,
} from '#protocols/presence';
import type { SipRequest } from '#protocols/sip';
import type { PresenceStore, Publication } from './presence-store.ts';
import { grantedSeconds, type Reply, refusal } from './reply.ts';
import type { PresenceSettings } from './settings.ts';

const ETAG_LENGTH = 16;

/** The event state compositor of RFC 3903 §6: what each device of a user said last, for as long as it is true. */
export class Publications {
  readonly #store: PresenceStore;
  readonly #random: Random;
  #settings: PresenceSettings;

  constructor(store: PresenceStore, random: Random, settings: PresenceSettings) {
    this.#store = store;
    this.#random = random;
    this.#settings = settings;
  }
  configure(settings: PresenceSettings): void {
    this.#settings = settings;
  }

  /** RFC 3903 §6 from step 3 on: who sends it and the event have been looked at. */
  handle(request: SipRequest, presentity: string, wall: WallTime): Reply {
    const seconds = grantedSeconds(request.header('Expires'), this.#settings);
    if (typeof seconds !== 'number') return seconds;
    const live = this.#live(presentity, wall);
    const [tag] = request.values('SIP-If-Match');
    const known = tag === undefined ? undefined : live.find(({ etag }) => etag === tag);
    if (tag !== undefined && known === undefined) return refusal(412);
    const document = this.#read(request, known);
    if ('status' in document) return document;
    if (known === undefined && seconds > 0 && live.length >= this.#settings.publicationsPerUser) {
      return refusal(403, 'Too Many Publications');
    }
    return this.#replace(presentity, known, document.bytes, seconds, wall);
  }

  /** What the devices say, newest first. */
  sources(
    presentity: string,
    wall: WallTime,
  ): { readonly sources: PresenceSource[]; readonly until: WallTime } {
    const sources: PresenceSource[] = [];
    let until = Number.POSITIVE_INFINITY;
    for (const { etag, document, expires } of this.#live(presentity, wall)) {
      until = Math.min(until, expires);
      const read = readPidf(document, STORED);
      if (read.ok) sources.push({ name: `d${etag.slice(0, 4)}`, document: read.value });
    }
    return { sources, until };
  }

  #live(presentity: string, wall: WallTime): Publication[] {
    return this.#store.publications(presentity).filter(({ expires }) => expires > wall);
  }

  /** RFC 3903 §6 step 5; a refresh has no body and keeps what was said. */
  #read(request: SipRequest, known: Publication | undefined): { readonly bytes: Uint8Array } | Reply {
    const { body } = request;
    if (body.length === 0) {
      return known === undefined ? refusal(400, 'Nothing Published') : { bytes: known.document };
    }
    const type = request.header('Content-Type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== PIDF_TYPE || request.has('Content-Encoding')) {
      return refusal(415, undefined, [
        ['Accept', PIDF_TYPE],
        ['Accept-Encoding', 'identity'],
      ]);
    }
    if (body.length > this.#settings.documentBytes) return refusal(413);
    const read = readPidf(body, { ...presenceLimits, bytes: this.#settings.documentBytes });
    return read.ok
      ? { bytes: writePidf(read.value satisfies PresenceDocument) }
      : refusal(400, 'Malformed PIDF');
  }

  /** RFC 3903 §6 step 6: a new entity tag with every success, also with a removal. */
  #replace(
    presentity: string,
    known: Publication | undefined,
    document: Uint8Array,
    seconds: number,
    wall: WallTime,
  ): Reply {
    const etag = randomToken(this.#random, ETAG_LENGTH);
    this.#store.atomically(() => {
      if (known !== undefined) this.#store.deletePublication(presentity, known.etag);
      if (seconds === 0) return;
      const refreshed = known?.document === document ? known.changed : wall;
      this.#store.savePublication(presentity, {
        etag,
        document,
        changed: refreshed,
        expires: wall + seconds * 1000,
      });
    });
    return {
      status: 200,
      headers: [
        ['SIP-ETag', etag],
        ['Expires', `${seconds}`],
      ],
    };
  }
}

/** What we wrote ourselves may be longer than what was read. */
const STORED = { ...presenceLimits, bytes: 1 << 20, elements: 4_000, declarations: 4_000 };

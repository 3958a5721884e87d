/** How willing somebody is to talk, in the words of XMPP (RFC 8048 §6.2 carries them in PIDF). */
export const shows = ['away', 'chat', 'dnd', 'xa'] as const;
export type Show = (typeof shows)[number];

export interface Note {
  readonly text: string;
  /** BCP 47 tag. */
  readonly language?: string;
}

/** One way of reaching somebody, or one device (RFC 3863 §4.1.2). */
export interface Tuple {
  /** Unique within its document; an XML name, which begins with no digit. */
  readonly id: string;
  readonly basic: 'open' | 'closed';
  readonly show?: Show;
  /** RPID activities (RFC 4480 §3.2) that stand within this tuple's status, e.g. `meeting`. */
  readonly activities?: readonly string[];
  readonly contact?: {
    readonly uri: string;
    /** 0 to 1, at most three decimals. */
    readonly priority?: number;
  };
  readonly notes: readonly Note[];
  /** As written: date and time with offset. */
  readonly timestamp?: string;
}

/** A presence document (RFC 3863) as a value; what other extensions it had is not kept. */
export interface PresenceDocument {
  /** Whom it is about: `sip:` or `pres:` URI. */
  readonly entity: string;
  readonly tuples: readonly Tuple[];
  readonly notes: readonly Note[];
  /** RPID activities of the person (RFC 4479 §3.2), all devices together. */
  readonly activities: readonly string[];
}

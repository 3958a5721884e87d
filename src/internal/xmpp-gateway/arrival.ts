import type { XmlElement } from '#protocols/xml';
import type { PartnerType } from '#protocols/xmpp';
import type { Parties } from './party.ts';
import type { Taken } from './seen.ts';

/** A stanza of a partner for a user of ours. */
export interface Arrival extends Parties {
  readonly stanza: XmlElement;
  readonly partner: PartnerType;
  /** Call it once: the stanza is safe, or its sender was answered. */
  readonly done: () => void;
  /** Of an error of the proxy's: nobody knows whether what it is about has arrived. */
  readonly fate: 'unknown' | undefined;
  /** Call it before anything leaves that a user would see twice: see {@link Taken}. */
  readonly begin: () => void;
}

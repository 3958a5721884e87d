import type { XmlElement } from '#protocols/xml';

/** Why no link took a stanza over. */
export type LinkFailure =
  /** None was there for as long as a stanza waits, or each broke with it. */
  | 'no-link'
  /** A link ended with a message before its peer had taken it over: it may have arrived. */
  | 'unknown'
  /** Too many wait already. */
  | 'queue-full';

/** A stanza on its way over links. */
export interface Outgoing {
  readonly stanza: XmlElement;
  readonly key: string;
  readonly settled: (failed: LinkFailure | undefined) => void;
  attempts: number;
  deadline: number;
  /** The only peer that may be given it. */
  peer: string | undefined;
}

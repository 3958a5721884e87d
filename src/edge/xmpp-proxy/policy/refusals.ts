/** Why a stanza went no further; closed, for metrics and events. */
export const refusals = [
  /** An address that is none, or none of a person where one must be. */
  'address-malformed',
  /** A kind of stanza other than messages between two people and presence. */
  'not-im-or-presence',
  /** An IQ request that the edge does not answer. */
  'iq-not-served',
  /** An answer to an IQ that was not asked. */
  'iq-answer-unasked',
  /** More than can be passed on, once it is written anew. */
  'too-large',
  /** The partner is beyond its stanzas in a second. */
  'partner-rate',
  /** The partner is beyond its subscriptions in a minute. */
  'subscription-rate',
  /** No gateway is connected, or none took it over. */
  'no-gateway',
  /** The domain is on no list. */
  'not-a-partner',
  /** No server of the partner was found. */
  'partner-not-found',
  /** A server of the partner was found and no stream came of it, or it broke. */
  'partner-not-reached',
  /** Too much waits for the partner already. */
  'partner-busy',
  /** A stream or link broke before the other side had acknowledged it: it may have arrived, and is not sent again. */
  'delivery-unknown',
] as const;
export type Refusal = (typeof refusals)[number];

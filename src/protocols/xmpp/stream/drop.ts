import { xmlProblems } from '#protocols/xml';

/** Why a stream ended, or a part of a negotiation was refused; closed, for metrics and events. */
export const streamReasons = [
  ...xmlProblems,
  /** The stream was closed by the peer in order, or by us at its end. */
  'closed',
  /** The transport ended before the stream did. */
  'connection-lost',
  'stream-error-received',
  'header-invalid',
  'version-unsupported',
  /** `to` is no domain of ours. */
  'host-unknown',
  /** No address, or one that is none, where one must be. */
  'improper-addressing',
  /** `from` is no partner. */
  'not-a-partner',
  /** The header of a restarted stream names another domain. */
  'domain-changed',
  'unexpected-element',
  /** A stanza before its domain was proven. */
  'not-authorized',
  /** `from` of a stanza is no domain that this stream has proven. */
  'from-not-authorized',
  'tls-not-offered',
  'tls-refused',
  'tls-failed',
  /** The certificate does not speak for the domain, and no other way is allowed. */
  'certificate-not-accepted',
  'sasl-refused',
  'sasl-identity-mismatch',
  'no-method-left',
  'dialback-invalid',
  /** An answer to a question that was not asked. */
  'dialback-uncorrelated',
  'too-many-pairs',
  /** As many streams, or streams of strangers, or questions about keys as there may be; or none is taken at present. */
  'no-place',
  /** The partner has as many streams as its entry allows. */
  'too-many-streams',
  'acknowledgement-impossible',
  'establishment-timeout',
  'stanza-timeout',
  'inactive',
  'slow-reader',
  /** Its source held most of the places for strangers, and another source needed one. */
  'made-room',
  /** The peer has come on another connection. */
  'replaced',
  'shutdown',
] as const;

export type StreamReason = (typeof streamReasons)[number];

/** Why somebody was not let in, or got no file; closed, for metrics and events. */
export const refusals = [
  /** No token that a service could have made. */
  'token-malformed',
  /** Signed by nobody that its node told of, or changed since. */
  'token-forged',
  /** Good for something else. */
  'token-other-purpose',
  'token-expired',
  /** Shown here before. */
  'token-replayed',
  /** Its node has no link to this edge. */
  'node-not-connected',
  /** Its node takes nobody now. */
  'node-draining',
  /** The link to its node has no place left. */
  'link-full',
  /** As many as the document allows, in all or from one source. */
  'too-many-participants',
  'too-many-from-source',
  /** Too many refusals of its source. */
  'source-slowed',
  /** This edge is being drained. */
  'draining',
  /** The service said no: used before, locked, removed, ended, full. */
  'service',
] as const;
export type Refusal = (typeof refusals)[number];

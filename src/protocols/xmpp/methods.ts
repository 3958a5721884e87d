/** How much a partner is asked to do of something. */
export const negotiations = ['required', 'optional', 'not-supported'] as const;
export type Negotiation = (typeof negotiations)[number];

/** How a partner proves its domain, and we ours. */
export const methods = ['sasl-external', 'tls-dialback', 'tcp-dialback'] as const;
export type Method = (typeof methods)[number];

export interface PartnerNegotiation {
  readonly tls: Negotiation;
  readonly sasl: Negotiation;
  readonly dialback: boolean;
}

export interface NegotiationOutcome {
  readonly state: 'valid' | 'warning' | 'refused';
  /** Best first. Empty exactly when the combination is refused. */
  readonly methods: readonly Method[];
  /** For the operator, unless the combination is valid. */
  readonly why?: string;
}

/**
 * What comes of the settings of one partner; all 18 combinations. SASL EXTERNAL rides on TLS alone, and without TLS only
 * dialback is left, which proves no more than that DNS leads back to the partner.
 */
export function negotiate({ tls, sasl, dialback }: PartnerNegotiation): NegotiationOutcome {
  const found = methods.filter((method) => isPossible(method, { tls, sasl, dialback }));
  const why = objection(tls, sasl, dialback);
  if (found.length === 0) return { state: 'refused', methods: found, why: nothingLeft(tls) };
  return why === undefined ? { state: 'valid', methods: found } : { state: 'warning', methods: found, why };
}

function isPossible(method: Method, { tls, sasl, dialback }: PartnerNegotiation): boolean {
  switch (method) {
    case 'sasl-external':
      return tls !== 'not-supported' && sasl !== 'not-supported';
    case 'tls-dialback':
      // Where both are required, SASL alone counts; where TLS is optional, whoever cannot do SASL may still call back.
      return dialback && tls !== 'not-supported' && !(tls === 'required' && sasl === 'required');
    case 'tcp-dialback':
      return dialback && tls !== 'required';
  }
}

function nothingLeft(tls: Negotiation): string {
  return tls === 'not-supported'
    ? 'without TLS there is no SASL, and dialback is off'
    : 'SASL is not supported and dialback is off';
}

function objection(tls: Negotiation, sasl: Negotiation, dialback: boolean): string | undefined {
  if (sasl === 'not-supported') return undefined;
  if (tls === 'not-supported') return `SASL is ${sasl} but can only be had over TLS, which is not supported`;
  if (tls === 'optional') return `SASL is ${sasl} but can only be had over TLS, which is optional`;
  if (sasl === 'required' && dialback) return 'dialback is never used where TLS and SASL are both required';
  return undefined;
}

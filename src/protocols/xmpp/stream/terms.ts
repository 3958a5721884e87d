import type { XmlLimits } from '#protocols/xml';
import type { Method } from '../methods.ts';
import type { StreamTimes } from './wire.ts';

/** What is agreed with one partner. */
export interface PartnerTerms {
  /** Ways to prove a domain, best first; never empty. */
  readonly methods: readonly Method[];
  /** Whether blanks keep its streams open; they do when left out. */
  readonly keepAlive?: boolean;
}

/** What TLS has shown of the peer. */
export interface PeerSecurity {
  /** Whether its certificate was verified and speaks for this domain. */
  readonly asserts: (domain: string) => boolean;
}

export interface StreamLimits {
  readonly stranger: XmlLimits;
  readonly partner: XmlLimits;
  /** Pairs of domains of one stream. */
  readonly pairs: number;
  /** Stanzas sent and not acknowledged. */
  readonly unacknowledged: number;
}

export interface StreamSettings {
  readonly times: StreamTimes;
  readonly limits: StreamLimits;
  /** From which dialback keys are made. */
  readonly secret: string;
  /** By which keys that another edge of the pool made are known too, while not all of them use the same one. */
  readonly otherSecrets?: readonly string[] | undefined;
}

export function usesTls({ methods }: PartnerTerms): boolean {
  return methods.includes('sasl-external') || methods.includes('tls-dialback');
}

export function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}

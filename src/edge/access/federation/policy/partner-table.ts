import type { FederationSettings, VerificationLevel } from './settings.ts';

/** How a domain came to be a partner; its order is that in which the lists are read. */
export type PartnerKind = 'allowed-server' | 'allowed-domain';

/** Whom messages of one domain are exchanged with. */
export interface Partner {
  readonly kind: PartnerKind;
  /** The SIP domain of the users there. */
  readonly domain: string;
  /** The name of their edge; undefined: found by the domain's DNS records. */
  readonly proxy: string | undefined;
  readonly verification: VerificationLevel;
}

/** Why nothing is exchanged with a domain. */
export type PartnerRefusal = 'federation-off' | 'own-domain' | 'blocked-domain' | 'unlisted-domain';

/** Who the partners are: the lists of the document, made ready to be asked for each message. */
export class PartnerTable {
  readonly #settings: FederationSettings;
  readonly #allowed: ReadonlyMap<string, Partner>;
  readonly #blocked: ReadonlySet<string>;
  readonly #own: ReadonlySet<string>;

  /** @param own our SIP domains, lower case */
  constructor(settings: FederationSettings, own: ReadonlySet<string>) {
    this.#settings = settings;
    this.#own = own;
    this.#blocked = new Set(settings.blocked.map(({ domain }) => domain));
    this.#allowed = new Map(
      settings.allowed.map(({ domain, proxy, verification }) => {
        const kind = proxy === undefined ? 'allowed-domain' : 'allowed-server';
        return [domain, { kind, domain, proxy, verification }];
      }),
    );
  }

  /** The block list wins over everything, and nobody speaks for our own domains from outside. */
  partnerFor(domain: string): Partner | PartnerRefusal {
    if (!this.#settings.enabled) return 'federation-off';
    if (this.#own.has(domain)) return 'own-domain';
    if (this.#blocked.has(domain)) return 'blocked-domain';
    return this.#allowed.get(domain) ?? 'unlisted-domain';
  }

  /** The listed partners. */
  partners(): Partner[] {
    return [...this.#allowed.values()];
  }
}

/** Names the connections that the edge opens to a partner; those of one domain are never used for another. */
export function linkKey({ proxy, domain }: Partner): string {
  return `${domain} ${proxy ?? ''}`;
}

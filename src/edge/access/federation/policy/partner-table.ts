import type { FederationSettings, Provider, VerificationLevel } from './settings.ts';

/** How a domain came to be a partner. */
export type PartnerKind = 'allowed-server' | 'allowed-domain' | 'provider' | 'default-route' | 'discovered';

/** Whom messages of one domain are exchanged with. */
export interface Partner {
  readonly kind: PartnerKind;
  /** The SIP domain of the users there. */
  readonly domain: string;
  /** The name of their edge; undefined: found by the domain's DNS records. */
  readonly proxy: string | undefined;
  readonly verification: VerificationLevel;
  /** The provider, or what stands for one behind a default route to public providers. */
  readonly provider?: Provider;
}

/** Whether what is exchanged with a partner is so with people at a public provider. */
export function isPublic({ provider }: Pick<Partner, 'provider'>): boolean {
  return provider?.kind === 'public';
}

/** Which of the two switches for everybody elsewhere is off: the organisation's own, or the flags of the topology. */
type Closed = 'federation-not-allowed' | 'federation-off';

/** Why nothing is exchanged with a domain. */
export type PartnerRefusal = Closed | 'own-domain' | 'blocked-domain' | 'provider-off' | 'unlisted-domain';

/** Who the partners are: the lists of the document, made ready to be asked for each message. */
export class PartnerTable {
  readonly #settings: FederationSettings;
  readonly #allowed: ReadonlyMap<string, Partner>;
  readonly #provided: ReadonlyMap<string, Partner>;
  readonly #blocked: ReadonlySet<string>;
  readonly #own: ReadonlySet<string>;

  /** @param own our SIP domains, and the hosts of both our sides; lower case */
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
    this.#provided = new Map(settings.providers.flatMap(domainsOf));
  }

  /** The block list wins over everything, and nobody speaks for our own domains and hosts from outside. */
  partnerFor(domain: string): Partner | PartnerRefusal {
    const { closed } = this;
    if (closed !== undefined) return closed;
    if (this.#own.has(domain)) return 'own-domain';
    if (this.#blocked.has(domain)) return 'blocked-domain';
    const provided = this.#provided.get(domain);
    if (provided !== undefined) return this.#isOn(provided) ? provided : 'provider-off';
    const allowed = this.#allowed.get(domain);
    if (allowed === undefined) return this.#unlisted(domain);
    return this.#settings.routed ? allowed : 'federation-off';
  }

  /** Why nothing is exchanged with anybody; undefined when it depends on who it is. */
  get closed(): Closed | undefined {
    const { enabled, routed, publicProviders } = this.#settings;
    if (!enabled) return 'federation-not-allowed';
    return routed || publicProviders ? undefined : 'federation-off';
  }
  /** The listed partners with whom something is exchanged. */
  partners(): Partner[] {
    if (this.closed !== undefined) return [];
    const allowed = this.#settings.routed ? [...this.#allowed.values()] : [];
    return [...allowed, ...[...this.#provided.values()].filter((partner) => this.#isOn(partner))];
  }
  /** True when anybody with a good certificate may be a partner. */
  get open(): boolean {
    const { routed, discovery, routing, defaultRoute } = this.#settings;
    if (this.closed !== undefined) return false;
    return routing === 'default-route' ? defaultRoute.publicProvider || routed : routed && discovery.enabled;
  }

  #isOn({ provider }: Partner): boolean {
    const { routed, publicProviders } = this.#settings;
    return provider?.enabled === true && (provider.kind === 'hosting' ? routed : publicProviders);
  }

  #unlisted(domain: string): Partner | PartnerRefusal {
    const { routed, routing, discovery } = this.#settings;
    if (routing === 'default-route') return this.#byDefaultRoute(domain);
    if (!routed) return 'federation-off';
    if (!discovery.enabled) return 'unlisted-domain';
    return { kind: 'discovered', domain, proxy: undefined, verification: discovery.verification };
  }
  #byDefaultRoute(domain: string): Partner | PartnerRefusal {
    const { routed, defaultRoute } = this.#settings;
    const { proxy, verification, publicProvider } = defaultRoute;
    if (proxy === undefined) return 'unlisted-domain';
    const route = { kind: 'default-route', domain, proxy, verification } as const;
    if (!publicProvider) return routed ? route : 'federation-off';
    const partner: Partner = { ...route, provider: behindRoute(proxy, verification) };
    return this.#isOn(partner) ? partner : 'provider-off';
  }
}

/** All public providers behind a default route, as one; the switch for calls with providers is the only one there is. */
function behindRoute(proxy: string, verification: VerificationLevel): Provider {
  return { name: proxy, kind: 'public', proxy, enabled: true, domains: [], audioVideo: true, verification };
}

function domainsOf(provider: Provider): [string, Partner][] {
  const { domains, decorationDomain, proxy, verification } = provider;
  const all = decorationDomain === undefined ? domains : [...domains, decorationDomain];
  return all.map((domain) => [domain, { kind: 'provider', domain, proxy, verification, provider }]);
}

/** True for whoever carries the messages of many domains: its certificate names its server, never their domains. */
export function isCarrier({ kind }: Pick<Partner, 'kind'>): boolean {
  return kind === 'provider' || kind === 'default-route';
}

/** Names the connections that the edge opens; those of one domain, or of one carrier, are never used for another. */
export function linkKey(partner: Partner): string {
  const { kind, proxy, domain } = partner;
  return isCarrier(partner) ? `${kind} ${proxy}` : `domain ${domain} ${proxy ?? ''}`;
}

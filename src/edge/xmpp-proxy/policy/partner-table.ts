import type { EdgeDocument } from '#platform/topology';
import { type Method, negotiate, type PartnerType } from '#protocols/xmpp';

type Entry = EdgeDocument['policy']['xmpp']['partners'][number];

/** One partner of the document. */
export interface XmppPartner {
  /** Its main domain. */
  readonly name: string;
  /** All of its domains. */
  readonly domains: readonly string[];
  readonly type: PartnerType;
  readonly methods: readonly Method[];
  readonly keepAlive: boolean;
  readonly server: string | undefined;
}

/** The partners by their domains; whoever is not in it is nobody. */
export class PartnerTable {
  readonly partners: readonly XmppPartner[];
  readonly #byDomain = new Map<string, XmppPartner>();

  constructor(entries: readonly Entry[]) {
    this.partners = entries.flatMap(partnerOf);
    for (const partner of this.partners)
      for (const domain of partner.domains) this.#byDomain.set(domain, partner);
  }

  /** @param domain canonical */
  of(domain: string): XmppPartner | undefined {
    return this.#byDomain.get(domain);
  }
}

/** A combination by which nothing could be proven is no partner; the check of the document says so before. */
function partnerOf({
  domain,
  additionalDomains,
  type,
  tls,
  sasl,
  dialback,
  keepAlive,
  server,
}: Entry): XmppPartner[] {
  const { methods } = negotiate({ tls, sasl, dialback });
  if (methods.length === 0) return [];
  return [{ name: domain, domains: [domain, ...additionalDomains], type, methods, keepAlive, server }];
}

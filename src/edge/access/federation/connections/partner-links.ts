import type { Result } from '#kernel';
import type { Connection } from '#platform/net';
import type { Reached } from '#platform/partner-dial';
import type { SipFlow } from '#platform/sip-endpoint';
import { type EventStream, eventEndpoint, type Log } from '#platform/telemetry';
import type { DialResult, FederationMetrics } from '../metrics.ts';
import { linkKey, type Partner } from '../policy/partner-table.ts';
import { type LinkFailure, PartnerLink } from './partner-link.ts';
import { type PartnerReach, reachPartner } from './reach-partner.ts';

export interface PartnerLinksOptions {
  readonly reach: PartnerReach;
  readonly events: EventStream;
  readonly log: Log;
  readonly metrics: FederationMetrics;
  readonly adopt: (connection: Connection, closed: (flow: SipFlow) => void) => SipFlow | undefined;
  readonly close: (flow: SipFlow) => void;
}

/** Partners that there is, or was, something for; the one without connections that was used longest ago makes room. */
const MOST_LINKS = 10_000;
/** How long connections of a partner that is none any more may finish what is under way. */
const GRACE_MS = 32_000;

/** The connections that the edge opens, by partner (port row ext-07). */
export class PartnerLinks {
  readonly #options: PartnerLinksOptions;
  /** In the order of their last use. */
  readonly #links = new Map<string, { readonly link: PartnerLink; readonly partner: Partner }>();

  constructor(options: PartnerLinksOptions) {
    this.#options = options;
  }

  /** Open connections to all partners. */
  get open(): number {
    let open = 0;
    for (const { link } of this.#links.values()) open += link.open;
    return open;
  }
  /** The open connections to all partners. */
  flows(): SipFlow[] {
    return [...this.#links.values()].flatMap(({ link }) => link.flows());
  }
  /** This connection takes nothing new, and closes when what is under way is over. */
  release(flow: SipFlow): void {
    for (const { link } of this.#links.values()) if (link.hostOf(flow) !== undefined) link.release(flow);
  }
  linkOf(partner: Partner): PartnerLink | undefined {
    return this.#links.get(linkKey(partner))?.link;
  }

  /** The link to a partner, made when there is none yet. */
  link(partner: Partner): PartnerLink {
    const key = linkKey(partner);
    const known = this.#links.get(key);
    if (known !== undefined) {
      this.#links.delete(key);
      this.#links.set(key, known);
      return known.link;
    }
    this.#makeRoom();
    const link = new PartnerLink({
      clock: this.#options.reach.clock,
      dial: (avoid) => this.#dial(partner, avoid),
      adopt: this.#options.adopt,
      close: this.#options.close,
      failed: (failure) => this.#tell(partner, failure),
    });
    this.#links.set(key, { link, partner });
    return link;
  }

  /** Another document: whoever is no partner any more keeps connections only until what is under way is over. */
  adopt(): void {
    const { partners, settings } = this.#options.reach.scene();
    for (const [key, { link, partner }] of this.#links) {
      const now = partners.partnerFor(partner.domain);
      if (typeof now !== 'string' && linkKey(now) === key) link.trim(settings.connectionsPerPartner);
      else {
        this.#links.delete(key);
        link.retire(GRACE_MS);
      }
    }
  }
  close(): void {
    for (const { link } of this.#links.values()) link.close();
    this.#links.clear();
  }

  #makeRoom(): void {
    if (this.#links.size < MOST_LINKS) return;
    for (const [key, { link }] of this.#links) {
      if (link.open > 0) continue;
      this.#links.delete(key);
      link.close();
      return;
    }
  }

  async #dial(
    partner: Partner,
    avoid: ReadonlySet<string>,
  ): Promise<Result<Reached<Connection>, LinkFailure>> {
    const reached = await reachPartner(this.#options.reach, partner, avoid);
    this.#options.metrics.dials.inc(reached.ok ? 'ok' : dialResult(reached.error));
    if (reached.ok) this.#tellReached(partner, reached.value.value);
    return reached;
  }

  #tellReached({ domain, kind }: Partner, { id, local, remote }: Connection): void {
    this.#options.events.emit({
      provider: 'Federation',
      component: 'partner-links',
      level: 'info',
      kind: 'decision',
      name: 'partner-reached',
      flags: ['connection'],
      connection: String(id),
      local: eventEndpoint(local),
      remote: eventEndpoint(remote),
      fields: { domain, kind },
      keys: { domain: [domain], address: [remote.address] },
    });
  }
  #tell({ domain, kind }: Partner, { reason, detail }: LinkFailure): void {
    this.#options.log.warn('partner not reached', { domain, rule: reason, detail: detail.slice(0, 500) });
    this.#options.events.emit({
      provider: 'Federation',
      component: 'partner-links',
      level: 'warning',
      kind: 'decision',
      name: 'partner-not-reached',
      fields: { domain, kind, rule: reason, detail: detail.slice(0, 500) },
      keys: { domain: [domain] },
    });
  }
}

function dialResult({ reason }: LinkFailure): DialResult {
  if (reason === 'partner-unresolvable') return 'unresolvable';
  if (reason === 'partner-name') return 'name';
  return reason === 'partner-certificate' ? 'certificate' : 'unreachable';
}

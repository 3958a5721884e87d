import { isIPv6 } from 'node:net';
import { type Clock, err, type Result } from '#kernel';
import { type Connection, type DialOptions, dialTls } from '#platform/net';
import type { SipFlow } from '#platform/sip-endpoint';
import type { EventSink, Log, Metrics } from '#platform/telemetry';
import type { FederationScene } from '../federation-scene.ts';
import type { DialResult, FederationMetrics } from '../metrics.ts';
import { identityOf } from '../policy/identity.ts';
import { linkKey, type Partner } from '../policy/partner-table.ts';
import { type Located, locate, type NameService, type Target } from './locate.ts';
import { type LinkFailure, PartnerLink } from './partner-link.ts';

export interface PartnerLinksOptions {
  readonly clock: Clock;
  readonly events: EventSink;
  readonly log: Log;
  readonly registry: Metrics;
  readonly metrics: FederationMetrics;
  readonly names: NameService;
  /** Whether a partner's certificate still stands. */
  readonly confirm: NonNullable<DialOptions['confirm']>;
  readonly scene: () => FederationScene;
  readonly adopt: (connection: Connection, closed: (flow: SipFlow) => void) => SipFlow | undefined;
  readonly close: (flow: SipFlow) => void;
}

/** IANA's ALPN id of SIP over TLS. */
const ALPN = ['sip/2'];
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
      clock: this.#options.clock,
      dial: () => this.#dial(partner),
      adopt: this.#options.adopt,
      close: this.#options.close,
      failed: (failure) => this.#tell(partner, failure),
    });
    this.#links.set(key, { link, partner });
    return link;
  }

  /** Another document: whoever is no partner any more keeps connections only until what is under way is over. */
  adopt(): void {
    const { partners, settings } = this.#options.scene();
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

  async #dial(partner: Partner): Promise<Result<Connection, LinkFailure>> {
    const result = await this.#tryTargets(partner);
    this.#options.metrics.dials.inc(result.ok ? 'ok' : dialResult(result.error));
    return result;
  }

  async #tryTargets(partner: Partner): Promise<Result<Connection, LinkFailure>> {
    const { localAddresses, mayDial } = this.#options.scene();
    const families = ([4, 6] as const).filter((family) => localAddressOf(localAddresses, family));
    const located = await locate(partner, this.#options.names, families, mayDial);
    if (!located.ok) return located;
    let gravest: LinkFailure | undefined;
    for (const target of located.value.targets) {
      const connection = await this.#dialTarget(partner, target, located.value);
      if (connection.ok) return connection;
      if (gravest?.reason !== 'partner-certificate') gravest = connection.error;
    }
    return err(gravest ?? { reason: 'partner-unresolvable', detail: 'no address' });
  }

  async #dialTarget(
    partner: Partner,
    target: Target,
    { hosts }: Located,
  ): Promise<Result<Connection, LinkFailure>> {
    const { scene, localAddresses, credentials, trust } = this.#options.scene();
    const localAddress = localAddressOf(localAddresses, isIPv6(target.address) ? 6 : 4);
    if (localAddress === undefined) return err({ reason: 'partner-unreachable', detail: target.address });
    const { limits } = scene.settings;
    const result = await dialTls({
      remote: { address: target.address, port: target.port },
      localAddress,
      servername: target.host,
      credentials,
      trust,
      expectNames: [partner.domain, ...hosts],
      confirm: this.#options.confirm,
      recognise: (names) => identityOf(names, partner, hosts) !== undefined,
      alpn: ALPN,
      handshakeMs: limits.handshakeSeconds * 1000,
      outboundBytes: limits.outboundBytes,
      clock: this.#options.clock,
      metrics: this.#options.registry,
    });
    if (result.ok) return result;
    const { code, message } = result.error;
    const reason = CERTIFICATE_CODES.has(code) ? 'partner-certificate' : 'partner-unreachable';
    return err({ reason, detail: message });
  }

  #tell({ domain, kind }: Partner, { reason, detail }: LinkFailure): void {
    this.#options.log.warn('partner not reached', { domain, rule: reason, detail: detail.slice(0, 500) });
    this.#options.events.emit({
      at: this.#options.clock.wall(),
      name: 'partner-not-reached',
      fields: { domain, kind, rule: reason, detail: detail.slice(0, 500) },
    });
  }
}

/** The certificate does not verify, names somebody else, is revoked, or nobody can tell whether it is. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'SLP-NET-0013',
  'SLP-NET-0014',
  'SLP-PKI-0001',
  'SLP-PKI-0002',
  'SLP-PKI-0003',
]);

function dialResult({ reason }: LinkFailure): DialResult {
  if (reason === 'partner-unresolvable') return 'unresolvable';
  if (reason === 'partner-name') return 'name';
  return reason === 'partner-certificate' ? 'certificate' : 'unreachable';
}

function localAddressOf(addresses: readonly string[], family: 4 | 6): string | undefined {
  return addresses.find((address) => isIPv6(address) === (family === 6));
}

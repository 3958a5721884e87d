import type { Clock, Random } from '#kernel';
import type { Resolver } from '#platform/dns';
import { sipKeys } from '#platform/message-log';
import type { Connection, DialOptions } from '#platform/net';
import type { VerifiedPeer } from '#platform/pki';
import type { FlowOptions, SipFlow } from '#platform/sip-endpoint';
import type { EventDraft, EventStream, Log, Metrics } from '#platform/telemetry';
import type { ServerTransaction, SipRequest } from '#protocols/sip';
import { formatMessageTrust, MESSAGE_TRUST } from '#protocols/trust-marking';
import type { Refusal, RefusalReason } from '../policy/refusal.ts';
import type { ProxyCore } from '../proxy/core.ts';
import type { Seal } from '../topology-hiding/index.ts';
import { PartnerConnection } from './connections/partner-connection.ts';
import { PartnerLinks } from './connections/partner-links.ts';
import type { PartnerReach } from './connections/reach-partner.ts';
import { DiscoveredPartners } from './discovered-partners.ts';
import { Farewell } from './farewell.ts';
import type { FederationScene } from './federation-scene.ts';
import { Identification } from './identification.ts';
import { InwardSide } from './inward-side.ts';
import { type FederationMetrics, federationMetrics } from './metrics.ts';
import { OutwardSide } from './outward-side.ts';
import type { FederationReason } from './policy/federation-reasons.ts';
import { isWithin } from './policy/identity.ts';
import type { Policing } from './policy/policing.ts';
import { ProviderGate } from './provider-gate.ts';
import { Standing } from './standing.ts';

export interface FederationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Metrics;
  readonly events: EventStream;
  readonly log: Log;
  readonly core: ProxyCore;
  /** For life: what partners were shown has to open whatever document runs then. */
  readonly seal: Seal;
  readonly resolver: Resolver;
  /** Whether a partner's certificate still stands; asked in both directions, after its chain was verified. */
  readonly confirm: NonNullable<DialOptions['confirm']>;
  readonly scene: FederationScene;
  /** Gives to other workers what belongs to them; absent: there are none. */
  readonly divert?: FlowOptions['divert'] | undefined;
  /** Whether they handle messages of a connection. */
  readonly lends?: ((flow: SipFlow) => boolean) | undefined;
}

/** Unanswered requests of one connection. */
const OPEN_REQUESTS = 2000;

type EventFields = NonNullable<EventDraft['fields']>;

/** What the parts of federation share. */
export interface FederationCore {
  readonly core: ProxyCore;
  readonly seal: Seal;
  readonly links: PartnerLinks;
  readonly identification: Identification;
  readonly metrics: FederationMetrics;
  readonly policing: Policing;
  /** The running document's. */
  readonly scene: FederationScene;
  readonly providers: ProviderGate;
  /**
   * Answers with the refusal, and tells the operator which rule it was; `domain` is the partner's.
   * @param more what else the event says
   */
  refuse(
    transaction: ServerTransaction,
    refusal: Refusal,
    from: SipFlow,
    domain: string | undefined,
    more?: EventFields,
  ): void;
  /** The same of a request that nobody answers. */
  drop(request: SipRequest, reason: RefusalReason, from: SipFlow, domain: string | undefined): void;
}

/** Federation with partners (port rows ext-06 and ext-07): their connections, and what goes over them. */
export class Federation implements FederationCore {
  readonly core: ProxyCore;
  readonly seal: Seal;
  readonly links: PartnerLinks;
  readonly identification: Identification;
  readonly metrics: FederationMetrics;
  readonly #discovered: DiscoveredPartners;
  readonly providers = new ProviderGate(this);
  /** How partners are reached under the running document. */
  readonly reach: PartnerReach;
  readonly #options: FederationOptions;
  readonly #inward: InwardSide;
  readonly #outward: OutwardSide;
  readonly #inbound = new Set<PartnerConnection>();
  /** Those of other workers, as far as their messages belong here. */
  readonly #borrowed = new Set<PartnerConnection>();
  readonly #standing: Standing<PartnerConnection>;
  readonly #farewell: Farewell;
  /** What servers stapled to the handshake in which they showed a certificate. */
  readonly #staples = new WeakMap<VerifiedPeer, Buffer>();
  #scene: FederationScene;

  constructor(options: FederationOptions) {
    this.#options = options;
    this.core = options.core;
    this.seal = options.seal;
    this.#scene = options.scene;
    this.metrics = federationMetrics(options.registry);
    const confirm: PartnerReach['confirm'] = (peer, staple) => {
      if (staple !== undefined) this.#staples.set(peer, staple);
      return options.confirm(peer, staple);
    };
    this.reach = { ...options, confirm, scene: () => this.#scene };
    this.identification = new Identification(options.resolver, options.random);
    this.links = new PartnerLinks({
      reach: this.reach,
      events: options.events,
      log: options.log,
      metrics: this.metrics,
      adopt: (connection, closed) => this.#addFlow(connection, 'outbound', closed),
      close: (flow) => this.core.endpoint.closeFlow(flow, 'policy'),
    });
    this.#discovered = new DiscoveredPartners({
      clock: options.clock,
      scene: options.scene,
      tell: (name, fields, domain) => this.#tell(name, fields, { domain: [domain] }),
    });
    this.#standing = this.#reviewer();
    this.#farewell = new Farewell({
      clock: options.clock,
      mayStay: ({ peer }) => this.#mayConnect(peer.names),
      lent: ({ flow }) => options.lends?.(flow) === true,
      close: ({ flow }) => this.core.endpoint.closeFlow(flow, 'policy'),
    });
    this.#inward = new InwardSide(this);
    this.#outward = new OutwardSide(this);
    options.registry.observe(
      'sallyport_federation_inbound_connections',
      'Open connections that partners opened',
      () => this.#inbound.size,
    );
    options.registry.observe(
      'sallyport_federation_outbound_connections',
      'Open connections that this edge opened to partners',
      () => this.links.open,
    );
  }

  get policing(): Policing {
    return this.#discovered.policing;
  }
  get scene(): FederationScene {
    return this.#scene;
  }
  /** Connections with partners, whoever opened them. */
  get flowCount(): number {
    return this.#inbound.size + this.links.open;
  }
  /** Also those of other workers of which messages are handled here. */
  inbound(): PartnerConnection[] {
    return [...this.#inbound, ...this.#borrowed];
  }

  /** Another document: connections stay that could be opened under it, and are asked anew for whom they speak. */
  adopt(scene: FederationScene): void {
    this.#scene = scene;
    this.#discovered.adopt(scene);
    for (const connection of this.#inbound) {
      connection.forget();
      connection.flow.connection.idleMs = scene.settings.limits.idleSeconds * 1000;
    }
    for (const connection of [...this.#borrowed, ...this.#outbound()]) connection.forget();
    this.#farewell.begin(this.inbound().filter(({ peer }) => !this.#mayConnect(peer.names)));
    this.links.adopt();
    void this.#standing.review();
  }
  /** What was confirmed of certificates may be so no longer: open connections are held to the same as new ones. */
  async review(): Promise<void> {
    await this.#standing.review();
  }
  stop(): void {
    this.#standing.stop();
    this.#farewell.stop();
    this.#discovered.stop();
    this.links.close();
  }

  /** Those that this edge opened. */
  #outbound(): PartnerConnection[] {
    return this.links.flows().flatMap(({ data }) => (data instanceof PartnerConnection ? [data] : []));
  }

  /** A connection that a partner opened (port row ext-06); its chain was verified. */
  accept(connection: Connection): void {
    const peer = connection.tls?.peer;
    if (peer !== undefined && this.#mayConnect(peer.names)) void this.#admit(connection, peer);
    else this.#refuseConnection(connection, this.#closedTo());
  }

  /** A connection of another worker, which looked at its certificate. */
  borrow(connection: Connection, accounting: Pick<FlowOptions, 'divert' | 'onResponse'>): void {
    const flow = this.#addFlow(connection, 'borrowed', () => {}, accounting);
    if (flow?.data instanceof PartnerConnection) this.#borrowed.add(flow.data);
  }

  /** Nothing is read from the connection meanwhile. */
  async #admit(connection: Connection, peer: VerifiedPeer): Promise<void> {
    const confirmed = await this.#options.confirm(peer, undefined);
    if (connection.closed) return;
    if (!confirmed.ok) this.#refuseConnection(connection, 'partner-certificate', confirmed.error.message);
    else if (!this.#mayConnect(peer.names)) this.#refuseConnection(connection, this.#closedTo());
    else {
      const flow = this.#addFlow(connection, 'inbound', () => {});
      if (flow === undefined) this.core.refuseConnection('connections-full', 'partner', connection);
      if (flow?.data instanceof PartnerConnection) this.#inbound.add(flow.data);
    }
  }

  #refuseConnection(connection: Connection, rule: FederationReason, detail = ''): void {
    this.core.metrics.refusals.inc(rule);
    const names = (connection.tls?.peer?.names.dns ?? []).slice(0, 4);
    const remote = connection.remote.address;
    const more = detail === '' ? {} : { detail: detail.slice(0, 500) };
    const keys = { address: [remote], domain: names };
    this.#tell('partner-connection-refused', { rule, remote, names: names.join(' '), ...more }, keys);
    connection.destroy('policy');
  }

  #reviewer(): Standing<PartnerConnection> {
    const { clock, confirm } = this.#options;
    return new Standing<PartnerConnection>({
      clock,
      confirm,
      trust: () => this.#scene.trust,
      held: () => [...this.#inbound, ...this.#outbound()],
      peerOf: ({ peer }) => peer,
      stapleOf: ({ peer }) => this.#staples.get(peer),
      fallen: (connection, why) => this.#handleFallen(connection, why),
    });
  }
  /** One that we opened is replaced by a new one if that is let in; a revoked certificate is told nothing more. */
  #handleFallen(
    { flow, peer, direction }: PartnerConnection,
    { revoked, detail }: { readonly revoked: boolean; readonly detail: string },
  ): void {
    if (!flow.open) return;
    this.core.metrics.refusals.inc('partner-certificate');
    const names = peer.names.dns.slice(0, 4);
    const remote = flow.connection.remote.address;
    const rule = 'partner-certificate';
    const fields = { rule, direction, remote, names: names.join(' '), detail: detail.slice(0, 500) };
    this.#tell('partner-connection-closed', fields, { address: [remote], domain: names }, flow.id);
    if (revoked || direction === 'inbound') this.core.endpoint.closeFlow(flow, 'policy');
    else this.links.release(flow);
  }

  handleRequest(request: SipRequest, connection: PartnerConnection, transaction: ServerTransaction): void {
    this.#inward.handleRequest(request, connection, transaction);
  }
  handleAck(request: SipRequest, connection: PartnerConnection): void {
    this.#inward.handleAck(request, connection);
  }
  handleClosed(connection: PartnerConnection): void {
    this.#borrowed.delete(connection);
    this.#inbound.delete(connection);
  }
  /** A request of the next hop; false when it is not for a partner. */
  handleOutward(request: SipRequest, from: SipFlow, transaction: ServerTransaction): boolean {
    return this.#outward.handleRequest(request, from, transaction);
  }
  handleOutwardAck(request: SipRequest, from: SipFlow): boolean {
    return this.#outward.handleAck(request, from);
  }

  refuse(
    transaction: ServerTransaction,
    refusal: Refusal,
    from: SipFlow,
    domain: string | undefined,
    more: EventFields = {},
  ): void {
    const { reason, status } = refusal;
    this.#tellRefusal(transaction.request, reason, from, domain, { status, ...more });
    const inward = from.data instanceof PartnerConnection;
    const headers = inward ? refusal.headers : [...(refusal.headers ?? []), this.#generated()];
    this.core.refuse(transaction, headers === undefined ? refusal : { ...refusal, headers }, from);
  }
  drop(request: SipRequest, reason: RefusalReason, from: SipFlow, domain: string | undefined): void {
    this.#tellRefusal(request, reason, from, domain, {});
    this.core.countRefusal(reason, from, request);
  }

  #tellRefusal(
    request: SipRequest,
    rule: RefusalReason,
    from: SipFlow,
    domain: string | undefined,
    more: EventFields,
  ): void {
    const fields = {
      rule,
      direction: from.data instanceof PartnerConnection ? 'inward' : 'outward',
      domain: domain ?? '',
      method: request.method.slice(0, 32),
      remote: from.connection.remote.address,
      ...more,
    };
    this.#tell('partner-message-refused', fields, sipKeys(request), from.id);
  }

  /** An answer of the edge itself ([MS-SIPRE] §2.2.15). */
  #generated(): readonly [string, string] {
    const edge = this.#scene.scene.settings.internal.host;
    const trust = { type: 'EdgeProxyGenerated', edge, verified: true, network: 'federation' } as const;
    return [MESSAGE_TRUST, formatMessageTrust(trust)];
  }

  #addFlow(
    connection: Connection,
    direction: 'inbound' | 'outbound' | 'borrowed',
    closed: (flow: SipFlow) => void,
    more: FlowOptions = {},
  ): SipFlow | undefined {
    const peer = connection.tls?.peer;
    if (peer === undefined) {
      connection.destroy('policy');
      return undefined;
    }
    const { divert } = this.#options;
    const flow = this.core.endpoint.addFlow(connection, {
      authorised: true,
      ...(divert === undefined || direction === 'borrowed' ? {} : { divert }),
      openRequests: OPEN_REQUESTS,
      // What bears the same certificate may answer and cancel for one another, and nobody else may.
      scope: `partner ${peer.fingerprint}`,
      party: `partner ${peer.fingerprint}`,
      dialled: direction === 'outbound',
      onClosed: closed,
      ...more,
    });
    if (flow === undefined) return undefined;
    flow.data = new PartnerConnection(flow, peer, direction === 'outbound' ? 'outbound' : 'inbound');
    connection.idleMs = this.#scene.settings.limits.idleSeconds * 1000;
    return flow;
  }

  /** Why whoever may not connect may not. */
  #closedTo(): FederationReason {
    return this.#scene.partners.closed ?? 'unlisted-domain';
  }
  /** Whether a certificate might speak for anybody at all; for whom is decided for each sender. */
  #mayConnect(names: NonNullable<PartnerConnection['peer']>['names']): boolean {
    const { partners } = this.#scene;
    return (
      partners.open ||
      partners.partners().some((partner) => {
        if (this.identification.known(names, partner) !== undefined) return true;
        return partner.proxy === undefined && names.dns.some((name) => isWithin(name, partner.domain));
      })
    );
  }

  #tell(name: string, fields: EventFields, keys: NonNullable<EventDraft['keys']>, connection?: number): void {
    this.#options.events.emit({
      provider: 'Federation',
      component: 'federation',
      level: 'warning',
      kind: 'decision',
      name,
      fields,
      keys,
      ...(connection === undefined ? {} : { connection: String(connection) }),
    });
  }
}

import { isIPv6 } from 'node:net';
import type { Cancel } from '#kernel';
import type { ServiceContext } from '#platform/service';
import { NextHopAgent, type NextHopSettings } from '#platform/sip-agent';
import type { FlowTarget } from '#platform/sip-endpoint';
import type { InternalDocument } from '#platform/topology';
import { EdgeLinks, type EdgeLinksSettings, type LinkFailure, type LinkState } from '#platform/xmpp-link';
import type { XmlElement } from '#protocols/xml';
import { parseJid } from '#protocols/xmpp';
import { Gateway } from './gateway.ts';
import {
  DELIVERY_UNKNOWN,
  type GatewaySettings,
  type SendFailure,
  type XmppSide,
} from './gateway-context.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { GatewayStore } from './gateway-store.ts';
import type { Prepared } from './prepared.ts';
import { refusalEvent } from './refusal-event.ts';

type Ready = Prepared & { readonly store: GatewayStore };

const ALPN = ['sip/2'];
const SWEEP_MS = 1000;
const HANDSHAKE_MS = 10_000;
/** How long what is under way has at the end to come to an answer. */
const STOP_MS = 5000;
const STOP_STEP_MS = 50;

const FAILURES: Readonly<Record<LinkFailure, SendFailure>> = {
  'no-link': { condition: 'remote-server-timeout', reason: 'No Edge Reachable' },
  'queue-full': { condition: 'resource-constraint', reason: 'Too Much Waits For An Edge' },
  unknown: { condition: 'remote-server-timeout', reason: DELIVERY_UNKNOWN },
};

/** The gateway while it has a document with edges. */
export class Running implements XmppSide {
  readonly store: GatewayStore;
  readonly gateway: Gateway;
  readonly #context: ServiceContext;
  readonly #agent: NextHopAgent;
  /** Opened once a next hop is there: until then the proxies had better answer for us. */
  #links: EdgeLinks | undefined;
  #prepared: Ready;
  #settings: GatewaySettings;
  #cancelSweep: Cancel | undefined;
  #stopping = false;

  constructor(context: ServiceContext, metrics: GatewayMetrics, prepared: Ready) {
    this.#context = context;
    this.#prepared = prepared;
    this.store = prepared.store;
    this.#settings = settingsOf(prepared.document);
    const { clock, random, log } = context;
    const own = ownUri(prepared.document);
    this.#agent = new NextHopAgent(
      {
        ...{ clock, random, log, metrics: context.metrics, alpn: ALPN, own },
        name: 'xmpp_gateway',
        user: {
          onRequest: (...heard) => this.gateway.onRequest(...heard),
          onAck: () => this.gateway.onAck(),
          onCancel: () => this.gateway.onCancel(),
          onFlowClosed: (...closed) => this.gateway.onFlowClosed(...closed),
        },
        onReachable: () => this.#openLinks(),
      },
      this.#nextHopSettings(),
    );
    const { sip } = this.#agent;
    this.gateway = new Gateway(
      {
        ...{ clock, random, log, metrics, store: this.store, sip, xmpp: this },
        settings: () => this.#settings,
        refuse: (note) => {
          metrics.refused.inc(note.reason);
          context.events.emit(refusalEvent(note));
        },
      },
      own.address,
    );
    this.gateway.load();
    this.#agent.start();
    this.#planSweep();
  }

  #openLinks(): void {
    if (this.#links !== undefined || this.#stopping) return;
    const { clock, random, log, metrics } = this.#context;
    this.#links = new EdgeLinks({ clock, random, metrics }, this.#linkSettings(), {
      handleArrival: (arrival) => this.gateway.handleArrival(arrival),
      handleReady: (edge) => {
        log.info('link to edge open', { edge });
        this.gateway.handleLink();
      },
      handlePartner: (domain, state) => this.gateway.handlePartner(domain, state),
      handleEnd: (notice) => {
        log.warn('link to edge not open', { ...notice });
        // What an edge has acknowledged and not passed on is gone with it; another one may carry it.
        if (notice.reason !== 'not-connected') this.gateway.handleLink();
      },
    });
  }

  get file(): string {
    return this.#prepared.document.xmppGateway.database;
  }
  get underWay(): number {
    return this.gateway.underWay;
  }
  links(): readonly LinkState[] {
    return this.#links?.states() ?? [];
  }
  nextHops() {
    return this.#agent.nextHops();
  }
  describe(): string {
    const open = this.links().filter(({ ready }) => ready).length;
    const edges = this.#prepared.document.xmppGateway.edges.length;
    const hops = this.nextHops();
    const healthy = hops.filter(({ state }) => state === 'healthy').length;
    return `${open} of ${edges} edges, ${healthy} of ${hops.length} next hops`;
  }

  adopt(prepared: Prepared): void {
    this.#prepared = { ...prepared, store: this.store };
    this.#settings = settingsOf(prepared.document);
    this.#agent.configure(this.#nextHopSettings());
    this.#links?.configure(this.#linkSettings());
  }

  send(stanza: XmlElement, settled: (failed: SendFailure | undefined) => void = () => {}): void {
    const to = parseJid(stanza.attributes.get('to') ?? '');
    if (to === undefined) return settled({ condition: 'jid-malformed', reason: 'Not An Address' });
    if (this.#links === undefined) return settled(FAILURES['no-link']);
    this.#links.send(stanza, to.domain, (failed) => {
      settled(failed === undefined ? undefined : FAILURES[failed]);
    });
  }

  /** What is under way comes to its answer first, so that it need not come again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelSweep?.();
    for (let waited = 0; this.underWay > 0 && waited < STOP_MS; waited += STOP_STEP_MS) {
      await new Promise<void>((resolve) => this.#context.clock.after(STOP_STEP_MS, resolve));
    }
    this.#links?.close();
    this.#agent.close();
    this.store.close();
  }

  #planSweep(): void {
    this.#cancelSweep = this.#context.clock.after(SWEEP_MS, () => {
      this.gateway.sweep();
      if (!this.#stopping) this.#planSweep();
    });
  }

  #linkSettings(): EdgeLinksSettings {
    const { document, credentials, trust } = this.#prepared;
    const { edges, limits, keepAliveSeconds } = document.xmppGateway;
    return {
      own: document.host.name,
      edges,
      credentials,
      trust,
      localAddresses: document.host.addresses.internal,
      hosts: (domain) => this.#settings.domains.has(domain),
      link: {
        unacknowledged: limits.messages,
        window: limits.messages,
        keepAliveMs: keepAliveSeconds * 1000,
        establishmentMs: HANDSHAKE_MS,
      },
      router: { waitMs: HANDSHAKE_MS, waiting: limits.messages },
      handshakeMs: HANDSHAKE_MS,
      backOff: { firstMs: 500, longestMs: 30_000 },
    };
  }

  #nextHopSettings(): NextHopSettings {
    const { document, credentials, trust } = this.#prepared;
    const localAddresses = document.host.addresses.internal;
    return { nextHops: nextHopsOf(document), credentials, trust, localAddresses };
  }
}

/** Without next hops of its own the gateway works for the front end of the same document. */
function nextHopsOf({ host, frontEnd, xmppGateway }: InternalDocument): readonly FlowTarget[] {
  if (xmppGateway.nextHops.length > 0) return xmppGateway.nextHops;
  return [{ name: host.name, address: host.addresses.internal[0] ?? '', port: frontEnd.port }];
}

function ownUri({ host, frontEnd }: InternalDocument) {
  const address = host.addresses.internal[0] ?? '';
  return { address, host: isIPv6(address) ? `[${address}]` : address, port: frontEnd.port };
}

function settingsOf({ frontEnd, xmppGateway }: InternalDocument): GatewaySettings {
  const { limits } = xmppGateway;
  return {
    domains: new Set(frontEnd.sipDomains),
    sessions: xmppGateway.sessions,
    pageModeBytes: xmppGateway.pageModeBytes,
    sessionIdleMs: xmppGateway.sessionIdleSeconds * 1000,
    answerMs: xmppGateway.answerSeconds * 1000,
    subscriptionSeconds: xmppGateway.subscriptionRefreshSeconds,
    messages: limits.messages,
    sessionsAtOnce: limits.sessions,
    subscriptions: limits.subscriptions,
    subscriptionsPerUser: limits.subscriptionsPerUser,
    contactsPerUser: limits.contactsPerUser,
    partnerPercent: limits.partnerPercent,
  };
}

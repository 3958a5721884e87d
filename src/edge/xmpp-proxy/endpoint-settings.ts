import type { Clock } from '#kernel';
import { type Confirm, type EndpointSettings, PartnerTls } from '#platform/xmpp-endpoint';
import type { LinkLimits, RouterLimits } from '#platform/xmpp-link';
import { partnerLimits, strangerLimits } from '#protocols/xmpp';
import type { Prepared } from './prepared.ts';

/** Port row xmpp-02 opens no other. */
export const PARTNER_PORT = 5269;

/** From the first byte of a stanza to its last. */
const STANZA_MS = 30_000;
/** Pairs of domains of one stream. */
const PAIRS = 32;
/** Bytes that a partner may leave unread. */
const OUTBOUND_BYTES = 2 << 20;
/** For one target: its addresses, connected. */
const CONNECT_MS = 10_000;
const SECOND = 1000;
/** Stanzas on a link that the gateway has not acknowledged, and the other way round. */
const LINK_WINDOW = 4096;
const LINK_KEEP_ALIVE_MS = 20_000;

/** What the document says, as streams with partners need it. */
export function endpointSettings(prepared: Prepared, clock: Clock, confirm: Confirm): EndpointSettings {
  const { document, partners, external, partnerTrust, mayDial, localAddresses } = prepared;
  const { sipDomains, xmpp } = document.policy;
  const { limits } = xmpp;
  const own = new Set(sipDomains);
  return {
    tls: new PartnerTls(external, partnerTrust, clock, confirm),
    stream: {
      times: {
        establishmentMs: limits.establishmentSeconds * SECOND,
        stanzaMs: STANZA_MS,
        keepAliveMs: limits.keepAliveSeconds * SECOND,
        inactivityMs: limits.inactivitySeconds * SECOND,
      },
      limits: {
        stranger: strangerLimits,
        partner: { ...partnerLimits, bytes: limits.stanzaBytes },
        pairs: PAIRS,
        unacknowledged: limits.stanzasInFlight,
      },
      secret: prepared.dialbackSecret,
      otherSecrets: prepared.otherDialbackSecrets,
    },
    hosts: (domain) => own.has(domain),
    partner: (domain) => {
      const found = partners.of(domain);
      if (found === undefined) return undefined;
      const { name, methods, keepAlive, server } = found;
      const servers =
        server === undefined ? {} : { servers: [{ host: server, port: PARTNER_PORT, service: undefined }] };
      return { name, methods, keepAlive, connections: limits.connectionsPerPartner, ...servers };
    },
    mayDial,
    localAddresses,
    port: PARTNER_PORT,
    connections: limits.connections,
    strangers: limits.unprovenConnections,
    waiting: limits.stanzasWaiting,
    window: limits.stanzasInFlight,
    outboundBytes: OUTBOUND_BYTES,
    connectMs: CONNECT_MS,
  };
}

/** The same for links with gateways. */
export function linkSettings({ document }: Prepared): {
  readonly own: string;
  readonly gateways: readonly string[];
  readonly hosts: (domain: string) => boolean;
  readonly link: LinkLimits;
  readonly router: RouterLimits;
} {
  const { sipDomains, xmpp } = document.policy;
  const own = new Set(sipDomains);
  return {
    own: document.host.name,
    gateways: xmpp.gateways,
    hosts: (domain) => own.has(domain),
    link: {
      unacknowledged: LINK_WINDOW,
      window: LINK_WINDOW,
      keepAliveMs: LINK_KEEP_ALIVE_MS,
      establishmentMs: xmpp.limits.establishmentSeconds * SECOND,
    },
    router: { waitMs: xmpp.limits.gatewayWaitSeconds * SECOND, waiting: xmpp.limits.stanzasWaiting },
  };
}

import { type Clock, err, type Failure, type Random, type Result } from '#kernel';
import type { LocateFailure, Resolver } from '#platform/dns';
import type { Connection, DialOptions } from '#platform/net';
import { isCertificateFailure, type Reached, reachTls } from '#platform/partner-dial';
import type { EventStream, Metrics, Trace } from '#platform/telemetry';
import type { FederationScene } from '../federation-scene.ts';
import type { FederationReason } from '../policy/federation-reasons.ts';
import { identityOf } from '../policy/identity.ts';
import { isCarrier, type Partner } from '../policy/partner-table.ts';
import type { LinkFailure } from './partner-link.ts';
import { wayTo } from './way-to.ts';

/** What it takes to reach partners, whoever they are. */
export interface PartnerReach {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: Metrics;
  readonly events: EventStream;
  readonly resolver: Resolver;
  /** Whether a partner's certificate still stands. */
  readonly confirm: NonNullable<DialOptions['confirm']>;
  readonly scene: () => FederationScene;
}

/** IANA's ALPN id of SIP over TLS. */
const ALPN = ['sip/2'];

/**
 * Opens a connection to one of a partner's edges: TLS from an external address, with a certificate that speaks for the
 * partner's domain (port row ext-07).
 * @param avoid hosts that are not tried
 */
export async function reachPartner(
  { clock, random, registry, events, resolver, confirm, scene }: PartnerReach,
  partner: Partner,
  avoid: ReadonlySet<string>,
  trace?: Trace,
): Promise<Result<Reached<Connection>, LinkFailure>> {
  const { scene: shared, localAddresses, credentials, trust, mayDial } = scene();
  const { handshakeSeconds, outboundBytes } = shared.settings.limits;
  const reached = await reachTls({
    way: wayTo(partner),
    resolver,
    localAddresses,
    mayDial,
    avoid,
    targetMs: handshakeSeconds * 1000,
    tls: ({ host }) => ({
      servername: host,
      credentials,
      trust,
      // As identityOf has it: a carrier's certificate names its server, never the domains of its users.
      expectNames: isCarrier(partner) ? [host] : [partner.domain, host],
      confirm,
      recognise: (names) => identityOf(names, partner, [host]) !== undefined,
      alpn: ALPN,
      handshakeMs: handshakeSeconds * 1000,
      outboundBytes,
      metrics: registry,
      events,
    }),
    clock,
    random,
    ...(trace === undefined ? {} : { trace }),
  });
  return reached.ok ? reached : err(linkFailure(reached.error));
}

/** What a failure to locate or to connect means for the messages that wait. */
export function linkFailure(error: Failure | LocateFailure): LinkFailure {
  return { reason: reasonOf(error), detail: error.message };
}

function reasonOf(error: Failure | LocateFailure): FederationReason {
  if ('reason' in error) return NAMES.has(error.reason) ? 'partner-name' : 'partner-unresolvable';
  if (isCertificateFailure(error)) return 'partner-certificate';
  if (error.code === 'SLP-NET-0031') return 'partner-address';
  if (error.code === 'SLP-NET-0030' || error.code.startsWith('SLP-DNS-')) return 'partner-unresolvable';
  return 'partner-unreachable';
}

/** What the domain itself said wrong. */
const NAMES: ReadonlySet<string> = new Set(['other-domain', 'other-port', 'not-offered']);

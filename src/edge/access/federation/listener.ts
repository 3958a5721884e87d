import type { Connection, SourcesElsewhere, TlsAcceptorOptions } from '#platform/net';
import type { ServiceContext } from '#platform/service';
import type { Prepared } from '../prepared.ts';

/** IANA's ALPN id of SIP over TLS. */
const ALPN = ['sip/2'];

/**
 * Port row ext-06: whoever comes shows a certificate. One that is good for a server is good in either direction, since
 * public authorities issue no others any more; one that is good for clients only names no server (RFC 5922 §7.1).
 */
export function federationListener(
  { settings, federation, external, partnerTrust }: Prepared,
  { clock, log, metrics, events }: ServiceContext,
  accept: (connection: Connection) => void,
  elsewhere: SourcesElsewhere | undefined,
): TlsAcceptorOptions {
  return {
    credentials: external,
    clientCertificate: 'required',
    purpose: 'server-identity',
    trust: partnerTrust,
    alpn: ALPN,
    handshakeMs: settings.limits.handshakeSeconds * 1000,
    limits: {
      connections: federation.limits.connections,
      handshakes: settings.limits.handshakes,
      perSource: federation.limits.connectionsPerSource,
      outboundBytes: settings.limits.outboundBytes,
    },
    clock,
    log,
    metrics,
    events,
    elsewhere,
    accept,
  };
}

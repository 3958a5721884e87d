import { readFileSync } from 'node:fs';
import { err, ok, type Result, type WallTime } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import { type EdgeDocument, edgeAddresses } from '#platform/topology';
import { type AuthorityPolicy, mrasLimits, RingTokenIssuer, readMediaKeys } from '#protocols/credentials';

/** Everything of a document that this service runs on, files read. */
export interface Settings {
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Certificate names that may call. */
  readonly callers: readonly string[];
  readonly connections: number;
  /** Requests that one caller may make in a second, and at once. */
  readonly requestsPerSecond: number;
  /** SIP domains for whose users callers may ask. */
  readonly domains: ReadonlySet<string>;
  /** Whether they may ask for others too: guests come with whatever address they have. */
  readonly guests: boolean;
  readonly authority: AuthorityPolicy;
}

export function readSettings(document: EdgeDocument, wall: WallTime): Result<Settings> {
  const { host, policy } = document;
  const credentials = loadCredentials(host.certificates.internal, wall);
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(host.internalCa);
  if (!trust.ok) return trust;
  const keys = readMediaKeys([policy.mediaCredentials.keyFile], readFileSync);
  if (!keys.ok) return err(keys.error);
  const [key] = keys.value;
  return ok({
    credentials: credentials.value,
    trust: trust.value,
    callers: callersOf(document),
    connections: policy.limits.avAuthentication.connections,
    requestsPerSecond: policy.limits.avAuthentication.requestsPerSecond,
    domains: new Set(policy.sipDomains.map((name) => name.toLowerCase())),
    guests: policy.remoteAccess.guests.allowed,
    authority: {
      issuer: key === undefined ? undefined : new RingTokenIssuer(key),
      lifetimeMinutes: policy.mediaCredentials.lifetimeMinutes,
      realm: policy.relay.realm,
      relays: [
        {
          location: 'internet',
          hostName: policy.names.av,
          addresses: outsideAddresses(document),
          udpPort: policy.ports.avUdp,
          tcpPort: policy.ports.avTcp,
        },
        {
          location: 'intranet',
          hostName: host.name,
          addresses: host.addresses.internal,
          udpPort: policy.ports.avUdp,
          tcpPort: policy.ports.avTcp,
        },
      ],
      limits: mrasLimits,
    },
  });
}

function callersOf({ policy }: EdgeDocument): string[] {
  const { callers } = policy.avAuthentication;
  if (callers.length > 0) return callers;
  return [...new Set([policy.nextHop.name, ...policy.nextHop.members.map((member) => member.name)])];
}

/** This edge's own addresses of the A/V Edge service as the outside sees them, behind a NAT too. */
function outsideAddresses(document: EdgeDocument): string[] {
  const all = edgeAddresses(document, 'av', 'node').filter(({ node }) => node === document.host.name);
  return all.map(({ address, publicAddress }) => publicAddress ?? address);
}

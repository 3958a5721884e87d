import { readFileSync } from 'node:fs';
import { err, ok, type Result, type WallTime } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import { type AuthorityPolicy, mrasLimits, RingTokenIssuer, readMediaKeys } from '#protocols/credentials';

/** Everything of a document that this service runs on, files read. */
export interface Settings {
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Certificate names that may call. */
  readonly callers: readonly string[];
  readonly connections: number;
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
    authority: {
      issuer: key === undefined ? undefined : new RingTokenIssuer(key),
      lifetimeMinutes: policy.mediaCredentials.lifetimeMinutes,
      realm: policy.relay.realm,
      relays: [
        {
          location: 'internet',
          hostName: policy.names.av,
          addresses: host.addresses.av,
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

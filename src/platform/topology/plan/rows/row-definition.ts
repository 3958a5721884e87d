import type { Path } from '../../finding.ts';
import type { FeatureName } from '../features.ts';
import type { PlannedService } from '../service-names.ts';

export type Section = 'external' | 'internal' | 'federation' | 'pic' | 'xmpp' | 'more';
export type Direction = 'inbound' | 'outbound';
export type Interface = 'external' | 'internal' | 'loopback';
export type Transport = 'tcp' | 'udp';

/** A range of ports, both ends in it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Which addresses of an edge, or of the reverse proxy beside it, a row is about. */
export type EdgeSide =
  | 'access'
  | 'webConferencing'
  | 'av'
  | 'internal'
  | 'loopback'
  | 'proxy'
  | 'proxyInside';

/** Who is on the other side of a row. */
export type PeerKind =
  | 'any'
  | 'public-provider'
  | 'client'
  | 'resolvers'
  | 'time-servers'
  | 'next-hop'
  | 'pool'
  | 'administrators'
  | 'web-services'
  | 'office-web-apps'
  | 'this-host'
  | `internal:${InternalPeers}`;
export type InternalPeers =
  | 'access'
  | 'webConferencing'
  | 'avAuthentication'
  | 'media'
  | 'xmpp'
  | 'replication'
  | 'logging';

/** Where a port comes from: a setting (plus a number), the relay range, or a number that peers have. */
export interface SettingPort {
  readonly setting: Path;
  readonly plus?: number;
}
export type PortSource =
  | SettingPort
  | { readonly relayRange: true }
  | { readonly ranges: readonly PortRange[] };

/** Which addresses a hardware load balancer takes the row on. */
export type Reach = 'node' | 'virtual' | 'both';

export interface RowDefinition {
  readonly id: string;
  readonly section: Section;
  readonly interface: Interface;
  readonly service: PlannedService;
  readonly protocol: string;
  /** As in the registry: TLS, MTLS, none, ... */
  readonly security: string;
  readonly transport: Transport;
  readonly direction: Direction;
  readonly feature: FeatureName;
  readonly edge: EdgeSide;
  readonly peers: PeerKind;
  /** Where connections go to. */
  readonly port: PortSource;
  /** Where they come from, if that is not any port. */
  readonly sourcePort?: PortSource;
  /** The row whose flow this one repeats or narrows. */
  readonly sameAs?: string;
  readonly reach: Reach;
}

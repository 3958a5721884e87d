import type { WorkerPlace } from '#platform/service';
import type { EdgeDocument } from '#platform/topology';
import { DomainShares } from './policy/domain-shares.ts';
import { ExternalAccess } from './policy/external-access.ts';
import { Disclosure } from './topology-hiding/index.ts';
import { shareOf } from './workers/share.ts';

/** Where a URI of ours points to. */
export interface OwnUri {
  /** Host as written in a URI: a name, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  /** True for the external interface as clients that speak WebSocket see it (RFC 7118). */
  readonly webSocket?: boolean;
}

export interface NextHopMember {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** The SIP domains that it serves; of a member without any, those that no other names. */
  readonly domains: readonly string[];
}

/** The only process of the service. */
export const ALONE: WorkerPlace = { index: 0, count: 1 };

type RemoteAccess = EdgeDocument['policy']['remoteAccess'];
type AccessLimits = EdgeDocument['policy']['limits']['access'];

/** What this service takes from the document, ready for use on every message. */
export interface AccessSettings {
  readonly external: OwnUri;
  readonly internal: OwnUri;
  /** Lower-case hosts under which clients reach this service; a Route to one of them is ours. */
  readonly externalHosts: ReadonlySet<string>;
  /** Lower-case hosts under which the next hop reaches this service. */
  readonly internalHosts: ReadonlySet<string>;
  readonly sipDomains: ReadonlySet<string>;
  readonly nextHop: {
    readonly name: string;
    readonly members: readonly NextHopMember[];
    readonly shares: DomainShares;
  };
  /** Certificate names that may connect to the internal listener. */
  readonly nextHopNames: readonly string[];
  readonly internalAddresses: readonly string[];
  readonly limits: AccessLimits;
  readonly remoteAccess: RemoteAccess;
  /** Domains all of whose addresses are conferences. */
  readonly guestConferences: ReadonlySet<string>;
  readonly externalAccess: ExternalAccess;
  readonly disclosure: Disclosure;
}

/** @param place of the worker process whose settings they are: it has its share of what limits the whole service */
export function accessSettings(document: EdgeDocument, place: WorkerPlace = ALONE): AccessSettings {
  const { host, policy } = document;
  const external = { host: policy.names.access.toLowerCase(), port: policy.ports.accessClients };
  const internal = { host: host.name.toLowerCase(), port: policy.ports.accessInternal };
  const sipDomains = new Set(policy.sipDomains.map((domain) => domain.toLowerCase()));
  const named = host.certificates.accessDomains.map(({ name }) => name);
  const members = policy.nextHop.members;
  const nextHopNames = [...new Set([policy.nextHop.name, ...members.map((member) => member.name)])];
  return {
    external,
    internal,
    externalHosts: new Set([external.host, ...sipDomains, ...named, ...host.addresses.access.map(uriHost)]),
    internalHosts: new Set([internal.host, ...host.addresses.internal.map(uriHost)]),
    sipDomains,
    nextHop: { name: policy.nextHop.name, members, shares: new DomainShares(members) },
    nextHopNames,
    internalAddresses: host.addresses.internal,
    limits: limitsOf(policy.limits.access, place),
    remoteAccess: remoteAccessOf(policy.remoteAccess, place),
    guestConferences: new Set(policy.remoteAccess.guests.conferenceDomains),
    externalAccess: new ExternalAccess(policy.externalAccess),
    disclosure: new Disclosure({
      publicHosts: [
        ...sipDomains,
        ...Object.values(policy.names),
        ...host.addresses.access,
        ...host.addresses.av,
      ],
      internalHosts: [host.name, ...host.addresses.internal, ...nextHopNames].concat(
        members.map((member) => member.address),
      ),
      internalNetworks: policy.internalNetworks,
    }),
  };
}

function limitsOf(limits: AccessLimits, place: WorkerPlace): AccessLimits {
  const { connections, handshakes, transactions } = limits;
  return {
    ...limits,
    connections: shareOf(connections, place),
    handshakes: shareOf(handshakes, place),
    transactions: shareOf(transactions, place),
  };
}

function remoteAccessOf(remoteAccess: RemoteAccess, place: WorkerPlace): RemoteAccess {
  const { guests } = remoteAccess;
  return { ...remoteAccess, guests: { ...guests, connections: shareOf(guests.connections, place) } };
}

/** The local address that a connection to `remote` is bound to: the first internal one of its family. */
export function localAddressFor(settings: AccessSettings, remote: string): string | undefined {
  const six = remote.includes(':');
  return settings.internalAddresses.find((address) => address.includes(':') === six);
}

function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

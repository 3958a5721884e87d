import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { err, ok, type Result } from '#kernel';
import type { TlsLimits } from '#platform/net';
import { type Credentials, loadCredentials } from '#platform/pki';
import { type EdgeDocument, edgeAddresses } from '#platform/topology';
import {
  AccountVerifier,
  accountOfIdentity,
  CombinedVerifier,
  type HonouredKey,
  type MediaKeyRing,
  MediaTokenVerifier,
  RestVerifier,
  readAccounts,
  readMediaKeys,
  readRestSecrets,
} from '#protocols/credentials';
import {
  type CredentialVerifier,
  defaultRelayTimes,
  type Face,
  type PeerPolicy,
  parsePeerPolicy,
  type RelayAddress,
  type RelayLimits,
  type RelayPool,
  type RelayTimes,
  type TunnelSettings,
} from '#protocols/turn';

/** Everything of a document that the relay runs on, key files read. */
export interface Settings {
  readonly realm: string;
  readonly verifier: CredentialVerifier;
  readonly policy: PeerPolicy;
  readonly pool: RelayPool;
  readonly limits: Partial<RelayLimits>;
  /** Under which names the relay may know a user: of issued tokens by any key, of a shared secret, of the document. */
  readonly usersNamed: (name: string) => readonly string[];
  readonly times: Partial<RelayTimes>;
  /** Where relayed addresses are: on the external A/V address, whichever face a client comes by. */
  readonly place: RelayPlace;
  /** To partners' edges by 3478 (port row ext-13); null when their profile is another. */
  readonly tunnel: TunnelSettings | null;
  /** Peers outside may connect to relayed addresses of TCP, which listen then (port row ext-11). */
  readonly peersConnect: boolean;
  readonly streams: StreamSettings;
  /** Fixed for the life of the process. */
  readonly threading: { readonly threads: number; readonly folder: string };
}

/** What the TCP listeners run on. */
export interface StreamSettings {
  readonly credentials: Readonly<Record<Face, Credentials>>;
  readonly limits: TlsLimits;
  /** Milliseconds from accepting a connection to its first words. */
  readonly openingMs: number;
}

export interface RelayPlace {
  readonly addresses: readonly RelayAddress[];
  readonly ports: { readonly first: number; readonly last: number };
}

export function readSettings(document: EdgeDocument, wall: number): Result<Settings> {
  const { policy } = document;
  const { mediaCredentials, relay, limits } = policy;
  const rings = readMediaKeys([mediaCredentials.keyFile, ...mediaCredentials.previousKeyFiles], readFileSync);
  if (!rings.ok) return err(rings.error);
  const accounts = readAccounts(relay.accounts, readFileSync);
  if (!accounts.ok) return accounts;
  const secrets = readRestSecrets(mediaCredentials.staticSecretFiles, readFileSync);
  if (!secrets.ok) return err(secrets.error);
  const peers = parsePeerPolicy({
    ownAddresses: ownAddresses(document),
    internalNetworks: policy.internalNetworks,
    allowedPeers: relay.allowedPeers,
  });
  if (!peers.ok) return peers;
  const streams = streamSettings(document, wall);
  if (!streams.ok) return streams;
  const keys = honoured(rings.value, mediaCredentials.lifetimeMinutes);
  return ok({
    realm: relay.realm,
    verifier: new CombinedVerifier([
      new MediaTokenVerifier(keys),
      new AccountVerifier(accounts.value),
      new RestVerifier(secrets.value),
    ]),
    usersNamed: (name) => usersNamed(keys, name),
    policy: peers.value,
    pool: poolOf(document),
    limits: {
      allocations: limits.av.allocations,
      allocationsPerUser: relay.allocationsPerUser,
      allocationsPerAddress: relay.allocationsPerAddress,
      userKilobits: relay.bandwidth.perUserKilobits,
      portKilobits: relay.bandwidth.perPortKilobits,
      burstMilliseconds: relay.bandwidth.burstMilliseconds,
      lowestPeerPort: relay.lowestPeerPort,
      permissionsPerAllocation: limits.av.permissionsPerAllocation,
      channelsPerAllocation: limits.av.channelsPerAllocation,
    },
    times: {
      maximumLifetime: limits.av.lifetimeSeconds,
      defaultLifetime: Math.min(defaultRelayTimes.defaultLifetime, limits.av.lifetimeSeconds),
    },
    tunnel: tunnelOf(document),
    peersConnect: hasProfile(document, 'legacy-ocs2007'),
    place: { addresses: relayAddresses(document), ports: { ...relay.ports } },
    streams: streams.value,
    threading: { threads: document.host.workers.av, folder: document.host.stateDirectory },
  });
}

/** A client that does not read is refused more long before so much waits for it. */
const MOST_QUEUED_BYTES = 16 << 20;

function streamSettings({ host, policy }: EdgeDocument, wall: number): Result<StreamSettings> {
  const external = loadCredentials(host.certificates.av, wall);
  if (!external.ok) return external;
  const internal = loadCredentials(host.certificates.internal, wall);
  if (!internal.ok) return internal;
  const {
    connections,
    connectionsPerSource: perSource,
    openings: handshakes,
    openingSeconds,
  } = policy.limits.av;
  return ok({
    credentials: { external: external.value, internal: internal.value },
    limits: { connections, perSource, handshakes, outboundBytes: MOST_QUEUED_BYTES },
    openingMs: openingSeconds * 1000,
  });
}

/** Tokens are made for addresses in small letters, of servers with their scheme too. */
function usersNamed(keys: readonly HonouredKey[], name: string): string[] {
  const address = name.trim().toLowerCase();
  const bare = address.replace(/^sips?:/, '');
  const tokens = keys.flatMap(({ key }) =>
    [bare, `sip:${bare}`].map((identity) => accountOfIdentity(key, identity)),
  );
  return [name, `rest:${name}`, `account:${name}`, ...tokens];
}

/** All keys of all files; those whose turn is over until the last token made with them has ended. */
function honoured(rings: readonly MediaKeyRing[], lifetimeMinutes: number): HonouredKey[] {
  return rings.flatMap((ring) =>
    ring.keys.map((one) => ({ key: one.key, until: ring.ends(one, lifetimeMinutes) })),
  );
}

/** The range stays closed, so that data wait, only where no other profile opens it. */
function tunnelOf(document: EdgeDocument): TunnelSettings | null {
  const { policy } = document;
  const { federation, ports, pool } = policy;
  if (!hasProfile(document, 'edge-tunnel')) return null;
  return {
    port: ports.avUdp,
    streamPort: ports.avTcp,
    hold: federation.mediaProfiles.length === 1,
    without: pool.members.flatMap(({ addresses }) => addresses.av),
  };
}

type MediaProfile = EdgeDocument['policy']['federation']['mediaProfiles'][number];

/** Whether media with partners go by this way, among others. */
function hasProfile({ policy }: EdgeDocument, profile: MediaProfile): boolean {
  const { features, federation } = policy;
  return features.media && features.federation && federation.mediaProfiles.includes(profile);
}

/** Every address that this edge and its pool have, before and behind a NAT: none of them is ever a peer as such. */
function ownAddresses({ host, policy }: EdgeDocument): string[] {
  const { address } = host.administration.metrics;
  const { virtualAddresses: virtual, members } = policy.pool;
  const all = [host.addresses, ...members.map((member) => member.addresses)].flatMap((addresses) => [
    ...addresses.access,
    ...addresses.webConferencing,
    ...addresses.av,
    ...addresses.internal,
    ...addresses.public.access,
    ...addresses.public.webConferencing,
    ...addresses.public.av,
  ]);
  const shared = [...virtual.access, ...virtual.webConferencing, ...virtual.av, ...virtual.internal];
  return [...new Set([...all, ...shared, address, ...hostAddresses()])];
}

/** The other edges of the pool: where they relay, and where clients go while this one is drained. */
function poolOf(document: EdgeDocument): RelayPool {
  const { host, policy } = document;
  const others = edgeAddresses(document, 'av', 'node').filter(({ node }) => node !== host.name);
  const inside = edgeAddresses(document, 'internal', 'node').filter(({ node }) => node !== host.name);
  const met = others.map(({ address, publicAddress }) => publicAddress ?? address);
  return {
    relayAddresses: new Set(met),
    alternate: ({ face, transport, address: own }) => {
      const candidates = face === 'external' ? met : inside.map(({ address }) => address);
      const address = candidates.find((candidate) => isIPv6(candidate) === isIPv6(own));
      const port = transport === 'udp' ? policy.ports.avUdp : policy.ports.avTcp;
      return address === undefined ? undefined : { address, port, domain: policy.names.av };
    },
  };
}

/** Those of this host now, loopback apart: the document need not know of one that is there for management. */
function hostAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal }) => !internal).map(({ address }) => address),
  );
}

/** The first external A/V address of each family, with what a NAT shows in its place. */
function relayAddresses(document: EdgeDocument): RelayAddress[] {
  const { host } = document;
  const own = edgeAddresses(document, 'av', 'node').filter(({ node }) => node === host.name);
  const first = [
    host.addresses.av.find((address) => !isIPv6(address)),
    host.addresses.av.find((address) => isIPv6(address)),
  ];
  return first
    .filter((address) => address !== undefined)
    .map((address) => {
      const advertised = own.find((one) => one.address === address)?.publicAddress;
      return advertised === undefined ? { address } : { address, advertised };
    });
}

export function samePlace(one: RelayPlace, other: RelayPlace): boolean {
  const key = ({ addresses, ports }: RelayPlace) =>
    [...addresses.map(({ address, advertised }) => `${address} ${advertised}`), ports.first, ports.last].join(
      ' ',
    );
  return key(one) === key(other);
}

import { stringify } from 'yaml';
import {
  type AddressPair,
  addresses,
  type EdgeName,
  edgeNames,
  edgeSides,
  internalNetworks,
  wires,
} from '../network/addresses.ts';

/** Who the services run as: an account that every Debian has and that owns nothing. */
export const ACCOUNT = 'daemon';
export const DOMAIN = 'proof.test';
export const names = {
  access: `sip.${DOMAIN}`,
  webConferencing: `conf.${DOMAIN}`,
  av: `av.${DOMAIN}`,
  edge1: `edge1.int.${DOMAIN}`,
  edge2: `edge2.int.${DOMAIN}`,
  frontEnd: `fe1.int.${DOMAIN}`,
} as const;
/** Two organisations whose edges stand on the partner's host, one reached by each family. */
export const partners = {
  four: { domain: 'partner.test', proxy: 'sip.partner.test', family: 4 },
  six: { domain: 'six.test', proxy: 'sip.six.test', family: 6 },
} as const;
/** Where the authority of the partners publishes its revocation list, a name for each family, and how its path ends. */
export const revocationNames = { four: 'crl4.partner.test', six: 'crl6.partner.test' } as const;
export const LIST_FILE = 'ca.crl';
/** A service with more servers than fit a datagram, at one of the partners. */
export const LARGE_SERVICE = { name: '_large._tcp.partner.test', servers: 60 } as const;
/** By which family each edge asks for names. */
export const nameFamily: Readonly<Record<EdgeName, keyof AddressPair>> = { edge1: 'v4', edge2: 'v6' };
export const relayPorts = { first: 50_000, last: 59_999 } as const;

const both = ({ v4, v6 }: AddressPair) => [v4, v6];
const hosts = ({ v4, v6 }: AddressPair) => [`${v4}/32`, `${v6}/128`];

/**
 * An edge's document with everything on, so that each of the 37 rows stands in the plan and in the rules, whether its
 * service exists or not.
 *
 * @param allowed networks that media may be relayed to; the documentation networks are refused without
 */
export function edgeDocument(edge: EdgeName, allowed: readonly string[]): string {
  return stringify({
    version: 1,
    host: {
      name: names[edge],
      stateDirectory: edge,
      runAs: ACCOUNT,
      addresses: edgeAddresses(edge),
      resolvers: resolversOf(edge),
      certificates: { access: keyPair('access'), internal: keyPair(edge) },
      internalCa: 'ca.pem',
      partnerCa: 'ca.pem',
      administration: { socket: `${edge}.sock` },
      replication: { stores: [names.frontEnd] },
    },
    policy: {
      site: 'Perimeter proof',
      sipDomains: [DOMAIN],
      names: { access: names.access, webConferencing: names.webConferencing, av: names.av },
      internalNetworks: [...internalNetworks],
      features: {
        federation: true,
        publicProviders: true,
        publicProviderMedia: true,
        webConferencing: true,
        xmpp: true,
        replication: true,
        logging: true,
      },
      federation: {
        allowedNetworks: [wires.outside.v4, wires.outside.v6],
        allowed: Object.values(partners).map(({ domain, proxy }) => ({ domain, proxy })),
        mediaProfiles: ['edge-tunnel', 'ice', 'legacy-ocs2007'],
      },
      // The documentation networks are no public addresses.
      revocation: { allowedNetworks: hosts(addresses.revocation) },
      nextHop: {
        name: names.frontEnd,
        members: [{ name: names.frontEnd, address: addresses.frontEnd.v4 }],
      },
      internalPeers: {
        access: hosts(addresses.frontEnd),
        webConferencing: hosts(addresses.frontEnd),
        avAuthentication: hosts(addresses.frontEnd),
        media: [wires.inside.v4, wires.inside.v6],
        xmpp: hosts(addresses.counterparts),
        replication: hosts(addresses.counterparts),
        logging: hosts(addresses.counterparts),
      },
      pool: {
        balancing: 'dns',
        members: edgeNames.map((member) => ({ name: names[member], addresses: edgeAddresses(member) })),
      },
      relay: { ports: { ...relayPorts }, allowedPeers: [...allowed] },
      mediaCredentials: { keyFile: 'media.key', staticSecretFiles: ['relay.secret'] },
    },
  });
}

/** The next hop. It reaches one edge by IPv4 and the other by IPv6. */
export function internalDocument(): string {
  return stringify({
    version: 1,
    host: {
      name: names.frontEnd,
      stateDirectory: 'internal',
      runAs: ACCOUNT,
      addresses: { internal: both(addresses.frontEnd) },
      certificates: { internal: keyPair('front-end') },
      internalCa: 'ca.pem',
      administration: { socket: 'internal.sock' },
    },
    frontEnd: {
      sipDomains: [DOMAIN],
      edges: [
        { name: names.edge1, address: addresses.edge1.internal.v4 },
        { name: names.edge2, address: addresses.edge2.internal.v6 },
      ],
      database: 'internal/front-end.sqlite',
      externalAccess: { global: { remote: true, federation: true } },
    },
  });
}

/** The first that works is kept to: one edge asks by IPv4, the other by IPv6. */
function resolversOf(edge: EdgeName): string[] {
  const pair = both(addresses.resolver);
  return nameFamily[edge] === 'v4' ? pair : pair.reverse();
}

function edgeAddresses(edge: EdgeName): Record<string, string[]> {
  return Object.fromEntries(edgeSides.map((side) => [side, both(addresses[edge][side])]));
}

function keyPair(name: string): { certificate: string; key: string } {
  return { certificate: `${name}.pem`, key: `${name}.key` };
}

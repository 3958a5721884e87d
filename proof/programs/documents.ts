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
  /** The same server as a second member of the next hop, by its IPv6 address. */
  frontEndSix: `fe1-v6.int.${DOMAIN}`,
  foreignEdge: 'edge.int.foreign.test',
} as const;
/** How media goes to partners: `policy.federation.mediaProfiles`. */
export type Profile = 'edge-tunnel' | 'ice' | 'legacy-ocs2007';
export const allProfiles: readonly Profile[] = ['edge-tunnel', 'ice', 'legacy-ocs2007'];
/** What changes of the edges' documents while the proof runs. */
export interface EdgeVariant {
  /** Networks that media may be relayed to; the documentation networks are refused without. */
  readonly allowed: readonly string[];
  readonly profiles: readonly Profile[];
}
/** Two organisations whose edges stand on the partner's host, one reached by each family. */
export const partners = {
  four: { domain: 'partner.test', proxy: 'sip.partner.test', family: 4 },
  six: { domain: 'six.test', proxy: 'sip.six.test', family: 6 },
} as const;
/** Two more on the same host, whose edges nobody wrote down: they publish `_sipfederationtls._tcp`. */
export const publishedPartners = {
  four: { domain: 'published4.test', proxy: 'sip.published4.test', family: 4 },
  six: { domain: 'published6.test', proxy: 'sip.published6.test', family: 6 },
} as const;
/** Two public providers on a host of their own, one reached by each family: two domains of users behind one proxy each. */
export const providers = {
  four: {
    name: 'Messenger',
    domains: ['messenger.test', 'chat.test'],
    proxy: 'federation.messenger.test',
    family: 4,
  },
  six: {
    name: 'Parrot',
    domains: ['parrot.test', 'cage.test'],
    proxy: 'federation.parrot.test',
    family: 6,
  },
} as const;
/** Two organisations with XMPP servers on one host, one reached by each family, and the people there. */
export const xmppPartners = {
  four: { domain: 'xmpp4.test', user: 'juliet', family: 4 },
  six: { domain: 'xmpp6.test', user: 'nurse', family: 6 },
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
 * An edge's document with everything on, so that with all profiles each of the 37 rows stands in the plan and in the
 * rules, whether its service exists or not.
 */
export function edgeDocument(edge: EdgeName, { allowed, profiles }: EdgeVariant, relayThreads = 1): string {
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
      // The machine that runs the proof may be nearly full.
      logging: { controllers: [names.frontEnd], diskPercent: 99 },
      workers: { av: relayThreads },
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
        allowed: [
          ...Object.values(partners).map(({ domain, proxy }) => ({ domain, proxy })),
          ...Object.values(publishedPartners).map(({ domain }) => ({ domain })),
        ],
        mediaProfiles: [...profiles],
      },
      publicProviders: Object.values(providers).map(({ name, domains, proxy }) => ({
        ...{ name, kind: 'public', proxy, domains: [...domains], enabled: true },
        // Nobody here has a list of contacts, which is all that an unverifiable provider is for.
        verification: 'always-verifiable',
      })),
      xmpp: {
        allowedNetworks: hosts(addresses.xmppPartner),
        partners: Object.values(xmppPartners).map(({ domain }) => ({ domain })),
      },
      // The documentation networks are no public addresses.
      revocation: { allowedNetworks: hosts(addresses.revocation) },
      nextHop: {
        name: names.frontEnd,
        members: [
          { name: names.frontEnd, address: addresses.frontEnd.v4 },
          { name: names.frontEndSix, address: addresses.frontEnd.v6 },
        ],
      },
      internalPeers: {
        access: hosts(addresses.frontEnd),
        webConferencing: hosts(addresses.counterparts),
        avAuthentication: hosts(addresses.frontEnd),
        media: [wires.inside.v4, wires.inside.v6],
        xmpp: hosts(addresses.counterparts),
        replication: hosts(addresses.counterparts),
        logging: hosts(addresses.counterparts),
      },
      pool: {
        balancing: 'dns',
        members: edgeNames.map((member) => ({ name: names[member], addresses: edgeAddresses(member) })),
        flowKeyFile: 'flow.key',
      },
      relay: { ports: { ...relayPorts }, allowedPeers: [...allowed] },
      mediaCredentials: { keyFile: 'media.key', staticSecretFiles: ['relay.secret'] },
    },
  });
}

/** The edge of another organisation: it has media with partners by the tunnel alone, so that its relay range is closed. */
export function foreignEdgeDocument(allowed: readonly string[], relayThreads: number): string {
  const { av, internal } = addresses.foreignEdge;
  return stringify({
    version: 1,
    host: {
      name: names.foreignEdge,
      stateDirectory: 'foreignEdge',
      runAs: ACCOUNT,
      addresses: { access: both(av), internal: both(internal) },
      resolvers: both(addresses.resolver),
      certificates: { access: keyPair('foreignEdge'), internal: keyPair('foreignEdge') },
      internalCa: 'ca.pem',
      partnerCa: 'ca.pem',
      administration: { socket: 'foreignEdge.sock' },
      workers: { av: relayThreads },
    },
    policy: {
      site: 'Another organisation',
      sipDomains: ['foreign.test'],
      names: { access: 'sip.foreign.test', webConferencing: 'conf.foreign.test', av: 'av.foreign.test' },
      internalNetworks: [wires.foreignInside.v4, wires.foreignInside.v6],
      features: { federation: true },
      federation: { allowed: [{ domain: DOMAIN, proxy: names.access }], mediaProfiles: ['edge-tunnel'] },
      // Nobody is there, and the edge does not wait for it.
      nextHop: {
        name: 'fe.foreign.test',
        members: [{ name: 'fe.foreign.test', address: wires.foreignInside.v4.replace('.0/24', '.12') }],
      },
      relay: { ports: { ...relayPorts }, allowedPeers: [...allowed] },
      mediaCredentials: { keyFile: 'media.key', staticSecretFiles: ['foreign.secret'] },
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
      externalAccess: { global: { remote: true, federation: true, publicProviders: true } },
    },
  });
}

/** Where the counterparts' host finds the edges: one by IPv4, the other by IPv6. */
const edgesFromInside = [
  { name: names.edge1, address: addresses.edge1.internal.v4 },
  { name: names.edge2, address: addresses.edge2.internal.v6 },
];

/** A management store on the counterparts' host. */
export function storeDocument(): string {
  return counterpartDocument('store', { management: { edges: edgesFromInside, pollSeconds: 3600 } });
}
/** A log controller on the same host. */
export function controllerDocument(): string {
  return counterpartDocument('controller', { logging: { edges: edgesFromInside } });
}

/** The front end that every internal program has finds nobody. */
function counterpartDocument(name: string, part: object): string {
  return stringify({
    version: 1,
    host: {
      name: names.frontEnd,
      stateDirectory: name,
      runAs: ACCOUNT,
      addresses: { internal: both(addresses.counterparts) },
      certificates: { internal: keyPair('front-end') },
      internalCa: 'ca.pem',
      administration: { socket: `${name}.sock` },
    },
    frontEnd: {
      sipDomains: [DOMAIN],
      edges: [{ name: 'nobody.proof.test', address: addresses.counterparts.v4, port: 9 }],
    },
    ...part,
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

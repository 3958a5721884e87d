/*
 * Who has which address: outside those of documentation (RFC 5737 §3, RFC 3849 §2), inside private ones. Every host has
 * both families.
 */

/** An IPv4 and an IPv6 address of the same interface. */
export interface AddressPair {
  readonly v4: string;
  readonly v6: string;
}

/** A wire between hosts: a switch, and the networks on it. */
export type WireName = 'outside' | 'edgeOutside' | 'edgeInside' | 'inside' | 'foreignInside';

export const wires: Readonly<Record<WireName, { readonly v4: string; readonly v6: string }>> = {
  outside: { v4: '203.0.113.0/24', v6: '2001:db8:113::/64' },
  edgeOutside: { v4: '198.51.100.0/24', v6: '2001:db8:51::/64' },
  edgeInside: { v4: '10.45.16.0/24', v6: 'fd45:0:0:16::/64' },
  inside: { v4: '10.45.32.0/24', v6: 'fd45:0:0:32::/64' },
  /** Of the other organisation. */
  foreignInside: { v4: '10.77.16.0/24', v6: 'fd77:0:0:16::/64' },
};

/** The organisation's own networks, with the edges' inner side in them. */
export const internalNetworks = ['10.45.0.0/16', 'fd45::/48'] as const;

function on(wire: WireName, last: number): AddressPair {
  const { v4, v6 } = wires[wire];
  return { v4: v4.replace(/\.0\/24$/, `.${last}`), v6: v6.replace(/::\/64$/, `::${last}`) };
}

export type EdgeName = 'edge1' | 'edge2';
export const edgeNames: readonly EdgeName[] = ['edge1', 'edge2'];
/** The edge of another organisation, with networks of its own. */
export type ForeignEdge = 'foreignEdge';

/** What the four addresses of an edge are for. */
export type EdgeSide = 'access' | 'webConferencing' | 'av' | 'internal';
export const edgeSides: readonly EdgeSide[] = ['access', 'webConferencing', 'av', 'internal'];

function edge(first: number): Readonly<Record<EdgeSide, AddressPair>> {
  return {
    access: on('edgeOutside', first),
    webConferencing: on('edgeOutside', first + 1),
    av: on('edgeOutside', first + 2),
    internal: on('edgeInside', first),
  };
}

export const addresses = {
  alice: on('outside', 10),
  carol: on('outside', 20),
  partner: on('outside', 30),
  provider: on('outside', 35),
  xmppPartner: on('outside', 40),
  resolver: on('outside', 53),
  revocation: on('outside', 80),
  externalFirewall: { outside: on('outside', 1), edges: on('edgeOutside', 1) },
  edge1: edge(11),
  edge2: edge(21),
  internalFirewall: { edges: on('edgeInside', 1), inside: on('inside', 1) },
  frontEnd: on('inside', 11),
  counterparts: on('inside', 12),
  bob: on('inside', 50),
  /** One outer address for all its services. */
  foreignEdge: { av: on('outside', 60), internal: on('foreignInside', 11) },
  dora: on('foreignInside', 50),
} as const;

/** The external networks as relay peers: documentation networks, which the relay refuses unless they are named. */
export const outsideNetworks: readonly string[] = [
  wires.outside.v4,
  wires.outside.v6,
  ...[addresses.edge1.av, addresses.edge2.av].flatMap(({ v4, v6 }) => [`${v4}/32`, `${v6}/128`]),
];

export type Family = 4 | 6;

/** The address of a family. */
export function ofFamily(pair: AddressPair, family: Family): string {
  return family === 4 ? pair.v4 : pair.v6;
}

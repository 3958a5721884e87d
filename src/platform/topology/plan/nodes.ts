import type { Draft } from '../document/read-document.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import type { EdgeSide, Reach } from './rows/row-definition.ts';

/** One address of the edge's side of a row. */
export interface EdgeAddress {
  /** host.name of the edge that has it; undefined for a virtual address of a load balancer. */
  readonly node: string | undefined;
  readonly address: string;
  /** What the outside sees in its place, when the external firewall translates it. */
  readonly publicAddress: string | undefined;
}

type Addresses = Draft<EdgeDocument['host']['addresses']>;

interface Node {
  readonly name: string | undefined;
  readonly addresses: Addresses | undefined;
}

/** The members of the pool, or this host alone. */
export function nodes(document: Draft<EdgeDocument>): Node[] {
  const members = document.policy?.pool?.members ?? [];
  if (members.length === 0) return [{ name: document.host?.name, addresses: document.host?.addresses }];
  return members.map((member) => ({ name: member?.name, addresses: member?.addresses }));
}

/** Every address that a row is about: of each node, and of the load balancer where it takes the row. */
export function edgeAddresses(document: Draft<EdgeDocument>, side: EdgeSide, reach: Reach): EdgeAddress[] {
  if (side === 'loopback') return plain([document.host?.administration?.metrics?.address], document);
  if (side === 'proxy') return unowned(document.policy?.reverseProxy?.addresses);
  if (side === 'proxyInside') return unowned(document.policy?.reverseProxy?.internalAddresses);
  const ofNodes = nodes(document).flatMap((node) => ofNode(node, side));
  if (document.policy?.pool?.balancing !== 'hardware' || reach === 'node') return ofNodes;
  const virtual = unowned(document.policy.pool.virtualAddresses?.[side]);
  return reach === 'virtual' ? virtual : [...virtual, ...ofNodes];
}

function ofNode({ name, addresses }: Node, side: keyof Addresses & EdgeSide): EdgeAddress[] {
  const shown = side === 'internal' ? undefined : addresses?.public?.[side];
  const placed: EdgeAddress[] = [];
  for (const address of addresses?.[side] ?? []) {
    if (address === undefined) continue;
    placed.push({ node: name, address, publicAddress: publicOf(address, addresses?.[side], shown) });
  }
  return placed;
}

/** The public address at the same place among those of its family. */
function publicOf(
  address: string,
  own: readonly (string | undefined)[] | undefined,
  shown: readonly (string | undefined)[] | undefined,
): string | undefined {
  const sameFamily = (other: string | undefined): boolean =>
    other?.includes(':') === address.includes(':') && other !== undefined;
  return shown?.filter(sameFamily)[own?.filter(sameFamily).indexOf(address) ?? -1];
}

function plain(addresses: readonly (string | undefined)[], document: Draft<EdgeDocument>): EdgeAddress[] {
  return unowned(addresses).map((one) => ({ ...one, node: document.host?.name }));
}

function unowned(addresses: readonly (string | undefined)[] | undefined): EdgeAddress[] {
  return (addresses ?? [])
    .filter((address) => address !== undefined)
    .map((address) => ({ node: undefined, address, publicAddress: undefined }));
}

import { addressFamily, addressRange, networkContains } from '#platform/topology';
import type { HostInterface, HostReadings, Route } from './readings.ts';

/** Which interface looks outside and which inside, as far as addresses and routes tell. */
export interface Roles {
  readonly external: HostInterface | undefined;
  readonly internal: HostInterface | undefined;
}

/** Bridges and pairs of container engines: seldom what is meant. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|podman|lxc|lxd)/;

const PUBLIC_IPV4 = 3;
const DEFAULT_ROUTE = 2;
const PUBLIC_IPV6 = 1;

/** The external interface has public addresses or the default route; the internal one is another, best without both. */
export function interfaceRoles({ interfaces, routes = [] }: HostReadings): Roles {
  const candidates = interfaces.filter(({ loopback, addresses }) => !loopback && addresses.length > 0);
  const looksOutside = (one: HostInterface): number => {
    const isPublic = (family: 4 | 6): boolean =>
      one.addresses.some(({ address }) => addressFamily(address) === family && isPublicAddress(address));
    return (
      (isPublic(4) ? PUBLIC_IPV4 : 0) +
      (defaultRoutes(routes, one.name).length > 0 ? DEFAULT_ROUTE : 0) +
      (isPublic(6) ? PUBLIC_IPV6 : 0) -
      (VIRTUAL.test(one.name) ? DEFAULT_ROUTE : 0)
    );
  };
  const metric = (one: HostInterface): number =>
    Math.min(...defaultRoutes(routes, one.name).map((route) => route.metric));
  const [external] = candidates.toSorted(
    (a, b) => looksOutside(b) - looksOutside(a) || compare(metric(a), metric(b)),
  );
  const looksInside = (one: HostInterface): number =>
    looksOutside(one) + (VIRTUAL.test(one.name) ? 2 * PUBLIC_IPV4 : 0);
  const [internal] = candidates
    .filter((one) => one !== external)
    .toSorted((a, b) => looksInside(a) - looksInside(b));
  return { external, internal };
}

/** Infinity less Infinity is no number. */
function compare(one: number, other: number): number {
  return one === other ? 0 : one - other;
}

export function isPublicAddress(address: string): boolean {
  return addressRange(address) === 'other';
}

export function defaultRoutes(routes: readonly Route[], name: string): Route[] {
  return routes.filter((route) => route.interface === name && isDefault(route));
}

export function isDefault({ network }: Route): boolean {
  return network === '0.0.0.0/0' || network === '::/0';
}

/** The route that a packet to the address takes: the longest prefix, then the lowest metric. */
export function routeTo(routes: readonly Route[], address: string): Route | undefined {
  const length = ({ network }: Route): number => Number(network.slice(network.indexOf('/') + 1));
  return routes
    .filter(({ network }) => networkContains(network, address))
    .toSorted((a, b) => length(b) - length(a) || a.metric - b.metric)[0];
}

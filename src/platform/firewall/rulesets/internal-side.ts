import type { EdgeDocument } from '#platform/topology';
import { hosts } from '../model/networks.ts';

/** Networks whose addresses have no business outside: the internal ones, and the internal side of every edge. */
export function internalSide(document: EdgeDocument): string[] {
  return [...document.policy.internalNetworks, ...hosts(internalAddresses(document))];
}

/** Internal addresses of every edge, of its load balancer, and of this host. */
export function internalAddresses({ host, policy }: EdgeDocument): string[] {
  const edges = [host, ...policy.pool.members].flatMap(({ addresses }) => addresses.internal);
  return [...new Set([...edges, ...policy.pool.virtualAddresses.internal])];
}

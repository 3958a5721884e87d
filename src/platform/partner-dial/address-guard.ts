import { ok, type Result } from '#kernel';
import { judgePeer, parsePeerPolicy } from '#protocols/turn';

/** What outbound connections to addresses that others chose may lead to. */
export interface AddressGuardDocument {
  /** Every address of this edge. */
  readonly ownAddresses: readonly string[];
  /** Networks behind the perimeter (CIDR): refused whatever else is said. */
  readonly internalNetworks: readonly string[];
  /** Networks (CIDR) that may be dialled although they are special-purpose or private. */
  readonly allowedNetworks: readonly string[];
}

/**
 * A check for addresses that come from the DNS or from a certificate: only public ones, and none of ours, so that
 * nobody outside can point the edge at the inside. Every IPv4 address inside an IPv6 one is judged too.
 */
export function addressGuard(document: AddressGuardDocument): Result<(address: string) => boolean> {
  const { ownAddresses, internalNetworks, allowedNetworks } = document;
  const policy = parsePeerPolicy({ ownAddresses, internalNetworks, allowedPeers: allowedNetworks });
  if (!policy.ok) return policy;
  return ok((address) => judgePeer(policy.value, address) === 'allowed');
}

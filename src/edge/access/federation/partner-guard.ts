import type { Result } from '#kernel';
import { addressGuard } from '#platform/partner-dial';
import type { EdgeDocument } from '#platform/topology';

/** Where partners may be: at public addresses, and where the document says so; never inside, never at the edge itself. */
export function partnerGuard({ host, policy }: EdgeDocument): Result<(address: string) => boolean> {
  const { access, webConferencing, av, internal } = host.addresses;
  return addressGuard({
    ownAddresses: [...access, ...webConferencing, ...av, ...internal],
    internalNetworks: policy.internalNetworks,
    allowedNetworks: policy.federation.allowedNetworks,
  });
}

import { ok, type Result } from '#kernel';
import { addressGuard } from '#platform/partner-dial';
import type { EdgeDocument } from '#platform/topology';
import type { RevocationPolicy } from './revocation.ts';

const KIBIBYTE = 1024;

/** What `policy.revocation` of a document means. */
export function revocationPolicy(document: EdgeDocument): Result<RevocationPolicy> {
  const { host, policy } = document;
  const { addresses } = host;
  const guard = addressGuard({
    ownAddresses: [...addresses.access, ...addresses.webConferencing, ...addresses.av, ...addresses.internal],
    internalNetworks: policy.internalNetworks,
    allowedNetworks: policy.revocation.allowedNetworks,
  });
  if (!guard.ok) return guard;
  return ok({
    unknown: policy.revocation.unknown,
    shortLivedDays: policy.revocation.shortLivedDays,
    mayDial: guard.value,
    localAddresses: addresses.access,
    listBytes: policy.revocation.listKibibytes * KIBIBYTE,
    fetchMs: policy.revocation.fetchSeconds * 1000,
    keepFresh: policy.revocation.keepFresh,
    accepted: policy.revocation.acceptedKept,
    rejected: policy.revocation.rejectedKept,
    evicted: policy.revocation.evictedPercent / 100,
  });
}

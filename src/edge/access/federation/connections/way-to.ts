import type { Sought, Target } from '#platform/dns';
import type { Partner } from '../policy/partner-table.ts';

/** Port row ext-07 opens no other port. */
export const FEDERATION_PORT = 5061;
const FEDERATION = '_sipfederationtls._tcp';
const SIPS = '_sips._tcp';

/**
 * Where the servers of a partner are to be sought: at the name that the document gives it, else by the records
 * `_sipfederationtls._tcp` of its domain, and where it has none as RFC 3263 §4.2 finds any domain by TLS. A domain that
 * nobody listed has to announce federation: nothing is guessed for it. Records that lead out of the domain are not
 * followed: whoever could forge them would be believed with a certificate of its own.
 */
export function wayTo({
  domain,
  proxy,
  kind,
}: Pick<Partner, 'domain' | 'proxy' | 'kind'>): Sought | { readonly targets: readonly Target[] } {
  if (proxy !== undefined) return { targets: [{ host: proxy, port: FEDERATION_PORT, service: undefined }] };
  const common = { domain, sameDomain: true, onlyPort: FEDERATION_PORT };
  if (kind === 'discovered') return { ...common, services: [FEDERATION] };
  return { ...common, services: [FEDERATION, SIPS], fallbackPort: FEDERATION_PORT };
}

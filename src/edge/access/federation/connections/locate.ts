import { err, ok, type Result } from '#kernel';
import type { ServiceRecord } from '#platform/dns';
import { isWithin } from '../policy/identity.ts';
import type { Partner } from '../policy/partner-table.ts';
import type { LinkFailure } from './partner-link.ts';

/** What is asked of the DNS: the resolver's door, as far as it is needed here. */
export interface NameService {
  addresses(name: string, family: 4 | 6): Promise<Result<{ readonly values: readonly string[] }, unknown>>;
  services(name: string): Promise<Result<{ readonly values: readonly ServiceRecord[] }, unknown>>;
}

export interface Target {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/** Where a partner is, best first. */
export interface Located {
  readonly targets: readonly Target[];
  /** The hosts that its records name. */
  readonly hosts: readonly string[];
}

/** Port row ext-07 opens no other port. */
export const FEDERATION_PORT = 5061;
/** Addresses that are tried for one connection. */
const MOST_TARGETS = 8;

/**
 * Finds a partner: by the name that the document gives it, else by the records `_sipfederationtls._tcp` of its domain.
 * Records that lead out of the domain are not followed: whoever could forge them would be believed with a certificate of
 * its own.
 * @param mayDial false for addresses of the inside and of the edge itself, whatever the DNS says
 * @param families those that the edge has an external address of, the preferred one first
 */
export async function locate(
  partner: Partner,
  names: NameService,
  families: readonly (4 | 6)[],
  mayDial: (address: string) => boolean,
): Promise<Result<Located, LinkFailure>> {
  const hosts = await hostsOf(partner, names);
  if (!hosts.ok) return hosts;
  const targets: Target[] = [];
  const refused: string[] = [];
  for (const host of hosts.value) {
    for (const address of await addressesOf(host, names, families)) {
      if (!mayDial(address)) refused.push(address);
      else if (targets.length < MOST_TARGETS) targets.push({ host, address, port: FEDERATION_PORT });
    }
  }
  if (targets.length > 0) return ok({ targets, hosts: hosts.value });
  if (refused.length > 0) {
    const detail = `${hosts.value.join(', ')} would be at ${refused.slice(0, MOST_TARGETS).join(', ')}, where no partner is`;
    return err({ reason: 'partner-address', detail });
  }
  return err({ reason: 'partner-unresolvable', detail: `no address of ${hosts.value.join(', ')}` });
}

/** The host names of a partner's edges. */
export async function hostsOf(
  { domain, proxy }: Pick<Partner, 'domain' | 'proxy'>,
  names: NameService,
): Promise<Result<readonly string[], LinkFailure>> {
  if (proxy !== undefined) return ok([proxy]);
  const name = `_sipfederationtls._tcp.${domain}`;
  const found = await names.services(name);
  if (!found.ok) return err({ reason: 'partner-unresolvable', detail: `no record ${name}` });
  const within = found.value.values.filter(({ target }) => isWithin(target, domain));
  if (within.length === 0) {
    const targets = found.value.values.map(({ target }) => target).join(', ');
    return err({ reason: 'partner-name', detail: `${name} leads out of the domain, to ${targets}` });
  }
  const open = within.filter(({ port }) => port === FEDERATION_PORT);
  if (open.length === 0) {
    return err({ reason: 'partner-name', detail: `${name} names no port that is open (${FEDERATION_PORT})` });
  }
  const ordered = open.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight);
  return ok([...new Set(ordered.map(({ target }) => target.toLowerCase()))]);
}

async function addressesOf(
  host: string,
  names: NameService,
  families: readonly (4 | 6)[],
): Promise<string[]> {
  const answers = await Promise.all(families.map((family) => names.addresses(host, family)));
  return answers.flatMap((answer) => (answer.ok ? answer.value.values : []));
}

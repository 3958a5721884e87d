import { addressFamily, addressRange } from '../address.ts';
import { type Path, pathText } from '../finding.ts';
import { valueAt } from '../value-at.ts';
import { type Addresses, type EdgeFacts, EXTERNAL, POOL, places } from './edge-facts.ts';
import type { Rule, Say } from './rule.ts';

const ALL = [...EXTERNAL, 'internal'] as const;
/** As many edges as the field runs in one pool. */
const MOST_MEMBERS = 12;

function ofFamily(addresses: readonly (string | undefined)[] | undefined, family: 4 | 6): string[] {
  return (addresses ?? []).filter(
    (address): address is string => address !== undefined && addressFamily(address) === family,
  );
}

/** A firewall translates each external address of a family to one of its own, or none of them. */
const natPairs: Rule<EdgeFacts> = {
  name: 'nat-pairs',
  check({ draft }, say) {
    for (const { addresses, path } of places(draft)) {
      for (const family of [4, 6] as const) sayUnpaired(addresses, path, family, say);
    }
  },
};

function sayUnpaired(addresses: Addresses, path: Path, family: 4 | 6, say: Say): void {
  const shown = addresses.public;
  if (shown === undefined || EXTERNAL.every((service) => ofFamily(shown[service], family).length === 0))
    return;
  for (const service of EXTERNAL) {
    const own = ofFamily(addresses[service], family).length;
    const translated = ofFamily(shown[service], family).length;
    if (own === translated) continue;
    const here = [...path, 'public', service];
    const what = `${pathText(here)} has ${translated} IPv${family} addresses for the ${own} of ${service}`;
    say(here, 'error', what, `write one for each IPv${family} address of ${service}, in the same order`);
  }
}

const natPrivate: Rule<EdgeFacts> = {
  name: 'nat-private-address',
  check({ draft }, say) {
    for (const { addresses, path } of places(draft)) {
      for (const service of EXTERNAL) {
        for (const [index, address] of (addresses.public?.[service] ?? []).entries()) {
          if (address === undefined || addressRange(address) !== 'private') continue;
          const what = `${address} is to be a public address, and is private`;
          say(
            [...path, 'public', service, index],
            'warning',
            what,
            'write the address that the outside sees',
          );
        }
      }
    }
  },
};

/** The A/V Edge has to answer from the address that a client asked: no translation beside a load balancer. */
const natWithHardware: Rule<EdgeFacts> = {
  name: 'nat-with-hardware',
  check({ draft }, say) {
    if (draft.policy?.pool?.balancing !== 'hardware') return;
    const translated = places(draft).find(({ addresses }) =>
      EXTERNAL.some((service) => (addresses.public?.[service]?.length ?? 0) > 0),
    );
    if (translated === undefined) return;
    const what = 'addresses are translated although a hardware load balancer is used';
    const instead = 'remove these and use public addresses, or write policy.pool.balancing: dns';
    say([...translated.path, 'public'], 'error', what, instead);
  },
};

const poolMembers: Rule<EdgeFacts> = {
  name: 'pool-members',
  check({ draft }, say) {
    const { balancing, members = [] } = draft.policy?.pool ?? {};
    if (balancing === undefined) return;
    if (balancing === 'none' && members.length > 1) {
      const what = `a pool of ${members.length} edges needs a way to be found`;
      say(
        [...POOL, 'members'],
        'error',
        what,
        'write policy.pool.balancing: dns or hardware, or remove the others',
      );
    } else if (balancing !== 'none' && members.length === 0) {
      const what = `policy.pool.balancing is ${balancing}, and no member is written`;
      say([...POOL, 'balancing'], 'error', what, 'write every edge in policy.pool.members, this one too');
    } else if (members.length > MOST_MEMBERS) {
      const what = `${members.length} edges are more than a pool may have`;
      say([...POOL, 'members'], 'error', what, `write at most ${MOST_MEMBERS}`);
    }
  },
};

/** The policy part is the same on every edge, so each finds itself in the list. */
const poolMember: Rule<EdgeFacts> = {
  name: 'pool-member',
  check({ draft }, say) {
    const members = draft.policy?.pool?.members ?? [];
    const name = draft.host?.name;
    if (members.length === 0 || name === undefined) return;
    const index = members.findIndex((member) => member?.name === name);
    if (index < 0) {
      say(
        [...POOL, 'members'],
        'error',
        `${name} (host.name) is no member of the pool`,
        `add a member named ${name}`,
      );
      return;
    }
    for (const place of [
      ...ALL.map((service) => [service]),
      ...EXTERNAL.map((service) => ['public', service]),
    ]) {
      const listed = textAt(members[index]?.addresses, place);
      const written = textAt(draft.host?.addresses, place);
      if (listed === undefined || written === undefined || listed === written) continue;
      const path = [...POOL, 'members', index, 'addresses', ...place];
      const what = `${pathText(path)} is ${listed}, and host.addresses.${place.join('.')} is ${written}`;
      say(path, 'error', what, 'write the same in both');
    }
  },
};

function textAt(addresses: unknown, path: Path): string | undefined {
  const list = valueAt(addresses, path);
  return Array.isArray(list) ? list.join(', ') || 'empty' : undefined;
}

const poolAddresses: Rule<EdgeFacts> = {
  name: 'pool-address',
  check({ draft }, say) {
    const taken = new Map<string, number>();
    for (const [index, member] of (draft.policy?.pool?.members ?? []).entries()) {
      for (const service of ALL) {
        for (const [at, address] of (member?.addresses?.[service] ?? []).entries()) {
          if (address === undefined) continue;
          const first = taken.get(address) ?? index;
          taken.set(address, first);
          if (first === index) continue;
          const path = [...POOL, 'members', index, 'addresses', service, at];
          const what = `${address} is also an address of policy.pool.members[${first}]`;
          say(path, 'error', what, 'write an address of this member');
        }
      }
    }
  },
};

const virtualAddresses: Rule<EdgeFacts> = {
  name: 'virtual-addresses',
  check({ draft }, say) {
    const { balancing, virtualAddresses: virtual } = draft.policy?.pool ?? {};
    if (balancing === undefined || virtual === undefined) return;
    const conferences = draft.policy?.features?.webConferencing === true;
    for (const service of ALL) {
      const path = [...POOL, 'virtualAddresses', service];
      const count = virtual[service]?.length ?? 0;
      const needed = service !== 'webConferencing' || conferences;
      if (balancing === 'hardware' && needed && count === 0) {
        say(path, 'error', `the load balancer has no ${service} address`, 'write its virtual address');
      } else if (balancing !== 'hardware' && count > 0) {
        const instead = 'remove it, or write policy.pool.balancing: hardware';
        say(path, 'warning', 'a virtual address counts only with a hardware load balancer', instead);
      }
    }
  },
};

/** A store seals one to every edge by itself; edges with policies of their own have to be given it. */
const poolFlowKey: Rule<EdgeFacts> = {
  name: 'pool-flow-key',
  check({ draft }, say) {
    const { members = [], flowKeyFile } = draft.policy?.pool ?? {};
    if (members.length < 2 || flowKeyFile !== undefined) return;
    const what =
      `the ${members.length} edges of the pool have no flow key in common, so that none opens what another one wrote: ` +
      'a client whose flow is dead is not told so by the others (403 for 430, RFC 5626 §5.3), and its dialogs end';
    const instead =
      'write policy.pool.flowKeyFile, a file with the output of `openssl rand -base64 32`, the same on every edge; ' +
      'a management store does it by itself';
    say([...POOL, 'members'], 'warning', what, instead);
  },
};

export const poolRules: readonly Rule<EdgeFacts>[] = [
  natPairs,
  natPrivate,
  natWithHardware,
  poolMembers,
  poolMember,
  poolAddresses,
  poolFlowKey,
  virtualAddresses,
];

import { endpointText, networkContains } from '../address.ts';
import { type Path, pathText } from '../finding.ts';
import type { TracedListener } from '../plan/listeners.ts';
import { edgeAddresses } from '../plan/nodes.ts';
import { serviceTitle } from '../plan/service-names.ts';
import { sayRepeatedServers } from './common.ts';
import { type Addresses, type EdgeFacts, EXTERNAL, networksOf, POOL, places } from './edge-facts.ts';
import type { Rule } from './rule.ts';

type Service = (typeof EXTERNAL)[number];

const memberNames: Rule<EdgeFacts> = {
  name: 'duplicate',
  check({ draft }, say) {
    sayRepeatedServers(draft.policy?.pool?.members, [...POOL, 'members'], say);
  },
};

/** Forms of the version before are read, so that edges and their store need not be upgraded at once. */
const olderForm: Rule<EdgeFacts> = {
  name: 'older-form',
  check({ draft }, say) {
    if ((draft.policy?.remoteAccess?.onlyUsers ?? []).length === 0) return;
    const what = 'policy.remoteAccess.onlyUsers will not be read by the next version';
    const instead =
      'write policy.externalAccess: remote: false, and each user with remote: true; config migrate does it';
    say(['policy', 'remoteAccess', 'onlyUsers'], 'warning', what, instead);
  },
};

/** Which services share an address: it decides the ports that a document leaves out. */
function layout(addresses: Addresses | undefined): string {
  const shares = (one: Service, other: Service): boolean =>
    (addresses?.[one] ?? []).some(
      (address) => address !== undefined && addresses?.[other]?.includes(address) === true,
    );
  return [
    shares('access', 'av'),
    shares('access', 'webConferencing'),
    shares('webConferencing', 'av'),
  ].join();
}

/** The policy part is the same on every edge, the ports with it. */
const poolLayout: Rule<EdgeFacts> = {
  name: 'pool-layout',
  check({ draft }, say) {
    const own = layout(draft.host?.addresses);
    for (const [index, member] of (draft.policy?.pool?.members ?? []).entries()) {
      if (member?.addresses === undefined || layout(member.addresses) === own) continue;
      const what = `${member.name ?? 'a member'} shares addresses among its services otherwise than this edge, and ports are the same on both`;
      const instead = 'give each service an address of its own on every edge, or the same ones one address';
      say([...POOL, 'members', index, 'addresses'], 'error', what, instead);
    }
  },
};

/** An address and where the document has it. */
type Owned = readonly [address: string, path: Path];

function listed(addresses: readonly (string | undefined)[] | undefined, path: Path): Owned[] {
  return (addresses ?? []).flatMap((address, index) =>
    address === undefined ? [] : [[address, [...path, index]] as const],
  );
}

/** A load balancer answers on addresses that nobody else has. */
const virtualTaken: Rule<EdgeFacts> = {
  name: 'virtual-address-taken',
  check({ draft }, say) {
    const { balancing, virtualAddresses: virtual } = draft.policy?.pool ?? {};
    if (balancing !== 'hardware' || virtual === undefined) return;
    const proxy = draft.policy?.reverseProxy;
    const members = (draft.policy?.nextHop?.members ?? []).map((member) => member?.address);
    const path = [...POOL, 'virtualAddresses'];
    const external = EXTERNAL.flatMap((service) => listed(virtual[service], [...path, service]));
    const internal = listed(virtual.internal, [...path, 'internal']);
    const others: Owned[] = [
      ...places(draft).flatMap((place) =>
        [...EXTERNAL, 'internal' as const].flatMap((service) =>
          listed(place.addresses[service], [...place.path, service]),
        ),
      ),
      ...members.flatMap((address, index) =>
        address === undefined ? [] : [[address, ['policy', 'nextHop', 'members', index, 'address']] as const],
      ),
      ...listed(proxy?.addresses, ['policy', 'reverseProxy', 'addresses']),
      ...listed(proxy?.internalAddresses, ['policy', 'reverseProxy', 'internalAddresses']),
    ];
    const sayTaken = (own: readonly Owned[], taken: readonly Owned[]): void => {
      for (const [address, at] of own) {
        const holder = taken.find(([other]) => other === address);
        if (holder === undefined) continue;
        const what = `the virtual address ${address} is also ${pathText(holder[1])}`;
        say(at, 'error', what, 'write the address that only the load balancer has');
      }
    };
    sayTaken(external, others);
    sayTaken(internal, [...others, ...external]);
  },
};

/** What the outside sees lies outside. */
const shownInside: Rule<EdgeFacts> = {
  name: 'outside-address-inside',
  check({ draft }, say) {
    const virtual = draft.policy?.pool?.virtualAddresses;
    const shown = EXTERNAL.flatMap((service) => [
      ...places(draft).flatMap(({ addresses, path }) =>
        listed(addresses.public?.[service], [...path, 'public', service]),
      ),
      ...listed(virtual?.[service], [...POOL, 'virtualAddresses', service]),
    ]);
    for (const [address, path] of shown) {
      const network = networksOf(draft).find((candidate) => networkContains(candidate, address));
      if (network === undefined) continue;
      const what = `${address}, which the outside is to see, lies in ${network} of policy.internalNetworks`;
      say(path, 'error', what, 'write the address that the outside sees, or narrow the network');
    }
  },
};

/** Behind one public address nobody could tell two edges apart. */
const publicShared: Rule<EdgeFacts> = {
  name: 'public-address-shared',
  check({ draft }, say) {
    const first = new Map<string, number>();
    for (const [index, member] of (draft.policy?.pool?.members ?? []).entries()) {
      for (const service of EXTERNAL) {
        const path = [...POOL, 'members', index, 'addresses', 'public', service];
        for (const [address, at] of listed(member?.addresses?.public?.[service], path)) {
          const holder = first.get(address) ?? index;
          first.set(address, holder);
          if (holder === index) continue;
          const what = `${address} also stands for policy.pool.members[${holder}]`;
          say(at, 'error', what, 'write a public address of this member');
        }
      }
    }
  },
};

/** What the outside dials for a socket of this host when that is not its own address. */
function shownAs({ draft }: EdgeFacts, { address, addressPath }: TracedListener): string[] {
  const service = EXTERNAL.find((one) => addressPath[2] === one);
  if (service === undefined) return [];
  const hardware = draft.policy?.pool?.balancing === 'hardware';
  return edgeAddresses(draft, service, 'virtual').flatMap((one) => {
    if (hardware) return [one.address];
    return one.address === address && one.publicAddress !== undefined ? [one.publicAddress] : [];
  });
}

/** A firewall and a load balancer, too, tell services apart by address and port only. */
const shownClash: Rule<EdgeFacts> = {
  name: 'outside-port-clash',
  check(facts, say) {
    const taken = new Map<string, TracedListener>();
    const said = new Set<string>();
    for (const listener of facts.listeners.filter((one) => one.interface === 'external')) {
      for (const address of shownAs(facts, listener)) {
        const endpoint = `${listener.transport.toUpperCase()} ${endpointText(address, listener.port)}`;
        const first = taken.get(endpoint) ?? listener;
        taken.set(endpoint, first);
        if (first.service === listener.service || first.address === listener.address) continue;
        if (said.has(endpoint)) continue;
        said.add(endpoint);
        const what = `from outside, ${endpoint} would be both the ${serviceTitle(first.service)} (${first.rows[0]}) and the ${serviceTitle(listener.service)} (${listener.rows[0]})`;
        const instead = `change ${pathText(listener.portPath)}, or give one of them another address outside`;
        say(listener.portPath, 'error', what, instead);
      }
    }
  },
};

/** Addresses that are not this host's own: of the pool, of the load balancer, of the translating firewall. */
export const outsideRules: readonly Rule<EdgeFacts>[] = [
  olderForm,
  memberNames,
  poolLayout,
  virtualTaken,
  shownInside,
  publicShared,
  shownClash,
];

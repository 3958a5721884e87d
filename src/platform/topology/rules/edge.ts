import { addressFamily, addressRange, networkContains, networksOverlap } from '../address.ts';
import type { Draft } from '../document/read-document.ts';
import { pathText } from '../finding.ts';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import { duplicate, limitOrder, portClash, sayRepeatedServers, socketPath } from './common.ts';
import { addressesOf, type EdgeFacts, externalAddresses, networksOf, places } from './edge-facts.ts';
import { federationRules } from './federation.ts';
import { nameRules } from './names.ts';
import { outsideRules } from './outside.ts';
import { perimeterRules } from './perimeter.ts';
import { poolRules } from './pool.ts';
import type { Rule } from './rule.ts';
import { xmppRules } from './xmpp.ts';

/** External and internal are different addresses. */
const sameAddress: Rule<EdgeFacts> = {
  name: 'external-is-internal',
  check({ draft }, say) {
    const external = new Map(externalAddresses(draft).map((one) => [one.address, one.path]));
    for (const { address, path } of addressesOf(draft, 'internal')) {
      const other = external.get(address);
      if (other === undefined) continue;
      const what = `${address} is both internal and external (${pathText(other)})`;
      say(path, 'error', what, 'write the address of the interface towards the internal network');
    }
  },
};

/** External and internal are different networks. */
const externalInside: Rule<EdgeFacts> = {
  name: 'external-in-internal-network',
  check({ draft }, say) {
    const internal = addressesOf(draft, 'internal').map((one) => one.address);
    for (const { address, path } of externalAddresses(draft)) {
      // That it is the internal address has been said by the rule before.
      if (internal.includes(address)) continue;
      const network = networksOf(draft).find((candidate) => networkContains(candidate, address));
      if (network === undefined) continue;
      const what = `the external address ${address} lies in ${network} of policy.internalNetworks`;
      say(path, 'error', what, 'write an address of the perimeter, or narrow the network');
    }
  },
};

/** The next hop lies in the internal networks, and the edge can speak to it. */
const nextHopPlace: Rule<EdgeFacts> = {
  name: 'next-hop-outside',
  check({ draft }, say) {
    const networks = networksOf(draft);
    if (networks.length === 0) return;
    for (const [index, member] of (draft.policy?.nextHop?.members ?? []).entries()) {
      const address = member?.address;
      if (address === undefined || networks.some((network) => networkContains(network, address))) continue;
      const path = ['policy', 'nextHop', 'members', index, 'address'];
      const what = `the next hop member ${address} is in none of policy.internalNetworks`;
      say(path, 'error', what, 'write its internal address, or add its network to policy.internalNetworks');
    }
  },
};

const nextHopFamily: Rule<EdgeFacts> = {
  name: 'next-hop-family',
  check({ draft }, say) {
    const own = addressesOf(draft, 'internal').map(({ address }) => addressFamily(address));
    if (own.length === 0) return;
    for (const [index, member] of (draft.policy?.nextHop?.members ?? []).entries()) {
      const address = member?.address;
      if (address === undefined || own.includes(addressFamily(address))) continue;
      const family = `IPv${addressFamily(address)}`;
      const what = `the next hop member ${address} is ${family}, and host.addresses.internal has none`;
      const path = ['policy', 'nextHop', 'members', index, 'address'];
      say(path, 'error', what, `add an ${family} address to host.addresses.internal, or write another here`);
    }
  },
};

/** An edge whose next hop is an edge sends every request round. */
const nextHopOwn: Rule<EdgeFacts> = {
  name: 'next-hop-own',
  check({ draft }, say) {
    const own = new Map(
      places(draft).flatMap(({ addresses, path }) =>
        (addresses.internal ?? []).map((address, index) => [address, [...path, 'internal', index]] as const),
      ),
    );
    for (const [index, member] of (draft.policy?.nextHop?.members ?? []).entries()) {
      const taken = member?.address === undefined ? undefined : own.get(member.address);
      if (taken === undefined) continue;
      const what = `the next hop member ${member?.address} is an edge itself (${pathText(taken)})`;
      const path = ['policy', 'nextHop', 'members', index, 'address'];
      say(path, 'error', what, 'write the address of the SIP server inside');
    }
  },
};

const nextHopRepeats: Rule<EdgeFacts> = {
  name: 'duplicate',
  check({ draft }, say) {
    sayRepeatedServers(draft.policy?.nextHop?.members, ['policy', 'nextHop', 'members'], say);
  },
};

/** Every SIP domain has a server, and none is named that is not ours. */
const nextHopDomains: Rule<EdgeFacts> = {
  name: 'next-hop-domains',
  check({ draft }, say) {
    const members = draft.policy?.nextHop?.members ?? [];
    const ours = draft.policy?.sipDomains ?? [];
    const named = members.map((member) => member?.domains ?? []);
    for (const [index, domains] of named.entries()) {
      for (const [place, domain] of domains.entries()) {
        if (domain === undefined || ours.includes(domain)) continue;
        const path = ['policy', 'nextHop', 'members', index, 'domains', place];
        const what = `${domain} is in none of policy.sipDomains`;
        say(path, 'error', what, 'write a SIP domain of the organisation, or add it there');
      }
    }
    if (named.length === 0 || named.some((domains) => domains.length === 0)) return;
    for (const [index, domain] of ours.entries()) {
      if (domain === undefined || named.some((domains) => domains.includes(domain))) continue;
      const what = `no member of the next hop serves ${domain}: each names domains, and none names this one`;
      const instead = 'add it to the domains of a member of policy.nextHop, or leave those of one out';
      say(['policy', 'sipDomains', index], 'error', what, instead);
    }
  },
};

const RELAY_FIRST = ['policy', 'relay', 'ports', 'first'];
const RELAY_LAST = ['policy', 'relay', 'ports', 'last'];

function relayRange(draft: Draft<EdgeDocument>): { first: number; last: number } | undefined {
  const { first, last } = draft.policy?.relay?.ports ?? {};
  return first === undefined || last === undefined ? undefined : { first, last };
}

const relayOrder: Rule<EdgeFacts> = {
  name: 'relay-range-order',
  check({ draft }, say) {
    const range = relayRange(draft);
    if (range === undefined || range.first <= range.last) return;
    const what = `the relay range ends at ${range.last}, before it begins at ${range.first}`;
    say(RELAY_LAST, 'error', what, `write ${range.first} or more, or lower policy.relay.ports.first`);
  },
};

/** No service listens on a port from which media is relayed. */
const relayOverlap: Rule<EdgeFacts> = {
  name: 'relay-range-overlap',
  check({ draft, listeners }, say) {
    const range = relayRange(draft);
    if (range === undefined) return;
    const relayed = new Set(addressesOf(draft, 'av').map(({ address }) => address));
    const hit = listeners.find(
      ({ address, port }) => relayed.has(address) && port >= range.first && port <= range.last,
    );
    if (hit === undefined) return;
    const what = `the relay range ${range.first}-${range.last} holds ${hit.transport.toUpperCase()} ${hit.port} of ${pathText(hit.portPath)}`;
    say(RELAY_FIRST, 'error', what, `write a range without ${hit.port}, or move ${pathText(hit.portPath)}`);
  },
};

const ALLOWED = ['policy', 'relay', 'allowedPeers'];

/** No setting lets media be relayed into the internal networks. */
const allowedInternal: Rule<EdgeFacts> = {
  name: 'allowed-peer-internal',
  check({ draft }, say) {
    for (const [index, allowed] of (draft.policy?.relay?.allowedPeers ?? []).entries()) {
      if (allowed === undefined) continue;
      const inside = networksOf(draft).find((network) => networksOverlap(network, allowed));
      if (inside === undefined) continue;
      const what = `${allowed} overlaps ${inside} of policy.internalNetworks, where no media is relayed to`;
      say(
        [...ALLOWED, index],
        'error',
        what,
        'write external networks only; internal endpoints allocate here',
      );
    }
  },
};

/** The edge's own addresses stay refused, whatever the list says. */
const allowedOwn: Rule<EdgeFacts> = {
  name: 'allowed-peer-own',
  check({ draft }, say) {
    const own = [...externalAddresses(draft), ...addressesOf(draft, 'internal')];
    for (const [index, allowed] of (draft.policy?.relay?.allowedPeers ?? []).entries()) {
      const hit = allowed && own.find(({ address }) => networkContains(allowed, address));
      if (!hit) continue;
      const what = `${allowed} holds this edge's own address ${hit.address}, which stays refused as a peer`;
      say([...ALLOWED, index], 'warning', what, 'write networks without the addresses of this edge');
    }
  },
};

/** A relay that the outside cannot reach relays nothing. */
const privateRelay: Rule<EdgeFacts> = {
  name: 'private-relay-address',
  check({ draft }, say) {
    const translated = (draft.host?.addresses?.public?.av?.length ?? 0) > 0;
    for (const { address, path } of addressesOf(draft, 'av')) {
      if (translated || addressRange(address) !== 'private') continue;
      const what = `relayed media would leave from the private address ${address}`;
      say(
        path,
        'warning',
        what,
        'write a public address, or the public ones that the firewall translates in host.addresses.public',
      );
    }
  },
};

/** Outgoing connections of the host must not take a port of the relay range. */
const reservePorts: Rule<EdgeFacts> = {
  name: 'reserve-relay-ports',
  check({ draft }, say) {
    const range = relayRange(draft);
    if (range === undefined || range.first > range.last) return;
    const what = `the host must not use ${range.first}-${range.last} for outgoing connections`;
    const instead = `sysctl -w net.ipv4.ip_local_reserved_ports=${range.first}-${range.last} (also covers IPv6)`;
    say(RELAY_FIRST, 'instruction', what, instead);
  },
};

/** Octets of a realm with which the answer to a stranger's Allocate has 100, all that RFC 8489 §9.2 wants in it and no more. */
const SHORT_REALM = 20;

/** Strangers draw answers to addresses that they make up: these should not be longer than they must be. */
const longRealm: Rule<EdgeFacts> = {
  name: 'relay-realm-length',
  check({ draft }, say) {
    const realm = draft.policy?.relay?.realm ?? '';
    if (realm.length <= SHORT_REALM) return;
    const what = `the realm ${realm} makes what strangers are answered longer than 100 octets`;
    say(['policy', 'relay', 'realm'], 'warning', what, `write a realm of at most ${SHORT_REALM} characters`);
  },
};

export const edgeRules: readonly Rule<EdgeFacts>[] = [
  duplicate,
  nextHopRepeats,
  portClash,
  socketPath,
  limitOrder(['policy', 'limits', 'access']),
  sameAddress,
  externalInside,
  nextHopPlace,
  nextHopFamily,
  nextHopOwn,
  nextHopDomains,
  relayOrder,
  relayOverlap,
  allowedInternal,
  allowedOwn,
  privateRelay,
  reservePorts,
  longRealm,
  ...poolRules,
  ...outsideRules,
  ...nameRules,
  ...perimeterRules,
  ...federationRules,
  ...xmppRules,
];

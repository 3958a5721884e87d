import { addressFamily, hostNetwork, networkContains } from '#platform/topology';
import { sysctl } from '../finding.ts';
import type { HostInterface, HostReadings, Route } from '../readings.ts';
import { defaultRoutes, isDefault, routeTo } from '../roles.ts';
import { externalAddresses, type HostRule } from './rule.ts';

const TWO_SIDES =
  'an edge stands between two networks; with one interface nothing keeps what comes from outside apart from what ' +
  'comes from inside';

/** An edge has two interfaces. */
const interfaceCount: HostRule = {
  name: 'interface-count',
  check({ host }, say) {
    const others = host.interfaces.filter(({ loopback }) => !loopback);
    const add =
      'give this host an interface on the external network and another on the internal one, then run init again';
    if (others.length === 0) say('error', 'this host has no interface but loopback', TWO_SIDES, add);
    if (others.length === 1) {
      say('warning', `this host has one interface, ${others[0]?.name}`, TWO_SIDES, add);
    }
  },
};

/** Every address of the document is one of this host. */
const addressMissing: HostRule = {
  name: 'address-missing',
  check(facts, say) {
    if (facts.imagined) return;
    const groups = [
      { addresses: externalAddresses(facts), at: facts.roles.external, setting: 'host.addresses' },
      {
        addresses: facts.document.host.addresses.internal,
        at: facts.roles.internal,
        setting: 'host.addresses.internal',
      },
    ];
    for (const { addresses, at, setting } of groups) {
      for (const address of addresses) {
        if (interfaceOf(facts.host, address) !== undefined) continue;
        const length = addressFamily(address) === 6 ? 64 : 24;
        say(
          'error',
          `no interface of this host has the address ${address}`,
          'the edge binds its sockets to exactly the addresses of the document, and cannot start without one of them',
          `ip address add ${address}/${length} dev ${at?.name ?? 'INTERFACE'}   (with the right prefix length, and in the network configuration too)`,
          `or write another address in ${setting}`,
        );
      }
    }
  },
};

/** External and internal addresses are on different interfaces. */
const sameInterface: HostRule = {
  name: 'same-interface',
  check(facts, say) {
    const external = new Set(externalAddresses(facts).map((address) => interfaceOf(facts.host, address)));
    for (const address of facts.document.host.addresses.internal) {
      const at = interfaceOf(facts.host, address);
      if (at === undefined || at.loopback || !external.has(at)) continue;
      say(
        'warning',
        `the internal address ${address} is on ${at.name}, where external addresses are too`,
        TWO_SIDES,
        `move ${address} to an interface of its own on the internal network`,
      );
    }
  },
};

/** The default route leads outside. */
const defaultRouteInside: HostRule = {
  name: 'default-route-inside',
  check(facts, say) {
    const { host, roles, document, imagined } = facts;
    if (host.routes === undefined) return;
    const inside = imagined ? roles.internal : interfaceOf(host, document.host.addresses.internal[0] ?? '');
    const outside = imagined ? roles.external : interfaceOf(host, externalAddresses(facts)[0] ?? '');
    if (inside === undefined || inside === outside) return;
    for (const route of defaultRoutes(host.routes, inside.name)) {
      say(
        'error',
        `a default route goes through the internal interface ${inside.name} (${by(route)})`,
        'what is meant for the Internet would pass the internal firewall, and answers to outside clients would not come back the way they came',
        `ip ${family(route)}route del default ${by(route)} dev ${inside.name}`,
        ...document.policy.internalNetworks
          .filter((network) => !imagined && addressFamily(network) === addressFamily(route.network))
          .map((network) => `ip ${family(route)}route add ${network} ${by(route)} dev ${inside.name}`),
        'and the same in the network configuration, so that it stays',
      );
    }
  },
};

/** There is one, for every family that the outside reaches. */
const defaultRouteMissing: HostRule = {
  name: 'default-route-missing',
  check(facts, say) {
    const { host, roles, imagined } = facts;
    const { routes } = host;
    if (routes === undefined || roles.external === undefined) return;
    const outside = imagined
      ? roles.external.addresses.map(({ address }) => address)
      : externalAddresses(facts);
    for (const version of [4, 6] as const) {
      const own = outside.find((address) => addressFamily(address) === version);
      if (
        own === undefined ||
        routes.some((route) => isDefault(route) && addressFamily(route.network) === version)
      )
        continue;
      const at = interfaceOf(host, own) ?? roles.external;
      if (at.loopback) continue;
      say(
        'warning',
        `there is no IPv${version} default route`,
        `clients that reach ${own} from other networks would get no answer`,
        `ip ${version === 6 ? '-6 ' : ''}route add default via GATEWAY dev ${at.name}   (the router of the external network)`,
      );
    }
  },
};

/** The internal networks are reached through the internal interface. */
const internalRoute: HostRule = {
  name: 'internal-route',
  check({ host, document, imagined }, say) {
    if (imagined || host.routes === undefined) return;
    const [internal] = document.host.addresses.internal;
    const inside = internal === undefined ? undefined : interfaceOf(host, internal);
    if (inside === undefined || inside.loopback) return;
    const members = document.policy.nextHop.members.map(({ address }) => hostNetwork(address));
    const told: string[] = [];
    for (const target of [...document.policy.internalNetworks, ...members]) {
      const address = target.slice(0, target.indexOf('/'));
      const route = routeTo(host.routes, address);
      if (route === undefined || route.interface === inside.name) continue;
      if (told.some((network) => networkContains(network, address))) continue;
      told.push(target);
      say(
        'error',
        `${target} is internal, but this host sends to it through ${route.interface}`,
        'signalling and media for the internal network would leave towards the Internet',
        `ip ${addressFamily(address) === 6 ? '-6 ' : ''}route add ${target} via GATEWAY dev ${inside.name}   (the router of the internal perimeter network)`,
        'and the same in the network configuration, so that it stays',
      );
    }
  },
};

/** An edge passes nothing on as a router. */
const forwarding: HostRule = {
  name: 'forwarding',
  check({ host }, say) {
    const why =
      'a host that routes between its interfaces lets packets pass from outside to inside beside every service and its checks';
    if (host.forwardsIpv4 === true) {
      say('error', 'this host forwards IPv4 packets', why, sysctl('net.ipv4.ip_forward', 0));
    }
    if (host.forwardsIpv6 === true) {
      say('error', 'this host forwards IPv6 packets', why, sysctl('net.ipv6.conf.all.forwarding', 0));
    }
  },
};

function interfaceOf(host: HostReadings, address: string): HostInterface | undefined {
  return host.interfaces.find((one) =>
    // Linux answers for the whole of a network on loopback.
    one.addresses.some(
      (own) => own.address === address || (one.loopback && networkContains(own.network, address)),
    ),
  );
}

function by({ gateway }: Route): string {
  return gateway === undefined ? '' : `via ${gateway}`;
}

function family({ network }: Route): string {
  return addressFamily(network) === 6 ? '-6 ' : '';
}

export const interfaceRules: readonly HostRule[] = [
  interfaceCount,
  addressMissing,
  sameInterface,
  defaultRouteInside,
  defaultRouteMissing,
  internalRoute,
  forwarding,
];

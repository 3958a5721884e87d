import { addressFamily, addressRange, networkContains } from '#platform/topology';
import type { HostRule } from './rule.ts';

const SERVICES = ['access', 'webConferencing', 'av'] as const;

function isPrivate(address: string): boolean {
  return addressRange(address) === 'private';
}

/** A private external address is translated by somebody, or nobody outside reaches it. */
const publicAddressMissing: HostRule = {
  name: 'public-address-missing',
  check(facts, say) {
    const { document, imagined, outside } = facts;
    if (imagined) return;
    const { addresses } = document.host;
    const told = new Set<string>();
    for (const service of SERVICES) {
      for (const family of [4, 6] as const) {
        const own = addresses[service].filter((address) => addressFamily(address) === family);
        const shown = addresses.public[service].filter((address) => addressFamily(address) === family);
        const [first] = own.filter((address) => isPrivate(address) && !told.has(address));
        if (first === undefined || shown.length > 0) continue;
        told.add(first);
        const seen = outside.seenAs;
        const hint = seen === undefined || seen.from !== first ? '' : ` (a STUN server saw ${seen.address})`;
        say(
          'warning',
          `the external address ${first} is private, and no public address is written for it${hint}`,
          'clients outside are told where to send media; a private address means nothing to them',
          `write the address that the external firewall translates to ${first} in host.addresses.public.${service}`,
        );
      }
    }
  },
};

/** What a server outside saw is what the document says. */
const seenOtherwise: HostRule = {
  name: 'seen-otherwise',
  check(facts, say) {
    const seen = facts.outside.seenAs;
    if (seen === undefined || facts.imagined) return;
    const { addresses } = facts.document.host;
    const service = SERVICES.find((one) => addresses[one].includes(seen.from));
    if (service === undefined) return;
    const sameFamily = (address: string): boolean => addressFamily(address) === addressFamily(seen.from);
    const own = addresses[service].filter(sameFamily);
    const expected = addresses.public[service].filter(sameFamily)[own.indexOf(seen.from)] ?? seen.from;
    if (seen.address === expected) return;
    // That nothing is written for a private address is said by the rule before.
    if (expected === seen.from && isPrivate(seen.from)) return;
    say(
      'warning',
      `${seen.server} saw ${seen.address} where ${expected} was expected for ${seen.from}`,
      'the external firewall has to translate each external address to one public address, the same both ways',
      `let the firewall translate ${seen.from} to ${expected}, or write ${seen.address} in host.addresses.public.${service}`,
    );
  },
};

/** The edge asks no DNS server inside. */
const internalResolver: HostRule = {
  name: 'internal-resolver',
  check({ host, document, imagined, roles }, say) {
    if (host.nameservers === undefined) return;
    if (host.nameservers.length === 0) {
      say(
        'warning',
        '/etc/resolv.conf names no DNS server',
        'certificate revocation lists, partners and XMPP servers are found by DNS',
        "echo 'nameserver ADDRESS' >> /etc/resolv.conf   (a DNS server outside)",
      );
    }
    const inside = imagined
      ? (roles.internal?.addresses ?? []).map(({ network }) => network)
      : document.policy.internalNetworks;
    const chosen = document.host.resolvers.length > 0;
    for (const server of host.nameservers) {
      const network = inside.find((candidate) => networkContains(candidate, server));
      if (network === undefined) continue;
      say(
        chosen ? 'warning' : 'error',
        `this host asks the internal DNS server ${server} (in ${network})`,
        'an edge must not reach internal DNS: names inside would be told outside, and no row of the port plan lets it pass',
        `replace "nameserver ${server}" by a DNS server outside, in /etc/resolv.conf or where the host's network settings write it`,
        'and name that server in host.resolvers, so that the firewall lets the edge ask it only',
      );
    }
  },
};

/** Names inside are found without DNS. */
const ownName: HostRule = {
  name: 'own-name',
  check({ host, document, imagined }, say) {
    const { name, addresses } = document.host;
    if (imagined || host.hosts.has(name)) return;
    say(
      'instruction',
      `/etc/hosts does not know this host's own name ${name}`,
      'DNS outside does not know it either, and programs of the host may ask for it',
      `echo '${addresses.internal[0]} ${name} ${name.split('.')[0]}' >> /etc/hosts`,
    );
  },
};

/** Offsets in seconds beyond which others stop believing this host, or its logs cannot be compared. */
const WRONG_SECONDS = 60;
const NOTABLE_SECONDS = 1;

const CLOCK_MATTERS =
  'certificates, revocation lists and relay credentials are believed for a time, and this host decides by its own clock';

/** The clock is right. */
const clock: HostRule = {
  name: 'clock',
  check({ host, outside }, say) {
    const { synchronized, keeper } = host.clock;
    const { clockOffset } = outside;
    const start =
      'systemctl enable --now systemd-timesyncd   (or chrony), with the time servers of host.timeServers';
    if (clockOffset !== undefined) {
      const { seconds, server } = clockOffset;
      const behind = seconds > 0 ? 'behind' : 'ahead of';
      const severity = Math.abs(seconds) >= WRONG_SECONDS ? 'error' : 'warning';
      if (Math.abs(seconds) < NOTABLE_SECONDS) return;
      say(
        severity,
        `the clock is ${Math.abs(seconds).toFixed(1)} s ${behind} ${server}`,
        CLOCK_MATTERS,
        start,
      );
    } else if (synchronized === false) {
      const who = keeper === undefined ? 'no time service runs' : `${keeper} runs, but has not set it yet`;
      say('warning', `the clock is not synchronised: ${who}`, CLOCK_MATTERS, start);
    } else if (synchronized === undefined) {
      const who = keeper === undefined ? 'no time service was found' : `${keeper} runs`;
      say(
        'instruction',
        `whether the clock is right is not known (${who})`,
        CLOCK_MATTERS,
        'compare it: sallyport init --survey-only --time-server ADDRESS',
      );
    }
  },
};

/** The firewall of the host lets the time service work. */
const timeServers: HostRule = {
  name: 'time-servers',
  check({ host, document, imagined }, say) {
    if (imagined || host.clock.keeper === undefined || document.host.timeServers.length > 0) return;
    say(
      'instruction',
      `${host.clock.keeper} keeps the clock, and host.timeServers names no server`,
      'the generated firewall rules let no NTP pass, and the clock would drift unnoticed',
      'write the addresses of its servers in host.timeServers',
    );
  },
};

export const outsideRules: readonly HostRule[] = [
  publicAddressMissing,
  seenOtherwise,
  internalResolver,
  ownName,
  clock,
  timeServers,
];

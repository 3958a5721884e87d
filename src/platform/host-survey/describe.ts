import type { HostReadings, OutsideReadings } from './readings.ts';
import { defaultRoutes, interfaceRoles } from './roles.ts';

/** One line of what was found: what it is about, and what it is. */
export type HostFact = readonly [about: string, found: string];

/** What a look at the host showed, in words; what could not be read is `not known`. */
export function describeHost(host: HostReadings, outside: OutsideReadings = {}): HostFact[] {
  return [
    ['host name', host.hostName],
    ...interfaceFacts(host),
    ['DNS servers', orUnknown(host.nameservers, (servers) => servers.join(', ') || 'none')],
    ['clock', clockText(host, outside)],
    ...(outside.seenAs === undefined
      ? []
      : [['seen outside', `${outside.seenAs.from} as ${outside.seenAs.address}`] as const]),
    ['open files', orUnknown(host.openFiles, (count) => (Number.isFinite(count) ? `${count}` : 'unlimited'))],
    ['UDP receive buffer', orUnknown(host.receiveBufferMax, (bytes) => `${bytes} bytes at most`)],
    ['ephemeral ports', orUnknown(host.ephemeralPorts, ({ first, last }) => `${first}-${last}`)],
    ['reserved ports', orUnknown(host.reservedPorts, rangesText)],
    ['listen backlog', orUnknown(host.listenBacklog, String)],
    ['forwards packets', forwardingText(host)],
    ['waiting sockets', orUnknown(host.sockets, (sockets) => `${sockets.length}`)],
    [
      'ports below 1024',
      orUnknown(host.privileges.mayBindLowPorts, (may) => (may ? 'allowed' : 'not allowed')),
    ],
  ];
}

function orUnknown<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? 'not known' : text(value);
}

function interfaceFacts(host: HostReadings): HostFact[] {
  const roles = interfaceRoles(host);
  return host.interfaces
    .filter(({ loopback }) => !loopback)
    .map((one): HostFact => {
      const routes = defaultRoutes(host.routes ?? [], one.name);
      const role =
        one === roles.external
          ? 'could be external'
          : one === roles.internal
            ? 'could be internal'
            : 'neither';
      const leads = routes.map(
        ({ gateway }) => `default route${gateway === undefined ? '' : ` via ${gateway}`}`,
      );
      const addresses = one.addresses.map(({ address }) => address).join(' ');
      return [`interface ${one.name}`, [addresses || 'no address', ...leads, role].join(', ')];
    });
}

function clockText({ clock }: HostReadings, { clockOffset }: OutsideReadings): string {
  const { synchronized, keeper } = clock;
  const state = synchronized === undefined ? 'not known' : synchronized ? 'synchronised' : 'not synchronised';
  const by = keeper === undefined ? 'no time service found' : `${keeper} runs`;
  if (clockOffset === undefined) return `${state}, ${by}`;
  const { seconds, uncertainty, server } = clockOffset;
  const sign = seconds < 0 ? '-' : '+';
  return `${state}, ${by}, ${server} is at ${sign}${Math.abs(seconds).toFixed(3)} s (±${uncertainty.toFixed(3)} s)`;
}

function rangesText(ranges: NonNullable<HostReadings['reservedPorts']>): string {
  const text = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return text.join(',') || 'none';
}

function forwardingText({ forwardsIpv4, forwardsIpv6 }: HostReadings): string {
  const text = (on: boolean | undefined): string => (on === undefined ? 'not known' : on ? 'yes' : 'no');
  return `IPv4 ${text(forwardsIpv4)}, IPv6 ${text(forwardsIpv6)}`;
}

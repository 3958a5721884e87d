import { addressRange, canonicalAddress, canonicalNetwork } from '#platform/topology';
import {
  parseMayBindLowPorts,
  parseNumber,
  parseOpenFiles,
  parsePortList,
  parsePortRange,
  parseSwitch,
} from './files/kernel-settings.ts';
import { parseHostsFile, parseResolverFile } from './files/name-files.ts';
import { parseIpv4Routes, parseIpv6Routes } from './files/routes.ts';
import { type ListedSocket, parseSocketTable } from './files/sockets.ts';
import { type HostView, thisHost } from './host-view.ts';
import { type Processes, surveyProcesses } from './processes.ts';
import type { ClockReading, HostInterface, HostReadings, OwnAddress, Privileges, Route } from './readings.ts';

/** Looks at the host. It changes nothing and sends nothing; it takes well under a second on an ordinary one. */
export function readHost(host: HostView = thisHost): HostReadings {
  const listed = listedSockets(host);
  const processes = surveyProcesses(host, new Set(listed?.map(({ inode }) => inode)));
  const kernel = (key: string): string | undefined => host.text(`/proc/sys/net/${key}`);
  return {
    hostName: host.hostName().toLowerCase(),
    interfaces: interfacesOf(host),
    routes: routesOf(host),
    ...resolverOf(host),
    hosts: parseHostsFile(host.text('/etc/hosts') ?? ''),
    clock: clockOf(host, processes),
    openFiles: parseOpenFiles(host.text('/proc/self/limits')),
    receiveBufferMax: parseNumber(kernel('core/rmem_max')),
    listenBacklog: parseNumber(kernel('core/somaxconn')),
    synBacklog: parseNumber(kernel('ipv4/tcp_max_syn_backlog')),
    ephemeralPorts: parsePortRange(kernel('ipv4/ip_local_port_range')),
    reservedPorts: parsePortList(kernel('ipv4/ip_local_reserved_ports')),
    forwardsIpv4: parseSwitch(kernel('ipv4/ip_forward')),
    forwardsIpv6: parseSwitch(kernel('ipv6/conf/all/forwarding')),
    sockets: listed?.map(({ inode, ...socket }) => ({ ...socket, owner: processes.owners.get(inode) })),
    privileges: privilegesOf(host),
    remoteLogin: canonicalAddress(host.environment('SSH_CONNECTION')?.split(' ')[0] ?? ''),
    hasAccount: (name) => hasAccount(host, name),
  };
}

function interfacesOf(host: HostView): HostInterface[] {
  return Object.entries(host.interfaces()).map(([name, infos = []]) => ({
    name,
    loopback: infos.some(({ internal }) => internal),
    addresses: infos.flatMap(({ address, cidr }): OwnAddress[] => {
      const canonical = canonicalAddress(address.replace(/%.*/, ''));
      const network = canonicalNetwork(cidr?.replace(/%[^/]*/, '') ?? '')?.network;
      if (canonical === undefined || network === undefined || network.startsWith('fe80:')) return [];
      return [{ address: canonical, network }];
    }),
  }));
}

function routesOf(host: HostView): Route[] | undefined {
  const ipv4 = host.text('/proc/net/route');
  const ipv6 = host.text('/proc/net/ipv6_route');
  if (ipv4 === undefined && ipv6 === undefined) return undefined;
  return [...parseIpv4Routes(ipv4 ?? ''), ...parseIpv6Routes(ipv6 ?? '')];
}

/** Behind a local resolver stand the servers that it asks. */
function resolverOf(host: HostView): Pick<HostReadings, 'nameservers' | 'searchDomains'> {
  const own = host.text('/etc/resolv.conf');
  if (own === undefined) return { nameservers: undefined, searchDomains: [] };
  const { nameservers, searchDomains } = parseResolverFile(own);
  const local = nameservers.filter((server) => addressRange(canonicalAddress(server) ?? '') === 'loopback');
  const behind = host.text('/run/systemd/resolve/resolv.conf');
  const asked =
    local.length > 0 && behind !== undefined ? parseResolverFile(behind).nameservers : nameservers;
  return { nameservers: asked.flatMap((server) => canonicalAddress(server) ?? []), searchDomains };
}

function clockOf(host: HostView, { clockKeeper }: Processes): ClockReading {
  const told = host.run('timedatectl', ['show', '--property=NTPSynchronized', '--value'])?.out.trim();
  const kernel = told === 'yes' ? true : told === 'no' ? false : undefined;
  // Written when the time has been set since the start of the host; nobody removes it when it is lost again.
  const once = host.list('/run/systemd/timesync')?.includes('synchronized') === true ? true : undefined;
  return { synchronized: kernel ?? once, keeper: clockKeeper };
}

function listedSockets(host: HostView): ListedSocket[] | undefined {
  const tables = (['tcp', 'tcp6', 'udp', 'udp6'] as const).map((name) => {
    const text = host.text(`/proc/net/${name}`);
    return text && parseSocketTable(text, name.startsWith('tcp') ? 'tcp' : 'udp');
  });
  const seen = tables.filter((table) => typeof table === 'object');
  return seen.length === 0 ? undefined : seen.flat();
}

const USUAL_FIRST_FREE_PORT = 1024;

function privilegesOf(host: HostView): Privileges {
  const root = host.userId() === 0;
  const first = parseNumber(host.text('/proc/sys/net/ipv4/ip_unprivileged_port_start'));
  return {
    root,
    mayBindLowPorts: parseMayBindLowPorts(host.text('/proc/self/status')) ?? (root ? true : undefined),
    firstFreePort: first ?? USUAL_FIRST_FREE_PORT,
  };
}

function hasAccount(host: HostView, name: string): boolean | undefined {
  // No option can be meant by an account's name.
  if (!/^[a-z_][a-z0-9_-]*$/.test(name)) return false;
  const asked = host.run('id', ['-u', name]);
  return asked === undefined ? undefined : asked.status === 0;
}

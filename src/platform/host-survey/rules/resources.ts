import { edgeListeners, type PortRange } from '#platform/topology';
import { sysctl } from '../finding.ts';
import type { HostRule } from './rule.ts';

/** Files that a service has open besides its connections: libraries, logs, listeners, connections inside. */
const OTHER_FILES = 512;

/** Every connection and every allocation is an open file of its service's process. */
const openFiles: HostRule = {
  name: 'open-files',
  check({ host, document }, say) {
    const { access, av } = document.policy.limits;
    const needs = [
      { setting: 'policy.limits.access.connections', count: access.connections + access.handshakes },
      { setting: 'policy.limits.av.allocations', count: av.allocations },
    ];
    const most = needs.reduce((one, other) => (other.count > one.count ? other : one));
    const needed = most.count + OTHER_FILES;
    if (host.openFiles === undefined || host.openFiles >= needed) return;
    say(
      'warning',
      `a process of this user may open ${host.openFiles} files; ${most.setting} asks for ${needed}`,
      'when the limit is reached, new clients are turned away although the document allows them',
      `LimitNOFILE=${powerOfTwo(needed)} in the systemd unit, or ulimit -n ${powerOfTwo(needed)} before the start`,
      `or a lower number in ${most.setting}`,
    );
  },
};

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

/** What the sockets on which clients reach the relay ask for, bytes. */
const RELAY_RECEIVE_BUFFER = 4 << 20;

/** Bursts of media wait in the kernel and are not dropped there. */
const udpBuffers: HostRule = {
  name: 'udp-buffers',
  check({ host, document }, say) {
    if (!document.policy.features.media || host.receiveBufferMax === undefined) return;
    if (host.receiveBufferMax >= RELAY_RECEIVE_BUFFER) return;
    say(
      'warning',
      `a UDP socket may buffer ${host.receiveBufferMax} bytes; the relay asks for ${RELAY_RECEIVE_BUFFER}`,
      'media that arrives in a burst is dropped by the kernel before the relay sees it',
      sysctl('net.core.rmem_max', RELAY_RECEIVE_BUFFER),
    );
  },
};

/** What services ask for when they listen. */
const BACKLOG = 4096;
/** Below this, connections on their way are too few for clients that come back all at once. */
const SYN_BACKLOG = 512;

/** Connections that arrive together wait, and are not refused. */
const backlog: HostRule = {
  name: 'backlog',
  check({ host }, say) {
    const why =
      'clients that come back all at once, after a failure of their network, are turned away by the kernel';
    if (host.listenBacklog !== undefined && host.listenBacklog < BACKLOG) {
      const what = `at most ${host.listenBacklog} accepted connections may wait for a service; it asks for ${BACKLOG}`;
      say('warning', what, why, sysctl('net.core.somaxconn', 4096));
    }
    if (host.synBacklog !== undefined && host.synBacklog < SYN_BACKLOG) {
      const what = `at most ${host.synBacklog} connections may be on their way to being accepted`;
      say('warning', what, why, sysctl('net.ipv4.tcp_max_syn_backlog', 4096));
    }
  },
};

/** Outgoing connections of the host take no port on which the edge listens or relays. */
const ephemeralPorts: HostRule = {
  name: 'ephemeral-ports',
  check({ host, document }, say) {
    const { ephemeralPorts: ephemeral, reservedPorts: reserved } = host;
    if (ephemeral === undefined || reserved === undefined) return;
    const listened = edgeListeners(document).map(({ port }) => ({ first: port, last: port }));
    const { features, relay } = document.policy;
    const wanted = [...(features.media ? [relay.ports] : []), ...listened]
      .map((range) => overlap(range, ephemeral))
      .filter((range) => range !== undefined);
    const free = wanted.filter((range) => !covered(range, reserved));
    if (free.length === 0) return;
    say(
      'warning',
      `outgoing connections of this host may take ports that the edge needs: ${merged(free).map(rangeText).join(', ')}`,
      `the kernel picks their ports from ${rangeText(ephemeral)}, and a port that is taken cannot be relayed from`,
      sysctl(
        'net.ipv4.ip_local_reserved_ports',
        merged([...reserved, ...free])
          .map(rangeText)
          .join(','),
      ),
    );
  },
};

function overlap(one: PortRange, other: PortRange): PortRange | undefined {
  const first = Math.max(one.first, other.first);
  const last = Math.min(one.last, other.last);
  return first <= last ? { first, last } : undefined;
}

function covered(range: PortRange, by: readonly PortRange[]): boolean {
  return merged(by).some(({ first, last }) => first <= range.first && range.last <= last);
}

/** The same ports in as few ranges as there can be. */
function merged(ranges: readonly PortRange[]): PortRange[] {
  const whole: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = whole.at(-1);
    if (before === undefined || range.first > before.last + 1) whole.push(range);
    else whole[whole.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return whole;
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

export const resourceRules: readonly HostRule[] = [openFiles, udpBuffers, backlog, ephemeralPorts];

import {
  addressFamily,
  edgeListeners,
  endpointText,
  type ListenerPlan,
  serviceTitle,
} from '#platform/topology';
import type { OpenSocket } from '../readings.ts';
import type { HostRule } from './rule.ts';

/** Nobody else has a port on which the edge listens. */
const portTaken: HostRule = {
  name: 'port-taken',
  check({ host, document, imagined }, say) {
    const told = new Set<string>();
    for (const listener of edgeListeners(document)) {
      const taken = host.sockets?.find((socket) => stands(socket, listener, imagined));
      if (taken === undefined) continue;
      const at = imagined ? `${listener.port}` : endpointText(listener.address, listener.port);
      const endpoint = `${listener.transport.toUpperCase()} ${at}`;
      if (told.has(endpoint)) continue;
      told.add(endpoint);
      const row = `${listener.rows[0]}, ${serviceTitle(listener.service)}`;
      const wildcard = isWildcard(taken.address) ? `, on every address (${taken.address})` : '';
      say(
        'error',
        `${endpoint} (${row}) is taken by ${ownerText(taken)}${wildcard}`,
        'the edge cannot bind the port and does not start, unless it is the edge itself that runs already',
        ...remedies(taken, listener),
      );
    }
  },
};

/** A port that is taken is left out of the relay's, so that this is no more than one port fewer. */
const relayPortTaken: HostRule = {
  name: 'relay-port-taken',
  check({ host, document, imagined }, say) {
    const { features, relay } = document.policy;
    if (!features.media) return;
    const { first, last } = relay.ports;
    const taken = (host.sockets ?? []).filter(
      ({ transport, address, port }) =>
        transport === 'udp' &&
        port >= first &&
        port <= last &&
        (isWildcard(address) || (!imagined && document.host.addresses.av.includes(address))),
    );
    const [one] = taken;
    if (one === undefined) return;
    const others = taken.length === 1 ? '' : ` and ${taken.length - 1} more`;
    say(
      'warning',
      `UDP ${one.port} of the relay range ${first}-${last} is taken by ${ownerText(one)}${others}`,
      'media cannot be relayed from it; behind the firewall rules of the relay, that program would be open to the Internet',
      `ss -lunp 'sport >= :${first} and sport <= :${last}'   lists them; stop them or give them other ports`,
    );
  },
};

/** On the same address, or on every one. Whether an IPv6 wildcard takes IPv4 too, the kernel does not tell. */
function stands(socket: OpenSocket, listener: ListenerPlan, imagined: boolean): boolean {
  if (socket.transport !== listener.transport || socket.port !== listener.port) return false;
  if (socket.address === listener.address) return !imagined || listener.interface === 'loopback';
  return socket.address === '::' || (socket.address === '0.0.0.0' && addressFamily(listener.address) === 4);
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function ownerText({ owner }: OpenSocket): string {
  return owner === undefined ? 'a process that this user may not see' : `${owner.name} (pid ${owner.pid})`;
}

function remedies({ owner, address }: OpenSocket, { transport, port }: ListenerPlan): string[] {
  const who = owner?.name ?? 'it';
  return [
    ...(owner === undefined
      ? [`ss -l${transport === 'tcp' ? 't' : 'u'}np 'sport = :${port}'   as root shows who it is`]
      : [`systemctl status ${owner.pid}   shows which service it belongs to; stop and disable that`]),
    ...(isWildcard(address) ? [`or let ${who} listen on the one address that it needs`] : []),
  ];
}

export const occupancyRules: readonly HostRule[] = [portTaken, relayPortTaken];

import type { AddressPair, EdgeName, ForeignEdge } from '../network/addresses.ts';
import type { HostName } from '../network/perimeter-network.ts';
import type { Perimeter } from '../programs/perimeter.ts';

interface Client {
  readonly remote: { readonly address: string; readonly port: number };
  readonly addresses: readonly string[];
}

/** The remote addresses of the connections on which a user is signed in at an edge. */
export async function signedInFrom(perimeter: Perimeter, edge: EdgeName, user: string): Promise<string[]> {
  const { clients } = (await perimeter.edge(edge).ask('access', 'connections')) as { clients: Client[] };
  return clients
    .filter(({ addresses }) => addresses.some((address) => address.endsWith(user)))
    .map(({ remote }) => remote.address);
}

/** On how many ways the next hop knows a user to be signed in. */
export async function bindings(perimeter: Perimeter, user: string): Promise<number> {
  return ((await perimeter.internal.ask('front-end', 'bindings', { address: user })) as unknown[]).length;
}

/** Requests that an edge has passed on: inward to the next hop, outward to clients. */
export async function requests(
  perimeter: Perimeter,
  edge: EdgeName,
): Promise<{ inward: number; outward: number }> {
  const counters = (await perimeter.edge(edge).ask('access', 'counters')) as {
    requests: { inward: number; outward: number };
  };
  return counters.requests;
}

/** Datagrams that an edge's relay has sent to peers, and received from them. */
export async function relayed(
  perimeter: Perimeter,
  edge: EdgeName,
): Promise<{ sent: number; received: number }> {
  const counters = (await perimeter.edge(edge).ask('av', 'counters')) as {
    relayed: { sentPackets: number; receivedPackets: number };
  };
  return { sent: counters.relayed.sentPackets, received: counters.relayed.receivedPackets };
}

/** Relay credentials that an edge's A/V Authentication service has issued. */
export async function issued(perimeter: Perimeter, edge: EdgeName): Promise<number> {
  const counters = (await perimeter.edge(edge).ask('av-authentication', 'counters')) as {
    credentialsIssued: number;
  };
  return counters.credentialsIssued;
}

/** The remote addresses of a host's open TCP connections to a port of one of its interfaces. */
export async function connectedTo(
  perimeter: Perimeter,
  host: HostName,
  own: AddressPair,
  port: number,
): Promise<string[]> {
  const text = await perimeter.host(host).run('ss', ['-Hnt', 'state', 'established', `( sport = :${port} )`]);
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(2).map(withoutPort))
    .filter(([local]) => local === own.v4 || local === own.v6)
    .flatMap(([, remote]) => remote ?? []);
}

/** Octets that a host has received on a port of its own from this address, by connections that are open. */
export async function octetsFrom(
  perimeter: Perimeter,
  host: HostName,
  port: number,
  source: string,
): Promise<number> {
  const address = source.includes(':') ? `[${source}]` : source;
  const filter = `sport = :${port} and dst ${address}`;
  const text = await perimeter.host(host).run('ss', ['-HntiO', 'state', 'established', filter]);
  return [...text.matchAll(/bytes_received:(\d+)/g)].reduce((sum, [, octets]) => sum + Number(octets), 0);
}

function withoutPort(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}

/** Datagrams that an edge has exchanged with those of other organisations by the tunnel. */
export async function tunnelled(
  perimeter: Perimeter,
  edge: EdgeName | ForeignEdge,
): Promise<{ sent: number; received: number }> {
  const counters = (await perimeter.edge(edge).ask('av', 'counters')) as {
    tunnelled: { sent: number; received: number };
  };
  return counters.tunnelled;
}

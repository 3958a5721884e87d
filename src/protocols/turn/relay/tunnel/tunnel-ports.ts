import type { Monotonic } from '#kernel';
import type { PeerConnection } from '../peer-connections.ts';
import type { RelayState } from '../relay-state.ts';

/**
 * The port of the range from which a connection to another edge leaves: that of the relayed address, the first time;
 * every further connection from there to the same edge would be the same to TCP, so that it takes a port of its own.
 */
export function portToEdge(
  state: RelayState,
  connection: PeerConnection,
  now: Monotonic,
): number | undefined {
  const { relay, address } = connection;
  returnPort(state, connection, now);
  relay.dialledEdges ??= new Set();
  if (!relay.dialledEdges.has(address)) {
    relay.dialledEdges.add(address);
    return relay.port;
  }
  connection.leasedPort = state.place(relay.family)?.pool.take(now);
  return connection.leasedPort;
}

/** Gives back what `portToEdge` took; it rests, as every port does. */
export function returnPort(state: RelayState, connection: PeerConnection, now: Monotonic): void {
  const { leasedPort, relay } = connection;
  if (leasedPort === undefined) return;
  connection.leasedPort = undefined;
  state.place(relay.family)?.pool.release(leasedPort, now, state.times.portRest * 1000);
}

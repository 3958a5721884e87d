import type { Monotonic } from '#kernel';
import { deliverToClient } from '../data-path.ts';
import type { PeerConnection } from '../peer-connections.ts';
import type { RelayState } from '../relay-state.ts';

/**
 * What a peer says on its connection, packet by packet of RFC 4571 to the client.
 * @returns milliseconds for which nothing more is to be read from the peer
 */
export function handleConnectionData(
  state: RelayState,
  connection: PeerConnection,
  bytes: Uint8Array,
  now: Monotonic,
): number {
  const { relay, address, port } = connection;
  let wait = 0;
  if (connection.state !== 'bound') return wait;
  connection.cutter.handleBytes(bytes, (packet) => {
    const late = deliverToClient(state, relay, address, port, packet, 0, packet.length, now, true);
    wait = Math.max(wait, late);
  });
  return wait;
}

import type { PeerConnection } from '../peer-connections.ts';
import type { RelayState } from '../relay-state.ts';

/** The connection is there: what has waited for it goes out. */
export function beginCarrying(state: RelayState, connection: PeerConnection): void {
  connection.state = 'bound';
  connection.expires = Number.POSITIVE_INFINITY;
  for (const bytes of connection.pending.splice(0)) state.sink.writeToPeer(connection, bytes);
  connection.pendingBytes = 0;
}

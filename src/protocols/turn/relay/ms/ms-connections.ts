import type { Monotonic } from '#kernel';
import type { TurnDrop } from '../drops.ts';
import { openConnection, type PeerConnection } from '../peer-connections.ts';
import type { Relay } from '../relay.ts';
import type { RelayState } from '../relay-state.ts';

/** Octets for a peer that may wait for the connection to it. */
const MOST_PENDING = 65_536;

/**
 * A stream client's data to a peer outside: through the connection with it, which the peer has made or which is made
 * now, from the relayed address.
 * @returns why they are dropped
 */
export function sendByConnection(
  state: RelayState,
  relay: Relay,
  address: string,
  port: number,
  bytes: Uint8Array,
  now: Monotonic,
): TurnDrop | undefined {
  const { allocation } = relay;
  let known: PeerConnection | undefined;
  for (const one of allocation.connections) if (one.port === port && one.address === address) known = one;
  if (known?.state === 'bound') {
    state.sink.writeToPeer(known, bytes);
    return undefined;
  }
  if (known === undefined && allocation.connections.size >= state.limits.connectionsPerAllocation)
    return 'too-many-connections';
  const connection = known ?? openConnection(state, relay, address, port, now);
  if (connection.pendingBytes + bytes.length > MOST_PENDING) return 'ms-held-too-much';
  connection.pending.push(new Uint8Array(bytes));
  connection.pendingBytes += bytes.length;
  if (known === undefined) state.tunnel.connect(state, connection, now);
  return undefined;
}

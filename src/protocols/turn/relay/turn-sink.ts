import type { ErrorCode, MsErrorCode } from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import type { TurnDrop } from './drops.ts';
import type { PeerConnection } from './peer-connections.ts';
import type { Relay } from './relay.ts';
import type { TurnListener } from './turn-listener.ts';

/** Why an allocation ended. */
export type AllocationEnd =
  | 'deallocated'
  | 'lifetime-expired'
  | 'credential-expired'
  | 'closed-by-operator'
  /** The connection by which its client reached the relay is gone. */
  | 'connection-closed';

export const allocationEnds: readonly AllocationEnd[] = [
  'deallocated',
  'lifetime-expired',
  'credential-expired',
  'closed-by-operator',
  'connection-closed',
];

/** What there is to tell of a request that was refused; views in it are valid during the call. */
export interface RefusedRequest {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  /** `method`: STUN; `type`: the Microsoft dialect, which has no methods. */
  readonly message: { readonly method?: number; readonly type?: number; readonly hasIntegrity?: boolean };
  /** Of whoever has proved who they are. */
  readonly proof?: { readonly key: Uint8Array; readonly user?: string } | undefined;
}

/**
 * Where the relay's output goes. The relay calls these synchronously from inside its own `handle…` methods,
 * and never calls back into itself from them, so an adapter may not call `handle…` from inside a sink method
 * either (answer `bindRelay` later, from the socket's own event).
 *
 * Lifetime of `bytes`: they are either a buffer that the adapter itself passed to the `handle…` call in
 * progress, or one that it lent through `frame`. The relay keeps neither after the sink method returns, so
 * each buffer is free again as soon as the adapter's own send has let go of it.
 */
export interface TurnSink {
  /**
   * Lends a buffer of at least `size` bytes (1..65556) for the one `sendToClient` that follows. The relay
   * always sends what it framed before it asks for another.
   */
  frame(size: number): Uint8Array;
  /**
   * Sends `bytes[start, end)` to the client: as one datagram, or as one frame of its connection; `whole` when they are
   * a part of a stream, of which nothing may be left out.
   */
  sendToClient(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    whole?: boolean,
  ): void;
  /** Sends `bytes[start, end)` as one datagram from the relayed transport address to a peer outside. */
  sendToPeer(
    relay: Relay,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  /** A client on a connection sent more than it may: nothing is to be read from it for `milliseconds`. */
  paceClient(listener: TurnListener, milliseconds: number): void;
  /** What one client sends goes to another in a stream: nothing is to be read from it while that one takes no more. */
  holdClient(listener: TurnListener, receiver: TurnListener): void;
  /**
   * Binds a UDP socket to `relay.address`:`relay.port`, or, where peers outside may connect, listens there, each
   * connection for `handlePeerConnection`; answer with `handleRelayBound` or `handleRelayBindFailed`.
   */
  bindRelay(relay: Relay): void;
  /** Closes that socket (or abandons the bind under way). The relay is never named again. */
  closeRelay(relay: Relay): void;
  /**
   * Opens a TCP connection from `connection.relay.address` and its `dial` and reads nothing from it; answer with
   * `handlePeerConnected` or `handlePeerConnectionClosed`. With an opening, sends that, reads TUNNEL_ANSWER_BYTES and
   * answers with `handleTunnelAnswer` instead of the first; the connection may be dialled once more from inside it.
   */
  connectPeer(connection: PeerConnection): void;
  /**
   * The client's connection that `listener` stands for carries this peer's data from its next octet on. Joins it with
   * the peer's connection, or, for a twin, with the twin's client once that is bound too.
   */
  bindConnection(connection: PeerConnection, listener: TurnListener): void;
  /**
   * Octets for a peer, whose connection carries what the client says in messages; borrowed. While the peer takes no
   * more, nothing is to be read from the client.
   */
  writeToPeer(connection: PeerConnection, bytes: Uint8Array): void;
  /** Closes both ends of it. It is never named again. */
  closeConnection(connection: PeerConnection): void;
  /** Something, so many times, was ignored or refused. Already counted in `TurnRelay.drops`. */
  drop(reason: TurnDrop, count: number): void;
  /** A request is answered with an error. Already counted in `TurnRelay.refusals`. */
  refused(request: RefusedRequest, code: ErrorCode | MsErrorCode): void;
  /**
   * What a channel of this allocation may do has changed, or for how long, or it has ended: see `TurnRelay.flowsOf`.
   * Told of more than that when it is simpler.
   */
  rightsChanged(allocation: Allocation): void;
  /** An allocation has just been answered with success. */
  allocationOpened(allocation: Allocation): void;
  allocationClosed(allocation: Allocation, reason: AllocationEnd): void;
}

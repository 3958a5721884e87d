import { err, type Monotonic, ok, type Result } from '#kernel';
import {
  AttributeType,
  decodeConnectionId,
  decodeXorAddress,
  ErrorCode,
  encodeConnectionId,
  encodeXorAddress,
  MessageClass,
  Method,
  Rfc4571Cutter,
  readU32,
  StunWriter,
  sameAsText,
} from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import { answer, type ProvenAnswerable, refuse } from './answers.ts';
import { takeOctets } from './bandwidth.ts';
import type { TurnDrop } from './drops.ts';
import { beginCarrying } from './ms/ms-carrying.ts';
import type { Relay } from './relay.ts';
import type { RelayState } from './relay-state.ts';
import { returnPort } from './tunnel/tunnel-ports.ts';
import { isStream } from './turn-listener.ts';
import type { ProvenRequest } from './turn-request.ts';

/** RFC 6062 §5.2, §5.3: how long a connection may be under way, and then wait for its client. */
const PATIENCE_MS = 30_000;

/** How a peer is dialled. */
export interface Dial {
  readonly address: string;
  readonly port: number;
  /** At the address of the relay. */
  readonly localPort: number;
  /** What is said first, to another edge; its answer goes to `handleTunnelAnswer`. */
  readonly opening: Uint8Array | undefined;
}

/** A TCP connection between a relayed address and a peer (RFC 6062 §3): a peer outside, or another allocation. */
export interface PeerConnection {
  /** CONNECTION-ID. */
  readonly id: number;
  readonly allocation: Allocation;
  readonly relay: Relay;
  readonly address: string;
  readonly port: number;
  state: 'connecting' | 'unbound' | 'bound' | 'closed';
  /** Until then it has to be in the next state; Infinity once it is bound. */
  expires: Monotonic;
  /** The Connect that waits for an answer. */
  request: ProvenAnswerable | undefined;
  /** The other half, when the peer is a relayed address of this relay: both are joined without a socket. */
  twin: PeerConnection | undefined;
  /** From the relayed address to the peer, unless it goes through the tunnel. */
  dial: Dial;
  /** Through the tunnel: the cookie in the opening, whether the partner was asked anew, a port beside the relay's own. */
  tunnelCookie: Uint8Array | undefined;
  askedAgain: boolean;
  leasedPort: number | undefined;
  /** Of a client of the Microsoft dialect: its data go in and out in messages, there is no connection to bind. */
  readonly isCarried: boolean;
  /** Then: what waits for the connection, and what has come of a packet that is not whole. */
  readonly pending: Uint8Array[];
  pendingBytes: number;
  readonly cutter: Rfc4571Cutter;
}

const writer = new StunWriter();

/** Connect, RFC 6062 §5.2. The refusal is returned; success is answered when the peer has taken the connection. */
export function handleConnect(
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation,
): ErrorCode | undefined {
  const peer = decodeXorAddress(request.message, AttributeType.XorPeerAddress);
  if (!allocation.isTcp || !peer.ok || peer.value.port === 0) return ErrorCode.BadRequest;
  const { family, port } = peer.value;
  const relay = allocation.relay(family);
  if (relay === undefined) return ErrorCode.PeerAddressFamilyMismatch;
  if (state.judge(peer.value.address, port) !== 'allowed') return ErrorCode.Forbidden;
  if (!state.allowsPort(peer.value.address, port)) return ErrorCode.Forbidden;
  const address = state.peerForm(peer.value.address);
  for (const one of allocation.connections) {
    if (one.address === address && one.port === port) return ErrorCode.ConnectionAlreadyExists;
  }
  if (allocation.connections.size >= state.limits.connectionsPerAllocation)
    return ErrorCode.InsufficientCapacity;
  if (state.isRelayAddress(address)) return connectInside(state, request, relay, address, port);
  const connection = openConnection(state, relay, address, port, request.now);
  const { listener, message, proof } = request;
  const id = new Uint8Array(message.transactionId);
  connection.request = {
    listener,
    address: request.address,
    port: request.port,
    message: { method: message.method, transactionId: id },
    proof: { key: proof.key, sha256: proof.sha256 === true },
  };
  state.tunnel.connect(state, connection, request.now);
  return undefined;
}

/** The peer is a relayed address of ours: its client is asked, if it has given permission (RFC 6062 §5.3). */
function connectInside(
  state: RelayState,
  request: ProvenRequest,
  relay: Relay,
  address: string,
  port: number,
): ErrorCode | undefined {
  const { now } = request;
  const target = state.relayAt(address, port);
  const willing = target?.allocation.isTcp === true && target.allocation.hasPermission(relay.advertised, now);
  const room = (target?.allocation.connections.size ?? 0) < state.limits.connectionsPerAllocation;
  if (target === undefined || !willing || !room) return ErrorCode.ConnectionTimeoutOrFailure;
  const connection = openConnection(state, relay, address, port, now);
  const twin = openConnection(state, target, relay.advertised, relay.port, now);
  connection.twin = twin;
  twin.twin = connection;
  connection.state = 'unbound';
  twin.state = 'unbound';
  announce(state, twin);
  answer(state, request, (message) => encodeConnectionId(message, connection.id));
  return undefined;
}

/**
 * Somebody has connected to a relayed address: a peer outside, or another edge for one of its own (RFC 6062 §5.3). The
 * client is told, and has to take it; one of the Microsoft dialect gets the data as they come.
 */
export function acceptConnection(
  state: RelayState,
  relay: Relay,
  address: string,
  port: number,
  now: Monotonic,
): Result<PeerConnection, TurnDrop> {
  const { allocation } = relay;
  if (relay.state !== 'bound' || allocation.expires <= now) return err('relay-closed');
  if (relay.transport !== 'tcp') return err('no-relayed-address');
  if (state.isRelayAddress(address)) return err('peer-claims-own-address');
  if (!allocation.hasPermission(address, now)) return err('peer-without-permission');
  if (allocation.connections.size >= state.limits.connectionsPerAllocation)
    return err('too-many-connections');
  const connection = openConnection(state, relay, address, port, now);
  if (connection.isCarried) beginCarrying(state, connection);
  else {
    connection.state = 'unbound';
    announce(state, connection);
  }
  return ok(connection);
}

/** ConnectionAttempt indication, RFC 6062 §5.3. */
function announce(state: RelayState, { allocation, id, address, port }: PeerConnection): void {
  writer.begin(
    state.sink.frame(64),
    Method.ConnectionAttempt,
    MessageClass.Indication,
    state.nextIndicationId(),
  );
  encodeConnectionId(writer, id);
  encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
  const { listener, clientAddress, clientPort } = allocation;
  state.sink.sendToClient(listener, clientAddress, clientPort, writer.buffer, 0, writer.length);
}

/**
 * ConnectionBind, RFC 6062 §5.4: from then on this connection of the client carries nothing but the peer's data.
 * @returns the refusal
 */
export function handleConnectionBind(state: RelayState, request: ProvenRequest): ErrorCode | undefined {
  const id = decodeConnectionId(request.message);
  const connection = id.ok ? state.connections.get(id.value) : undefined;
  if (connection?.state !== 'unbound' || !isStream(request.listener)) return ErrorCode.BadRequest;
  // Another user's connection is nobody's business, so that it is answered as if there were none.
  if (!sameAsText(request.proof.username, connection.allocation.username)) return ErrorCode.BadRequest;
  if (state.allocationsBy(request.listener.id).length > 0) return ErrorCode.BadRequest;
  connection.state = 'bound';
  connection.expires = Number.POSITIVE_INFINITY;
  answer(state, request, (message) => encodeConnectionId(message, connection.id));
  state.sink.bindConnection(connection, request.listener);
  return undefined;
}

/** The peer has taken the connection. */
export function finishConnect(state: RelayState, connection: PeerConnection, now: Monotonic): void {
  const { request } = connection;
  if (connection.state !== 'connecting') return;
  if (connection.isCarried) beginCarrying(state, connection);
  if (request === undefined) return;
  connection.state = 'unbound';
  connection.expires = now + PATIENCE_MS;
  connection.request = undefined;
  answer(state, request, (message) => encodeConnectionId(message, connection.id));
}

/** It is over: refused, lost, closed by either side. */
export function endConnection(state: RelayState, connection: PeerConnection, now: Monotonic): void {
  if (connection.state === 'closed') return;
  const { request } = connection;
  connection.state = 'closed';
  connection.request = undefined;
  state.connections.delete(connection.id);
  connection.allocation.removeConnection(connection);
  returnPort(state, connection, now);
  state.sink.closeConnection(connection);
  if (request !== undefined) refuse(state, request, ErrorCode.ConnectionTimeoutOrFailure);
  if (connection.twin !== undefined) endConnection(state, connection.twin, now);
}

/** Ends what has waited for too long. */
export function sweepConnections(state: RelayState, now: Monotonic): void {
  for (const connection of state.connections.values()) {
    if (connection.expires <= now) endConnection(state, connection, now);
  }
}

export function openConnection(
  state: RelayState,
  relay: Relay,
  address: string,
  port: number,
  now: Monotonic,
): PeerConnection {
  let id = readU32(state.random.bytes(4), 0);
  while (state.connections.has(id)) id = readU32(state.random.bytes(4), 0);
  const { allocation } = relay;
  const connection: PeerConnection = {
    id,
    allocation,
    relay,
    address,
    port,
    state: 'connecting',
    expires: now + PATIENCE_MS,
    request: undefined,
    twin: undefined,
    dial: { address, port, localPort: relay.port, opening: undefined },
    tunnelCookie: undefined,
    askedAgain: false,
    leasedPort: undefined,
    isCarried: allocation.ms !== undefined,
    pending: [],
    pendingBytes: 0,
    cutter: new Rfc4571Cutter(),
  };
  state.connections.set(id, connection);
  allocation.addConnection(connection);
  return connection;
}

/**
 * Counts octets on their way through a connection, and takes them from the bandwidth of port and user.
 * @returns milliseconds for which nothing more is to be read from where they came
 */
export function countStreamed(
  state: RelayState,
  { allocation }: PeerConnection,
  direction: 'sent' | 'received',
  octets: number,
  now: Monotonic,
): number {
  const { counters, limits } = state;
  const isSent = direction === 'sent';
  if (isSent) allocation.sentBytes += octets;
  else allocation.receivedBytes += octets;
  if (isSent) counters.sentBytes += octets;
  else counters.receivedBytes += octets;
  return takeOctets(isSent ? allocation.sentToll : allocation.receivedToll, octets, now, limits, true);
}

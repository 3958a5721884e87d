import type { Monotonic } from '#kernel';
import {
  decodeStun,
  EDGE_TUNNEL_MARK,
  type ErrorCode,
  familyOf,
  looksLikeChannelData,
  looksLikeMs,
  type MsErrorCode,
  MsFrameType,
} from '#protocols/stun';
import { failAllocate, finishAllocate } from './allocate.ts';
import type { Allocation } from './allocation.ts';
import { refillToll } from './bandwidth.ts';
import { type ChannelFlow, countFlowed, type Flowed, flowsOf } from './channel-flows.ts';
import type { CredentialVerifier } from './credential-verifier.ts';
import { deliverToClient, handleChannelData } from './data-path.ts';
import type { TurnDrop } from './drops.ts';
import { endAllocation, expireAllocation, liveAllocation } from './lifetimes.ts';
import { handleConnectionData } from './ms/ms-arrivals.ts';
import { handleMsData } from './ms/ms-data-path.ts';
import { handleMsControl } from './ms/ms-relay.ts';
import {
  acceptConnection,
  countStreamed,
  endConnection,
  finishConnect,
  type PeerConnection,
  sweepConnections,
} from './peer-connections.ts';
import type { PeerPolicy } from './peer-policy.ts';
import type { RelayPool } from './pool.ts';
import type { Relay } from './relay.ts';
import {
  defaultRelayLimits,
  defaultRelayTimes,
  type RelayLimits,
  type RelayTimes,
} from './relay-settings.ts';
import { type RelayCounters, RelayState, type RelayStateOptions } from './relay-state.ts';
import type { OpenedStream, TunnelSettings } from './tunnel/edge-tunnel.ts';
import { isStream, type TurnListener } from './turn-listener.ts';
import { handleTurnMessage } from './turn-messages.ts';

export interface TurnRelayOptions extends Omit<RelayStateOptions, 'limits' | 'times'> {
  /** The sockets that clients reach; their addresses are refused as peers. */
  readonly listeners: readonly TurnListener[];
  /** The tunnel to partners' edges; off when left out. */
  readonly tunnel?: TunnelSettings | null;
  /** What is left out has the value of `defaultRelayLimits`. */
  readonly limits?: Partial<RelayLimits>;
  readonly times?: Partial<RelayTimes>;
}

/** What may change while the relay runs. Existing allocations stay, and so do peers that the policy allows. */
export interface TurnRelaySettings {
  readonly realm: string;
  readonly verifier: CredentialVerifier;
  readonly policy: PeerPolicy;
  readonly pool: RelayPool;
  readonly limits: Partial<RelayLimits>;
  readonly times: Partial<RelayTimes>;
  /** The tunnel to partners' edges; null turns it off. */
  readonly tunnel: TunnelSettings | null;
  /** The UDP listeners of now, from which that tunnel leaves. */
  readonly listeners: readonly TurnListener[];
}

/**
 * A TURN server without sockets or timers (RFC 8656 for UDP clients, RFC 8489 Binding).
 *
 * In: `handle…` methods with bytes and `now`; `now` must not go back. Out: the `TurnSink`, called synchronously.
 * `handleTimeouts` is called about once a second; nothing outlives its time by a late call, it only takes up
 * room. Relayed addresses are always on `relayAddresses`, whichever face a client came by. A peer address that
 * is a relayed transport address allocated right now is reached inside, without a socket; its permissions decide.
 */
export class TurnRelay {
  readonly #state: RelayState;
  readonly #ownAddresses: readonly string[];

  constructor(options: TurnRelayOptions) {
    this.#ownAddresses = [
      ...options.listeners.map((listener) => listener.address),
      ...options.relayAddresses.flatMap((place) => [place.address, place.advertised ?? place.address]),
    ];
    this.#state = new RelayState({
      ...options,
      policy: options.policy.withOwnAddresses(this.#ownAddresses),
      limits: { ...defaultRelayLimits, ...options.limits },
      times: { ...defaultRelayTimes, ...options.times },
    });
    this.#state.tunnel.configure(options.tunnel ?? null);
    this.#state.tunnel.listeners = options.listeners;
  }

  /** One datagram, or one frame of a connection, from a client. `bytes` are only read during the call and what it calls in the sink. */
  handleClientDatagram(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    now: Monotonic,
  ): void {
    // In a stream that dialect has frames of its own, see handleMsFrame.
    if (listener.transport === 'udp' && looksLikeMs(bytes)) {
      this.#handleMsControl(listener, address, port, bytes, now);
      return;
    }
    const allocation = liveAllocation(this.#state, listener, address, port, now);
    if (allocation?.ms !== undefined) {
      handleMsData(this.#state, allocation, allocation.ms, bytes, now);
      return;
    }
    if (bytes[0] === EDGE_TUNNEL_MARK && listener.transport === 'udp') {
      this.#handleTunnelled(listener, address, port, bytes, now);
      return;
    }
    if (looksLikeChannelData(bytes[0] ?? 0)) {
      if (allocation === undefined) this.#state.drop('no-allocation');
      else handleChannelData(this.#state, allocation, bytes, now);
      return;
    }
    const decoded = decodeStun(bytes);
    if (!decoded.ok) {
      this.#state.drop(decoded.error);
      return;
    }
    handleTurnMessage(this.#state, { listener, address, port, message: decoded.value, now }, allocation);
  }

  /**
   * One frame of a connection in which the Microsoft dialect is spoken.
   * @returns false when the connection is to be closed ([MS-TURN] §3.1.10)
   */
  handleMsFrame(
    listener: TurnListener,
    address: string,
    port: number,
    type: MsFrameType,
    content: Uint8Array,
    now: Monotonic,
  ): boolean {
    if (type === MsFrameType.Control) {
      return looksLikeMs(content) && this.#handleMsControl(listener, address, port, content, now);
    }
    const allocation = liveAllocation(this.#state, listener, address, port, now);
    if (allocation?.ms === undefined) {
      this.#state.drop('no-allocation');
      return false;
    }
    handleMsData(this.#state, allocation, allocation.ms, content, now);
    return true;
  }

  /** A listener is gone, or the connection that it stands for: its allocations end. */
  handleListenerClosed(listener: TurnListener, now: Monotonic): void {
    for (const allocation of this.#state.allocationsBy(listener.id)) {
      endAllocation(
        this.#state,
        allocation,
        now,
        isStream(listener) ? 'connection-closed' : 'closed-by-operator',
      );
    }
  }

  /** One datagram from outside to a relayed transport address. */
  handlePeerDatagram(relay: Relay, address: string, port: number, bytes: Uint8Array, now: Monotonic): void {
    if (relay.state !== 'bound') {
      this.#state.drop('relay-closed');
      return;
    }
    // Own relays are switched inside; what comes from an own address by the network is made up.
    if (this.#state.isRelayAddress(address)) {
      this.#state.drop('peer-claims-own-address');
      return;
    }
    deliverToClient(this.#state, relay, address, port, bytes, 0, bytes.length, now);
  }

  /** The socket that the sink was asked to bind is bound. */
  handleRelayBound(relay: Relay, now: Monotonic): void {
    finishAllocate(this.#state, relay, now);
  }
  /** It cannot be bound. */
  handleRelayBindFailed(relay: Relay, now: Monotonic): void {
    failAllocate(this.#state, relay, now);
  }

  /** The peer that the sink was asked to connect to has taken the connection. */
  handlePeerConnected(connection: PeerConnection, now: Monotonic): void {
    finishConnect(this.#state, connection, now);
  }
  /** It has not, or the connection, or its client's, is over. */
  handlePeerConnectionClosed(connection: PeerConnection, now: Monotonic): void {
    endConnection(this.#state, connection, now);
  }
  /**
   * A peer outside has connected to a relayed address that listens (port row ext-11).
   * @returns the connection, from which nothing is to be read yet; undefined when it is to be closed
   */
  handlePeerConnection(
    relay: Relay,
    address: string,
    port: number,
    now: Monotonic,
  ): PeerConnection | undefined {
    const connection = acceptConnection(this.#state, relay, address, port, now);
    if (connection.ok) return connection.value;
    this.#state.drop(connection.error);
    return undefined;
  }
  /**
   * The first octets of a connection by which another organisation's edge reaches one of our relayed addresses.
   * @returns what to answer, and the connection, from which nothing is to be read yet; without one it is to be closed
   */
  handleTunnelOpening(address: string, opening: Uint8Array, now: Monotonic): Partial<OpenedStream> {
    const opened = this.#state.tunnel.handleOpening(this.#state, address, opening, now);
    if (opened.ok) return opened.value;
    this.#state.drop(opened.error);
    return {};
  }
  /**
   * The answer of another organisation's edge, whom the sink was asked to dial with an opening.
   * @returns whether the stream begins behind it; if not, the socket is to be closed without another word
   */
  handleTunnelAnswer(connection: PeerConnection, answer: Uint8Array, now: Monotonic): boolean {
    return this.#state.tunnel.handleStreamAnswer(this.#state, connection, answer, now);
  }
  /**
   * What a peer says on a connection that is carried in messages.
   * @returns milliseconds for which nothing more is to be read from it
   */
  handleConnectionData(connection: PeerConnection, bytes: Uint8Array, now: Monotonic): number {
    return handleConnectionData(this.#state, connection, bytes, now);
  }
  /**
   * Octets on their way through a connection: counted, and taken from the bandwidth of port and user.
   * @returns milliseconds for which nothing more is to be read from where they came
   */
  handleStreamed(
    connection: PeerConnection,
    direction: 'sent' | 'received',
    octets: number,
    now: Monotonic,
  ): number {
    return countStreamed(this.#state, connection, direction, octets, now);
  }

  /**
   * What may pass by the channels of an allocation without being brought here, as long as `TurnSink.rightsChanged` says
   * nothing else; what passed is told with `handleFlowed`.
   */
  flowsOf(allocation: Allocation): ChannelFlow[] {
    return flowsOf(this.#state, allocation);
  }
  /** The relayed address that a transport address, in either form, is right now. */
  relayAt(address: string, port: number): Relay | undefined {
    return this.#state.relayAt(address, port);
  }
  /** Data of an allocation that were not brought here, of one that has ended too. */
  handleFlowed(flowed: Flowed): void {
    countFlowed(this.#state, flowed);
  }

  /** Ends what is over and forgets what it held. */
  handleTimeouts(now: Monotonic): void {
    for (const allocation of this.#state.allocations) {
      if (allocation.expires <= now) expireAllocation(this.#state, allocation, now);
      else if (allocation.sweep(now)) this.#state.sink.rightsChanged(allocation);
    }
    sweepConnections(this.#state, now);
    this.#state.reservations.sweep(now);
    this.#state.tunnel.handleTimeouts(this.#state, now);
  }

  /** Has every budget refilled by the limits of now: who takes from them elsewhere knows no others. */
  refillBudgets(now: Monotonic): void {
    const { allocations, limits } = this.#state;
    for (const { sentToll, receivedToll } of allocations) {
      refillToll(sentToll, now, limits);
      refillToll(receivedToll, now, limits);
    }
  }

  /** Takes new settings into use; what is left out stays. */
  configure(settings: Partial<TurnRelaySettings>): void {
    const state = this.#state;
    if (settings.realm !== undefined) state.setRealm(settings.realm);
    if (settings.policy !== undefined) this.#takePolicy(settings.policy);
    state.pool = settings.pool ?? state.pool;
    state.verifier = settings.verifier ?? state.verifier;
    state.limits = { ...state.limits, ...settings.limits };
    state.times = { ...state.times, ...settings.times };
    if (settings.tunnel !== undefined) state.tunnel.configure(settings.tunnel);
    if (settings.listeners !== undefined) state.tunnel.listeners = settings.listeners;
  }
  /** A peer that the new policy refuses is cut off at once, not when its permission would have ended. */
  #takePolicy(policy: PeerPolicy): void {
    const state = this.#state;
    state.policy = policy.withOwnAddresses(this.#ownAddresses);
    for (const allocation of state.allocations) {
      allocation.revoke((address) => state.mayStay(address));
      state.sink.rightsChanged(allocation);
    }
    // A stream asks for no permission on its way: it ends with the next sweep.
    for (const connection of state.connections.values()) {
      if (!state.mayStay(connection.address)) connection.expires = 0;
    }
  }
  /** From now on new Allocates are sent to another edge of the pool, or answered 508; what exists goes on and may be refreshed. */
  drain(): void {
    this.#state.draining = true;
  }
  undrain(): void {
    this.#state.draining = false;
  }
  /** Ends one allocation. */
  close(allocation: Allocation, now: Monotonic): void {
    if (this.#state.allocations.has(allocation))
      endAllocation(this.#state, allocation, now, 'closed-by-operator');
  }
  closeAll(now: Monotonic): void {
    for (const allocation of this.#state.allocations)
      endAllocation(this.#state, allocation, now, 'closed-by-operator');
  }

  /** Allocations right now, those that wait for their socket too. */
  get allocations(): ReadonlySet<Allocation> {
    return this.#state.allocations;
  }
  get counters(): RelayCounters {
    return this.#state.counters;
  }
  /** Datagrams sent to and received from partners' edges through the tunnel. */
  get tunnelled(): { readonly sent: number; readonly received: number } {
    const { sent, received } = this.#state.tunnel;
    return { sent, received };
  }
  /** Datagrams ignored, by reason; every reason is there from the start. */
  get drops(): ReadonlyMap<TurnDrop, number> {
    return this.#state.drops;
  }
  /** Requests answered with an error, by code. */
  get refusals(): ReadonlyMap<ErrorCode | MsErrorCode, number> {
    return this.#state.refusals;
  }
  /** Ports of all relay addresses: taken (reserved ones too) and in all. */
  get ports(): { readonly taken: number; readonly size: number } {
    const { places } = this.#state;
    const sum = (value: (place: (typeof places)[number]) => number) =>
      places.reduce((total, place) => total + value(place), 0);
    return { taken: sum((place) => place.pool.taken), size: sum((place) => place.pool.size) };
  }

  #handleTunnelled(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    now: Monotonic,
  ): void {
    const state = this.#state;
    const reason = state.tunnel.handleDatagram(
      state,
      { listener, address, port, now },
      bytes,
      (relay, from, fromPort, data, start, at) =>
        deliverToClient(state, relay, from, fromPort, data, start, data.length, at),
    );
    if (reason !== undefined) state.drop(reason);
  }

  #handleMsControl(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    now: Monotonic,
  ): boolean {
    if (familyOf(address) !== 'ipv4') {
      this.#state.drop('ms-over-ipv6');
      return false;
    }
    const allocation = liveAllocation(this.#state, listener, address, port, now);
    return handleMsControl(this.#state, { listener, address, port }, bytes, now, allocation);
  }
}

import type { Socket } from 'node:dgram';
import type { Socket as TcpSocket } from 'node:net';
import type { Cancel, Clock, Random } from '#kernel';
import type { RelayDatagrams, RelayThreads } from '#platform/datagrams';
import type { HalfOpenConnection } from '#platform/net';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { ListenerPlan } from '#platform/topology';
import { type ErrorCode, type MsErrorCode, pseudoServerHello } from '#protocols/stun';
import {
  type Allocation,
  type AllocationEnd,
  type Face,
  newByteBudget,
  type PeerConnection,
  type RefusedRequest,
  type Relay,
  type TurnDrop,
  type TurnListener,
  TurnRelay,
  type TurnSink,
} from '#protocols/turn';
import { type ClientPath, UdpPath } from './client-path.ts';
import { FlowBook } from './flow-book.ts';
import { type Meters, publishDatagrams, publishRelay, TotalsPublisher } from './meters.ts';
import { MsStream, type TakeMsFrame } from './ms-stream.ts';
import { PeerLegs } from './peer-legs.ts';
import { RelayBinder, socketOf } from './relay-binder.ts';
import { relayDatagrams, relayedAddresses } from './relay-datagrams.ts';
import { RelayEvents } from './relay-events.ts';
import { RelayPorts } from './relay-ports.ts';
import { type Settings, samePlace } from './settings.ts';
import { StreamClient, type StreamHost } from './stream-client.ts';
import { StreamFront, type StreamKind, transportOf } from './stream-front.ts';
import { StunStream } from './stun-stream.ts';
import { readTunnelOpening } from './tunnel-arrival.ts';

const SWEEP_MS = 1000;

export interface RelayHostOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventStream;
  readonly meters: Meters;
  readonly settings: Settings;
  readonly listeners: readonly ListenerPlan[];
  /** Called once a second, after the sweep. */
  readonly swept: (host: RelayHost, now: number) => void;
  /** The bound sockets of a listener, one for each thread that relays. */
  readonly socketsOf: (plan: ListenerPlan) => readonly Socket[];
  /** Has the connections of a listener given to `take`. */
  readonly serverOf: (plan: ListenerPlan, take: (socket: TcpSocket) => void) => void;
}

/** Octets that may wait for one client of a stream. */
const STREAM_QUEUED_BYTES = 1 << 18;
/** What is spoken in streams. */
const kinds: ReadonlySet<StreamKind> = new Set(['stun', 'pseudo-tls', 'ms-framing', 'edge-tunnel']);

/** Gives one TurnRelay its sockets and its clock. Datagrams go straight through; nothing is decided here. */
export class RelayHost implements TurnSink {
  relay: TurnRelay;
  readonly #options: RelayHostOptions;
  readonly #events: RelayEvents;
  readonly #clock: Clock;
  readonly #datagrams: RelayDatagrams;
  /** Undefined where no thread but this one relays. */
  readonly #flows: FlowBook | undefined;
  /** UDP listeners by ListenerPlan.id. */
  readonly #listeners = new Map<string, UdpPath>();
  readonly #front: StreamFront;
  readonly #streams = new Set<StreamClient>();
  readonly #streamHost: StreamHost;
  readonly #legs: PeerLegs;
  readonly #ports: RelayPorts;
  readonly #binder: RelayBinder;
  #lastPath = 0;
  #settings: Settings;
  /** Of the relay's own totals, and of those of its sockets. */
  #relayPublisher = new TotalsPublisher();
  readonly #socketPublisher = new TotalsPublisher();
  #cancelSweep: Cancel;

  constructor(options: RelayHostOptions) {
    this.#options = options;
    this.#events = new RelayEvents(options.events);
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#datagrams = relayDatagrams(options);
    const { threads } = this.#datagrams;
    this.#flows = threads.count === 0 ? undefined : new FlowBook(this.#datagrams, () => this.relay);
    this.#streamHost = this.#makeStreamHost();
    this.#legs = new PeerLegs({
      clock: options.clock,
      dial: (connection) => this.#ports.dial(connection),
      connected: (connection) => this.relay.handlePeerConnected(connection, this.#clock.now()),
      answered: (connection, answer) => this.relay.handleTunnelAnswer(connection, answer, this.#clock.now()),
      closed: (connection) => this.relay.handlePeerConnectionClosed(connection, this.#clock.now()),
      arrived: (connection, chunk) => this.relay.handleConnectionData(connection, chunk, this.#clock.now()),
      streamed: (connection, direction, octets) =>
        this.relay.handleStreamed(connection, direction, octets, this.#clock.now()),
    });
    this.#ports = new RelayPorts((relay, socket) => this.#takePeer(relay, socket));
    this.#binder = new RelayBinder({
      ...options,
      peers: this.#datagrams.peers,
      ports: this.#ports,
      relay: () => this.relay,
      peersConnect: () => this.#settings.peersConnect,
    });
    this.#front = new StreamFront({
      ...options,
      kinds,
      settings: options.settings.streams,
      take: (connection, kind, face) => this.#takeStream(connection, kind, face),
    });
    this.#listen(options.listeners);
    this.relay = this.#makeRelay(options.settings);
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  /** What it runs on now. */
  get settings(): Settings {
    return this.#settings;
  }
  /** Relay sockets open right now. */
  get relaySockets(): number {
    return this.#datagrams.peers.open;
  }
  /** Threads that relay beside this one: none, as a rule. */
  get threads(): RelayThreads {
    return this.#datagrams.threads;
  }
  /** Connections of clients, those that have not yet shown what they speak too. */
  get streams(): number {
    return this.#front.open;
  }
  /** Directions of channels that they have taken over. */
  get flows(): number {
    return this.#datagrams.flows.size;
  }
  /** Totals of both kinds of sockets, for the operator. */
  get datagrams() {
    const { clients, peers } = this.#datagrams;
    return { clients: clients.counters, peers: peers.counters };
  }

  /**
   * Takes a new document into use. Allocations stay, but for those of listeners that it no longer has, and for all
   * when it moves the relayed addresses.
   */
  reconfigure(settings: Settings, listeners: readonly ListenerPlan[]): void {
    const stays = samePlace(this.#settings.place, settings.place);
    this.#settings = settings;
    if (!stays) {
      this.#endAll();
      this.#datagrams.expect(relayedAddresses(settings));
    }
    if (!settings.peersConnect) this.#ports.closeAll();
    this.#front.reconfigure(settings.streams);
    this.#listen(listeners);
    if (stays) {
      this.relay.configure({ ...settings, listeners: [...this.#listeners.values()] });
      if (this.#flows !== undefined) this.relay.refillBudgets(this.#clock.now());
    } else this.relay = this.#makeRelay(settings);
  }

  async close(): Promise<void> {
    this.#cancelSweep();
    this.relay.closeAll(this.#clock.now());
    this.#ports.closeAll();
    this.publish();
    await Promise.all([this.#datagrams.close(), this.#front.close()]);
  }

  /** Brings what the relay knows of data that threads have relayed up to date. */
  settle(): void {
    this.#flows?.settle();
  }
  /** Brings the metrics up to date. */
  publish(): void {
    this.settle();
    const { meters } = this.#options;
    publishRelay(this.#relayPublisher, meters, this.relay);
    const { clients, peers } = this.datagrams;
    publishDatagrams(this.#socketPublisher, meters, 'clients', clients);
    publishDatagrams(this.#socketPublisher, meters, 'peers', peers);
  }

  #endAll(): void {
    const allocations = this.relay.allocations.size;
    if (allocations > 0) {
      this.#options.log.warn('relay addresses changed, allocations end', {
        code: 'SLP-AV-0206',
        allocations,
      });
    }
    this.relay.closeAll(this.#clock.now());
    this.publish();
    this.#relayPublisher = new TotalsPublisher();
  }

  #makeRelay(settings: Settings): TurnRelay {
    const { random } = this.#options;
    return new TurnRelay({
      listeners: [...this.#listeners.values()],
      relayAddresses: settings.place.addresses,
      ports: settings.place.ports,
      realm: settings.realm,
      verifier: settings.verifier,
      policy: settings.policy,
      pool: settings.pool,
      limits: settings.limits,
      times: settings.times,
      tunnel: settings.tunnel,
      random,
      wall: () => this.#clock.wall(),
      sink: this,
      newBudget: (rate) => this.#flows?.newBudget(rate) ?? newByteBudget(),
    });
  }

  frame(size: number): Uint8Array {
    return this.#datagrams.clients.frame(size);
  }

  sendToClient(
    listener: TurnListener,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    whole = false,
  ): void {
    if (this.#events.wants(bytes, start)) {
      this.#events.message('out', listener, { address, port }, bytes, start, end);
    }
    // Every listener that the relay knows was given to it by us.
    (listener as ClientPath).send(bytes, start, end, address, port, whole);
  }

  sendToPeer(
    relay: Relay,
    address: string,
    port: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    socketOf(relay)?.send(bytes, start, end, address, port);
  }

  paceClient(listener: TurnListener, milliseconds: number): void {
    if (listener instanceof StreamClient) listener.pace(milliseconds);
  }
  holdClient(listener: TurnListener, receiver: TurnListener): void {
    if (listener instanceof StreamClient && receiver instanceof StreamClient) listener.holdFor(receiver);
  }

  bindRelay(relay: Relay): void {
    this.#binder.bind(relay);
  }
  closeRelay(relay: Relay): void {
    this.#binder.close(relay);
  }

  connectPeer(connection: PeerConnection): void {
    this.#legs.connect(connection);
  }
  bindConnection(connection: PeerConnection, listener: TurnListener): void {
    if (listener instanceof StreamClient) this.#legs.bind(connection, listener);
  }
  writeToPeer(connection: PeerConnection, bytes: Uint8Array): void {
    this.#legs.write(connection, Buffer.from(bytes));
  }
  closeConnection(connection: PeerConnection): void {
    this.#legs.close(connection);
  }

  drop(reason: TurnDrop, count: number): void {
    this.#options.meters.drops.inc(reason, count);
    this.#events.ignored(reason);
  }

  refused(request: RefusedRequest, code: ErrorCode | MsErrorCode): void {
    this.#events.refused(request, code);
  }

  rightsChanged(allocation: Allocation): void {
    this.#flows?.handleRights(allocation);
  }
  allocationOpened(allocation: Allocation): void {
    const { listener } = allocation;
    this.#options.meters.opened.inc(listener.face);
    this.#options.meters.openedOver.inc(listener.transport);
    if (listener instanceof StreamClient) listener.allocationOpened();
    this.#events.opened(allocation);
  }

  allocationClosed(allocation: Allocation, reason: AllocationEnd): void {
    this.#options.meters.closed.inc(reason);
    if (allocation.listener instanceof StreamClient) allocation.listener.allocationClosed();
    this.#events.closed(allocation, reason);
  }

  /** Opens the listeners of the plan that are new, and ends the allocations of those that it no longer has. */
  #listen(plans: readonly ListenerPlan[]): void {
    const planned = new Set(plans.map((plan) => plan.id));
    for (const [id, path] of this.#listeners) {
      if (planned.has(id)) continue;
      this.relay.handleListenerClosed(path, this.#clock.now());
      path.socket?.close();
      this.#listeners.delete(id);
    }
    for (const plan of plans) {
      if (plan.transport === 'tcp') {
        this.#options.serverOf(plan, (socket) => this.#front.handle(plan, socket));
      } else if (!this.#listeners.has(plan.id)) this.#listeners.set(plan.id, this.#openUdp(plan));
    }
  }

  #openUdp(plan: ListenerPlan): UdpPath {
    const path = new UdpPath(plan, ++this.#lastPath);
    path.socket = this.#datagrams.listen(this.#options.socketsOf(plan), (bytes, address, port) =>
      this.#handleDatagram(path, address, port, bytes),
    );
    return path;
  }

  #handleDatagram(path: ClientPath, address: string, port: number, bytes: Uint8Array): void {
    if (this.#events.wants(bytes, 0)) {
      this.#events.message('in', path, { address, port }, bytes, 0, bytes.length);
    }
    this.relay.handleClientDatagram(path, address, port, bytes, this.#clock.now());
  }

  /** A peer outside has connected to a relayed address that listens. */
  #takePeer(relay: Relay, socket: TcpSocket): void {
    const address = socket.remoteAddress;
    const connection =
      address === undefined
        ? undefined
        : this.relay.handlePeerConnection(relay, address, socket.remotePort ?? 0, this.#clock.now());
    if (connection === undefined) socket.destroy();
    else this.#legs.accept(connection, socket);
  }

  /** Another organisation's edge has a stream for one of our relayed addresses. */
  #takeTunnel(connection: HalfOpenConnection): void {
    readTunnelOpening(connection, {
      clock: this.#clock,
      patienceMs: this.#settings.streams.openingMs,
      take: (opening, rest) => {
        const { address } = connection.remote;
        const opened = this.relay.handleTunnelOpening(address, opening, this.#clock.now());
        if (opened.answer !== undefined) connection.write(opened.answer);
        if (opened.connection === undefined) connection.end();
        else this.#legs.adopt(opened.connection, connection, rest);
      },
    });
  }

  #takeStream(connection: HalfOpenConnection, kind: StreamKind, face: Face): void {
    if (kind === 'edge-tunnel') {
      this.#takeTunnel(connection);
      return;
    }
    const transport = transportOf(kind, connection.tls !== undefined);
    const client = new StreamClient(this.#streamHost, connection, { id: ++this.#lastPath, face, transport });
    const { address, port } = connection.remote;
    this.#streams.add(client);
    this.#options.meters.streams.inc(transport);
    if (kind === 'stun') {
      client.speak(new StunStream((frame) => this.#handleDatagram(client, address, port, frame)));
      return;
    }
    const take: TakeMsFrame = (type, content) => {
      this.#events.message('in', client, client.connection.remote, content, 0, content.length);
      return this.relay.handleMsFrame(client, address, port, type, content, this.#clock.now());
    };
    const greet = () => void connection.write(pseudoServerHello(this.#options.random.bytes(64)));
    client.speak(kind === 'pseudo-tls' ? new MsStream(take, greet) : new MsStream(take));
  }

  #makeStreamHost(): StreamHost {
    const { meters } = this.#options;
    return {
      clock: this.#clock,
      paced: () => meters.paced.inc(),
      queuedBytes: STREAM_QUEUED_BYTES,
      queueFull: () => meters.queueFull.inc('clients'),
      fault: (fault) => meters.streamFaults.inc(fault),
      closed: (client) => {
        this.#streams.delete(client);
        this.relay.handleListenerClosed(client, this.#clock.now());
      },
    };
  }

  #sweep(): void {
    const now = this.#clock.now();
    this.relay.handleTimeouts(now);
    for (const client of this.#streams) client.sweep(now);
    this.publish();
    this.#options.swept(this, now);
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep());
  }
}

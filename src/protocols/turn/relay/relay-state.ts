import type { Monotonic, Random, WallTime } from '#kernel';
import {
  type AddressFamily,
  type ErrorCode,
  familyOf,
  type MsErrorCode,
  octetsAsText,
  readU32,
} from '#protocols/stun';
import type { PendingAllocate } from './allocate.ts';
import { Allocation } from './allocation.ts';
import { AnswerBudget } from './answer-budget.ts';
import type { EarlierProof } from './authentication.ts';
import { type NewBudget, newByteBudget, rateOf, UserAccount } from './bandwidth.ts';
import type { CredentialVerifier } from './credential-verifier.ts';
import { type TurnDrop, turnDrops } from './drops.ts';
import type { MsSession } from './ms/ms-session.ts';
import { Nonces } from './nonces.ts';
import { endConnection, type PeerConnection } from './peer-connections.ts';
import { judgePeer, type PeerPolicy, type PeerVerdict } from './peer-policy.ts';
import { noPool, type RelayPool } from './pool.ts';
import { PortPool } from './port-pool.ts';
import { Relay } from './relay.ts';
import type { RelayAddress, RelayLimits, RelayTimes } from './relay-settings.ts';
import { Reservations } from './reservations.ts';
import { EdgeTunnel } from './tunnel/edge-tunnel.ts';
import { isStream, type TurnListener } from './turn-listener.ts';
import type { Proof } from './turn-request.ts';
import type { AllocationEnd, RefusedRequest, TurnSink } from './turn-sink.ts';

/** What a TurnRelay is made of and with. */
export interface RelayStateOptions {
  readonly relayAddresses: readonly RelayAddress[];
  readonly ports: { readonly first: number; readonly last: number };
  readonly realm: string;
  readonly verifier: CredentialVerifier;
  readonly policy: PeerPolicy;
  /** None when left out. */
  readonly pool?: RelayPool;
  readonly random: Random;
  readonly wall: () => WallTime;
  readonly sink: TurnSink;
  readonly limits: RelayLimits;
  readonly times: RelayTimes;
  /** What bandwidth is counted by; for this relay alone when left out. */
  readonly newBudget?: NewBudget;
}

/** What of an Allocate makes an allocation, whichever dialect it came in. */
export interface Opening {
  readonly listener: TurnListener;
  readonly address: string;
  readonly port: number;
  readonly message: { readonly transactionId: Uint8Array };
  readonly now: Monotonic;
  readonly proof: Proof;
  readonly earlier?: EarlierProof | undefined;
}

/** One relay address with its ports. */
export interface RelayPlace {
  readonly family: AddressFamily;
  readonly address: string;
  readonly advertised: string;
  readonly pool: PortPool;
}

/** Totals since the start, of allocations that ended too. */
export interface RelayCounters {
  /** From clients to peers, application data only. */
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** From peers to clients. */
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  /** Of those sent, handed to another allocation without a socket. */
  readonly switchedPackets: number;
  readonly allocationsOpened: number;
  /** Renewals of lifetimes, in either dialect. */
  readonly renewals: number;
  /** Of those sent, without a message around them (Microsoft dialect, after Set Active Destination). */
  readonly rawPackets: number;
  /** Requests with a credential that was not good, in either dialect; those without any are none. */
  readonly authenticationFailures: number;
}

/** Those of one listener and port: hardly ever more than one. */
type Clients = Allocation | Map<string, Allocation>;

type MutableCounters = { -readonly [name in keyof RelayCounters]: number };

/** The tables of a TurnRelay and the ways to change them. The request handlers work on this. */
export class RelayState {
  realm = '';
  realmOctets = new Uint8Array(0);
  verifier: CredentialVerifier;
  policy: PeerPolicy;
  pool: RelayPool;
  limits: RelayLimits;
  times: RelayTimes;
  draining = false;
  readonly sink: TurnSink;
  readonly random: Random;
  readonly wall: () => WallTime;
  readonly nonces: Nonces;
  readonly budget: AnswerBudget;
  readonly reservations: Reservations;
  readonly tunnel: EdgeTunnel;
  readonly places: readonly RelayPlace[];
  readonly counters: MutableCounters = {
    sentPackets: 0,
    sentBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    switchedPackets: 0,
    allocationsOpened: 0,
    renewals: 0,
    rawPackets: 0,
    authenticationFailures: 0,
  };
  readonly drops = new Map<TurnDrop, number>(turnDrops.map((reason) => [reason, 0]));
  readonly refusals = new Map<ErrorCode | MsErrorCode, number>();
  readonly allocations = new Set<Allocation>();
  /** TCP connections with peers, by CONNECTION-ID. */
  readonly connections = new Map<number, PeerConnection>();
  /** Allocates that wait for their socket, by the relay's id. */
  readonly binding = new Map<number, PendingAllocate>();
  /** Listener id to client port to the one client of that port, or to all of them by address. */
  readonly #fiveTuples = new Map<number, Map<number, Clients>>();
  /** Relay address, bound and advertised form, to port. */
  readonly #relays = new Map<string, Map<number, Relay>>();
  /** Every address in `#relays`. */
  readonly #ownForms: readonly string[];
  /** Relay address as bound to its advertised form. */
  readonly #advertised = new Map<string, string>();
  readonly #accounts = new Map<string, UserAccount>();
  readonly #ofAddress = new Map<string, number>();
  readonly #newBudget: NewBudget;
  readonly #ports: { readonly first: number; readonly last: number };
  readonly #indicationId: Uint8Array;
  #lastId = 0;

  constructor(options: RelayStateOptions) {
    this.setRealm(options.realm);
    this.#newBudget = options.newBudget ?? newByteBudget;
    this.verifier = options.verifier;
    this.policy = options.policy;
    this.pool = options.pool ?? noPool;
    this.#ports = options.ports;
    this.limits = options.limits;
    this.times = options.times;
    this.sink = options.sink;
    this.random = options.random;
    this.wall = options.wall;
    this.nonces = new Nonces(options.random.bytes(32));
    this.budget = new AnswerBudget(readU32(options.random.bytes(4), 0), options.limits.unprovenAnswerBurst);
    this.places = options.relayAddresses.map((place) => this.#addPlace(place, options));
    this.#ownForms = [...this.#relays.keys()];
    this.reservations = new Reservations(options.random);
    this.tunnel = new EdgeTunnel(options.random);
    this.#indicationId = options.random.bytes(12);
  }
  setRealm(realm: string): void {
    const octets = Buffer.from(realm, 'utf8');
    if (octets.length === 0 || octets.length > 256) throw new RangeError('a realm has 1 to 256 octets');
    this.realm = realm;
    this.realmOctets = octets;
  }
  drop(reason: TurnDrop, count = 1): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + count);
    this.sink.drop(reason, count);
  }
  refused(request: RefusedRequest, code: ErrorCode | MsErrorCode): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    this.sink.refused(request, code);
  }
  find(listener: number, address: string, port: number): Allocation | undefined {
    const clients = this.#fiveTuples.get(listener)?.get(port);
    if (clients === undefined) return undefined;
    if (clients instanceof Map) return clients.get(address);
    return clients.clientAddress === address ? clients : undefined;
  }
  /** Allocations whose clients come by this listener. */
  allocationsBy(listener: number): Allocation[] {
    const ports = [...(this.#fiveTuples.get(listener)?.values() ?? [])];
    return ports.flatMap((clients) => (clients instanceof Map ? [...clients.values()] : [clients]));
  }
  place(family: AddressFamily): RelayPlace | undefined {
    return this.places.find((place) => place.family === family);
  }
  allocationsOfUser(user: string): number {
    return this.#accounts.get(user)?.allocations ?? 0;
  }
  allocationsOfAddress(address: string): number {
    return this.#ofAddress.get(address) ?? 0;
  }
  /** Whether an address is one of the relay's own, in either form. */
  isRelayAddress(address: string): boolean {
    // Asked for every datagram from outside: two or four texts are compared sooner than one is hashed.
    return this.#ownForms.includes(address);
  }
  /** The relay that a transport address (either form) belongs to right now. */
  relayAt(address: string, port: number): Relay | undefined {
    const relay = this.#relays.get(address)?.get(port);
    return relay?.state === 'bound' ? relay : undefined;
  }
  /** The form in which a peer address is kept and shown: own relay addresses as advertised. */
  peerForm(address: string): string {
    return this.#advertised.get(address) ?? address;
  }
  /** Whether media may go to a port: well-known ones are other services', and so are most of another edge's. */
  allowsPort(address: string, port: number): boolean {
    if (this.pool.relayAddresses.has(address)) return port >= this.#ports.first && port <= this.#ports.last;
    return port >= this.limits.lowestPeerPort || port === 443;
  }
  /** May this transport address be a peer: the policy, but relayed addresses allocated right now are allowed. */
  judge(address: string, port: number): PeerVerdict {
    if (this.isRelayAddress(address)) return this.relayAt(address, port) ? 'allowed' : 'own-address';
    if (this.pool.relayAddresses.has(address))
      return this.allowsPort(address, port) ? 'allowed' : 'own-address';
    return judgePeer(this.policy, address);
  }
  /** Whether what was given to a peer address earlier is still to be had by the policy of now. */
  mayStay(address: string): boolean {
    const relayed = this.isRelayAddress(address) || this.pool.relayAddresses.has(address);
    return relayed || judgePeer(this.policy, address) === 'allowed';
  }
  /** A transaction id for an indication: a random start, then counted on, since nobody answers them. */
  nextIndicationId(): Uint8Array {
    const id = this.#indicationId;
    for (let at = id.length - 1; at >= 0; at--) {
      const next = ((id[at] ?? 0) + 1) & 0xff;
      id[at] = next;
      if (next !== 0) break;
    }
    return id;
  }
  /** Enters an allocation that has no relayed address yet, for `lifetime` seconds at most. */
  open(request: Opening, lifetime: number, ms?: MsSession): Allocation {
    const { listener, address, now, proof } = request;
    const account = this.#accounts.get(proof.user) ?? new UserAccount(this.#newBudget, this.limits);
    const allocation = new Allocation(
      ++this.#lastId,
      { listener, address, port: request.port },
      {
        username: request.earlier?.username ?? octetsAsText(proof.username),
        user: proof.user,
        account,
        credentialEnds: proof.ends,
      },
      {
        opened: now,
        expires: now + lifetime * 1000,
        transactionId: octetsAsText(request.message.transactionId),
      },
      () => this.#newBudget(rateOf(this.limits.portKilobits, this.limits)),
      ms,
    );
    this.allocations.add(allocation);
    this.#enter(allocation);
    account.allocations++;
    this.#accounts.set(proof.user, account);
    this.#ofAddress.set(address, this.allocationsOfAddress(address) + 1);
    return allocation;
  }
  /** Gives the allocation a relayed address on a port that is taken from the place's pool already. */
  addRelay(allocation: Allocation, place: RelayPlace, port: number): Relay {
    const { address, advertised, family } = place;
    // [MS-TURN]: the allocated address has the transport of the connection by which it was asked for.
    const byConnection = allocation.ms !== undefined && isStream(allocation.listener);
    const transport = byConnection || allocation.isTcp ? 'tcp' : 'udp';
    const relay = new Relay(++this.#lastId, family, { address, advertised, port, transport }, allocation);
    allocation.relays = [...allocation.relays, relay];
    this.#relays.get(address)?.set(port, relay);
    this.#relays.get(advertised)?.set(port, relay);
    return relay;
  }
  /** Takes a relayed address away; its socket is closed and its port rests. */
  removeRelay(relay: Relay, now: Monotonic): void {
    relay.state = 'closed';
    const { allocation } = relay;
    allocation.relays = allocation.relays.filter((other) => other !== relay);
    this.#relays.get(relay.address)?.delete(relay.port);
    this.#relays.get(relay.advertised)?.delete(relay.port);
    this.place(relay.family)?.pool.release(relay.port, now, this.times.portRest * 1000);
  }
  /** Ends an allocation that was answered with success. */
  close(allocation: Allocation, now: Monotonic, reason: AllocationEnd): void {
    this.forget(allocation, now);
    this.sink.allocationClosed(allocation, reason);
  }
  /** Takes an allocation out of every table and closes its sockets. */
  forget(allocation: Allocation, now: Monotonic): void {
    this.allocations.delete(allocation);
    for (const connection of allocation.connections) endConnection(this, connection, now);
    const { clientAddress, user } = allocation;
    this.#leave(allocation);
    this.sink.rightsChanged(allocation);
    this.#releaseBudgets(allocation, user);
    countDown(this.#ofAddress, clientAddress);
    for (const relay of allocation.relays) {
      const pending = this.binding.get(relay.id);
      this.binding.delete(relay.id);
      if (pending?.sibling !== undefined) pending.place.pool.release(pending.sibling, now);
      this.removeRelay(relay, now);
      this.sink.closeRelay(relay);
    }
  }
  #releaseBudgets({ account, sentToll, receivedToll }: Allocation, user: string): void {
    sentToll.port.release();
    receivedToll.port.release();
    account.allocations -= 1;
    if (account.allocations > 0) return;
    this.#accounts.delete(user);
    account.sent.release();
    account.received.release();
  }
  #enter(allocation: Allocation): void {
    const { listener, clientAddress, clientPort } = allocation;
    const ports = this.#fiveTuples.get(listener.id) ?? new Map<number, Clients>();
    this.#fiveTuples.set(listener.id, ports);
    const others = ports.get(clientPort);
    if (others === undefined) ports.set(clientPort, allocation);
    else if (others instanceof Map) others.set(clientAddress, allocation);
    else {
      const both = [others, allocation].map((one) => [one.clientAddress, one] as const);
      ports.set(clientPort, new Map(both));
    }
  }
  #leave({ listener, clientAddress, clientPort }: Allocation): void {
    const ports = this.#fiveTuples.get(listener.id);
    const clients = ports?.get(clientPort);
    if (clients instanceof Map) clients.delete(clientAddress);
    if (!(clients instanceof Map) || clients.size === 0) ports?.delete(clientPort);
    if (ports?.size === 0) this.#fiveTuples.delete(listener.id);
  }
  #addPlace(place: RelayAddress, options: RelayStateOptions): RelayPlace {
    const { address, advertised = address } = place;
    this.#relays.set(address, new Map());
    this.#relays.set(advertised, this.#relays.get(advertised) ?? new Map());
    this.#advertised.set(address, advertised);
    const pool = new PortPool(options.ports.first, options.ports.last, options.random);
    return { family: familyOf(address), address, advertised, pool };
  }
}

function countDown(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

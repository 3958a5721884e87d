import type { Monotonic } from '#kernel';
import type { AddressFamily } from '#protocols/stun';
import type { EarlierProof } from './authentication.ts';
import type { Budget, Toll, UserAccount } from './bandwidth.ts';
import type { MsSession } from './ms/ms-session.ts';
import type { PeerConnection } from './peer-connections.ts';
import type { Relay } from './relay.ts';
import type { TurnListener } from './turn-listener.ts';

/** RFC 8656 §12: a number that stands for one peer. */
export interface Channel {
  readonly number: number;
  /** The peer, canonical; own relayed addresses in their advertised form. */
  readonly address: string;
  readonly port: number;
  /** The peer is an address of this relay: data are switched inside, or dropped. */
  readonly own: boolean;
  readonly relay: Relay;
  expires: Monotonic;
}

/** A peer address, with what its client has of it. */
interface Peer {
  readonly address: string;
  /** End of the permission, RFC 8656 §9; undefined without one. */
  permitted: Monotonic | undefined;
  channels: readonly Channel[];
}

/** Data relayed for an allocation, as seen by its client. */
export interface AllocationCounters {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
}

/** Who opened an allocation, as its request proved it. */
export interface AllocationOwner {
  /** USERNAME, one octet a character. */
  readonly username: string;
  readonly user: string;
  readonly account: UserAccount;
  /** End of the credential, on the monotonic clock. */
  readonly credentialEnds: Monotonic;
}

/** How it came to be. */
export interface AllocationOpening {
  readonly opened: Monotonic;
  readonly expires: Monotonic;
  readonly transactionId: string;
}

const noChannels: readonly Channel[] = [];
const none: ReadonlySet<PeerConnection> = new Set();

/**
 * An allocation of RFC 8656 §3.2: the 5-tuple (listener and client), its relayed address, permissions and
 * channels. Whatever has a time limit is compared with `now` when it is used, so that a late sweep lets nothing
 * live longer than it should.
 */
export class Allocation {
  readonly id: number;
  readonly listener: TurnListener;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** As its request had it, one octet a character. */
  readonly username: string;
  /** Whose quota it counts against. Not for logs in clear. */
  readonly user: string;
  readonly account: UserAccount;
  /** What its data pass on the way to peers, and to the client. */
  readonly sentToll: Toll;
  readonly receivedToll: Toll;
  readonly opened: Monotonic;
  /** Replaced as a whole, as the lists below are: a list that grows takes room for sixteen more. */
  relays: readonly Relay[] = [];
  /** Earlier of the granted lifetime's and the credential's end. */
  expires: Monotonic;
  credentialEnds: Monotonic;
  /** Of the Allocate that made it, to know its retransmissions by; one octet a character. */
  readonly transactionId: string;
  /** The answer to that Allocate, a character an octet, for its retransmissions; undefined while the relayed address is being bound. */
  answer: string | undefined;
  /** Present when the client speaks the Microsoft dialect. */
  readonly ms: MsSession | undefined;
  /** What its requests have proved so far. */
  earlier: EarlierProof | undefined;
  /** Its relayed addresses are of TCP (RFC 6062): connections instead of channels and indications. */
  isTcp = false;
  /** Set when there is the first one. */
  #connections: Set<PeerConnection> | undefined;
  sentPackets = 0;
  sentBytes = 0;
  receivedPackets = 0;
  receivedBytes = 0;
  /** By IP address, canonical. */
  readonly #peers = new Map<string, Peer>();
  /** The one that was looked up last: nearly always the one that is asked for. */
  #latest: Peer | undefined;
  /** Few: a list is found through as quickly as a table, and takes less room. */
  #channels: readonly Channel[] = [];
  #permissions = 0;

  constructor(
    id: number,
    client: { readonly listener: TurnListener; readonly address: string; readonly port: number },
    owner: AllocationOwner,
    opening: AllocationOpening,
    newBudget: () => Budget,
    ms?: MsSession,
  ) {
    this.ms = ms;
    this.id = id;
    this.listener = client.listener;
    this.clientAddress = client.address;
    this.clientPort = client.port;
    this.username = owner.username;
    this.user = owner.user;
    this.account = owner.account;
    this.sentToll = { port: newBudget(), user: owner.account.sent };
    this.receivedToll = { port: newBudget(), user: owner.account.received };
    this.credentialEnds = owner.credentialEnds;
    this.opened = opening.opened;
    this.expires = opening.expires;
    this.transactionId = opening.transactionId;
  }
  /** TCP connections with its peers. */
  get connections(): ReadonlySet<PeerConnection> {
    return this.#connections ?? none;
  }
  addConnection(connection: PeerConnection): void {
    this.#connections ??= new Set();
    this.#connections.add(connection);
  }
  removeConnection(connection: PeerConnection): void {
    this.#connections?.delete(connection);
  }
  /** The relayed address of a family. */
  relay(family: AddressFamily): Relay | undefined {
    for (const relay of this.relays) if (relay.family === family) return relay;
    return undefined;
  }
  get permissionCount(): number {
    return this.#permissions;
  }
  get channelCount(): number {
    return this.#channels.length;
  }
  get channels(): readonly Channel[] {
    return this.#channels;
  }
  hasPermission(address: string, now: Monotonic): boolean {
    return this.permittedUntil(address) > now;
  }
  /** End of the permission for an address, which may be over; 0 without one. */
  permittedUntil(address: string): Monotonic {
    return this.#peer(address)?.permitted ?? 0;
  }
  /** Whether the address already takes up room, expired or not. */
  knowsPermission(address: string): boolean {
    return this.#peer(address)?.permitted !== undefined;
  }
  permit(address: string, expires: Monotonic): void {
    const peer = this.#peerToBe(address);
    if (peer.permitted === undefined) this.#permissions += 1;
    peer.permitted = expires;
  }
  /** The channel of a number, if it is still bound. */
  channel(number: number, now: Monotonic): Channel | undefined {
    for (const channel of this.#channels) {
      if (channel.number === number) return channel.expires > now ? channel : undefined;
    }
    return undefined;
  }
  /** The channel bound to a peer, if it is still bound. */
  channelTo(address: string, port: number, now: Monotonic): Channel | undefined {
    const channels = this.#peer(address)?.channels;
    if (channels === undefined) return undefined;
    for (const channel of channels) {
      if (channel.port === port) return channel.expires > now ? channel : undefined;
    }
    return undefined;
  }
  /** Adds a channel whose number and peer are both free, or belong to channels whose time is over. */
  rebind(channel: Channel): void {
    const { number, address, port } = channel;
    const isOld = (other: Channel) =>
      other.number === number || (other.port === port && other.address === address);
    if (this.#channels.length > 0) for (const old of this.#channels.filter(isOld)) this.#unbind(old);
    this.#channels = [...this.#channels, channel];
    const peer = this.#peerToBe(address);
    peer.channels = [...peer.channels, channel];
  }
  /** Forgets permissions and channels whose time is over. @returns whether there were any */
  sweep(now: Monotonic): boolean {
    let isLess = false;
    for (const peer of this.#peers.values()) {
      if (peer.permitted === undefined || peer.permitted > now) continue;
      this.#forbid(peer);
      isLess = true;
    }
    return this.#unbindEvery((channel) => channel.expires <= now) || isLess;
  }
  /** Takes a relayed address's channels away. */
  unbindAll(relay: Relay): void {
    this.#unbindEvery((channel) => channel.relay === relay);
  }
  /** Takes permissions and channels away from every peer address that is not kept. */
  revoke(keep: (address: string) => boolean): void {
    for (const peer of this.#peers.values()) {
      if (peer.permitted !== undefined && !keep(peer.address)) this.#forbid(peer);
    }
    this.#unbindEvery((channel) => !keep(channel.address));
  }
  #peer(address: string): Peer | undefined {
    if (this.#latest?.address === address) return this.#latest;
    const peer = this.#peers.get(address);
    if (peer !== undefined) this.#latest = peer;
    return peer;
  }
  #peerToBe(address: string): Peer {
    const known = this.#peer(address);
    if (known !== undefined) return known;
    const peer: Peer = { address, permitted: undefined, channels: noChannels };
    this.#peers.set(address, peer);
    return peer;
  }
  #forbid(peer: Peer): void {
    peer.permitted = undefined;
    this.#permissions -= 1;
    this.#forget(peer);
  }
  #unbindEvery(isOver: (channel: Channel) => boolean): boolean {
    // Asked for every allocation once a second, and nearly always in vain.
    if (!this.#channels.some(isOver)) return false;
    for (const over of this.#channels.filter(isOver)) this.#unbind(over);
    return true;
  }
  #unbind(channel: Channel): void {
    this.#channels = this.#channels.filter((other) => other !== channel);
    const peer = this.#peers.get(channel.address);
    if (peer === undefined) return;
    peer.channels = peer.channels.filter((other) => other !== channel);
    this.#forget(peer);
  }
  /** Unless there is something left of it. */
  #forget(peer: Peer): void {
    if (peer.permitted !== undefined || peer.channels.length > 0) return;
    this.#peers.delete(peer.address);
    if (this.#latest === peer) this.#latest = undefined;
  }
}

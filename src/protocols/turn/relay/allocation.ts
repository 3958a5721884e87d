import type { Monotonic } from '#kernel';
import type { AddressFamily } from '#protocols/stun';
import type { EarlierProof } from './authentication.ts';
import { ByteBudget, type Toll, type UserAccount } from './bandwidth.ts';
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

/** Data relayed for an allocation, as seen by its client. */
export interface AllocationCounters {
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly receivedBytes: number;
}

/** Who opened an allocation, as its request proved it. */
export interface AllocationOwner {
  /** USERNAME, a copy. */
  readonly username: Uint8Array;
  readonly user: string;
  readonly account: UserAccount;
  /** End of the credential, on the monotonic clock. */
  readonly credentialEnds: Monotonic;
}

/** How it came to be. */
export interface AllocationOpening {
  readonly opened: Monotonic;
  readonly expires: Monotonic;
  /** Copied. */
  readonly transactionId: Uint8Array;
}

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
  readonly username: Uint8Array;
  /** Whose quota it counts against. Not for logs in clear. */
  readonly user: string;
  readonly account: UserAccount;
  /** What its data pass on the way to peers, and to the client. */
  readonly sentToll: Toll;
  readonly receivedToll: Toll;
  readonly opened: Monotonic;
  readonly relays: Relay[] = [];
  /** Earlier of the granted lifetime's and the credential's end. */
  expires: Monotonic;
  credentialEnds: Monotonic;
  /** Of the Allocate that made it, to know its retransmissions by. A copy. */
  readonly transactionId: Uint8Array;
  /** The answer to that Allocate, for its retransmissions; undefined while the relayed address is being bound. */
  answer: Uint8Array | undefined;
  /** Present when the client speaks the Microsoft dialect. */
  readonly ms: MsSession | undefined;
  /** What its requests have proved so far. */
  earlier: EarlierProof | undefined;
  /** Its relayed addresses are of TCP (RFC 6062): connections instead of channels and indications. */
  isTcp = false;
  readonly connections = new Set<PeerConnection>();
  sentPackets = 0;
  sentBytes = 0;
  receivedPackets = 0;
  receivedBytes = 0;
  /** Peer IP (canonical) to the end of the permission, RFC 8656 §9. */
  readonly #permissions = new Map<string, Monotonic>();
  readonly #channels = new Map<number, Channel>();
  readonly #channelsByPeer = new Map<string, Map<number, Channel>>();

  constructor(
    id: number,
    client: { readonly listener: TurnListener; readonly address: string; readonly port: number },
    owner: AllocationOwner,
    opening: AllocationOpening,
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
    this.sentToll = { port: new ByteBudget(), user: owner.account.sent };
    this.receivedToll = { port: new ByteBudget(), user: owner.account.received };
    this.credentialEnds = owner.credentialEnds;
    this.opened = opening.opened;
    this.expires = opening.expires;
    this.transactionId = new Uint8Array(opening.transactionId);
  }
  /** The relayed address of a family. */
  relay(family: AddressFamily): Relay | undefined {
    for (const relay of this.relays) if (relay.family === family) return relay;
    return undefined;
  }
  get permissionCount(): number {
    return this.#permissions.size;
  }
  get channelCount(): number {
    return this.#channels.size;
  }
  hasPermission(address: string, now: Monotonic): boolean {
    const expires = this.#permissions.get(address);
    return expires !== undefined && expires > now;
  }
  /** Whether the address already takes up room, expired or not. */
  knowsPermission(address: string): boolean {
    return this.#permissions.has(address);
  }
  permit(address: string, expires: Monotonic): void {
    this.#permissions.set(address, expires);
  }
  /** The channel of a number, if it is still bound. */
  channel(number: number, now: Monotonic): Channel | undefined {
    const channel = this.#channels.get(number);
    return channel !== undefined && channel.expires > now ? channel : undefined;
  }
  /** The channel bound to a peer, if it is still bound. */
  channelTo(address: string, port: number, now: Monotonic): Channel | undefined {
    const channel = this.#channelsByPeer.get(address)?.get(port);
    return channel !== undefined && channel.expires > now ? channel : undefined;
  }
  /** Adds a channel whose number and peer are both free, or belong to channels whose time is over. */
  rebind(channel: Channel): void {
    for (const old of [
      this.#channels.get(channel.number),
      this.#channelsByPeer.get(channel.address)?.get(channel.port),
    ]) {
      if (old !== undefined) this.#unbind(old);
    }
    this.#channels.set(channel.number, channel);
    const ports = this.#channelsByPeer.get(channel.address) ?? new Map<number, Channel>();
    ports.set(channel.port, channel);
    this.#channelsByPeer.set(channel.address, ports);
  }
  /** Forgets permissions and channels whose time is over. */
  sweep(now: Monotonic): void {
    for (const [address, expires] of this.#permissions) {
      if (expires <= now) this.#permissions.delete(address);
    }
    for (const channel of this.#channels.values()) {
      if (channel.expires <= now) this.#unbind(channel);
    }
  }
  /** Takes a relayed address's channels away. */
  unbindAll(relay: Relay): void {
    for (const channel of this.#channels.values()) if (channel.relay === relay) this.#unbind(channel);
  }
  /** Takes permissions and channels away from every peer address that is not kept. */
  revoke(keep: (address: string) => boolean): void {
    for (const address of this.#permissions.keys()) if (!keep(address)) this.#permissions.delete(address);
    for (const channel of this.#channels.values()) if (!keep(channel.address)) this.#unbind(channel);
  }
  #unbind(channel: Channel): void {
    this.#channels.delete(channel.number);
    const ports = this.#channelsByPeer.get(channel.address);
    ports?.delete(channel.port);
    if (ports?.size === 0) this.#channelsByPeer.delete(channel.address);
  }
}

import type { Monotonic } from '#kernel';
import { FIRST_CHANNEL, LAST_CHANNEL, type TransportAddress } from '#protocols/stun';
import type { ClientRequest } from './client-requests.ts';

/** Permissions last five minutes (RFC 8656 §9); they are renewed after four. So are channels, which last ten. */
const RENEWAL_MS = 240_000;

export interface ClientPermission extends TransportAddress {
  granted: boolean;
  /** When it is renewed; Infinity while a request is open. */
  due: Monotonic;
}

export interface ClientChannel extends TransportAddress {
  readonly number: number;
  bound: boolean;
  due: Monotonic;
}

/** The peers of one allocation as its client knows them. Bounded: at most `most` of each kind. */
export class ClientPeers {
  readonly #most: number;
  readonly #permissions = new Map<string, ClientPermission>();
  readonly #channels = new Map<number, ClientChannel>();
  readonly #channelsByPeer = new Map<string, Map<number, ClientChannel>>();
  #nextChannel = FIRST_CHANNEL;

  constructor(most: number) {
    this.#most = most;
  }
  permission(address: string): ClientPermission | undefined {
    return this.#permissions.get(address);
  }
  channel(number: number): ClientChannel | undefined {
    return this.#channels.get(number);
  }
  channelTo(address: string, port: number): ClientChannel | undefined {
    return this.#channelsByPeer.get(address)?.get(port);
  }
  /** Whether data from this address were asked for. */
  expects(address: string): boolean {
    return this.#permissions.has(address) || this.#channelsByPeer.has(address);
  }
  /** Enters a permission that is being requested; undefined when there is no room. */
  addPermission(address: string, port: number): ClientPermission | undefined {
    if (this.#permissions.size >= this.#most) return undefined;
    const permission = { address, port, granted: false, due: Number.POSITIVE_INFINITY };
    this.#permissions.set(address, permission);
    return permission;
  }
  /** Enters a channel that is being requested; undefined when there is no room or no number left. */
  addChannel(address: string, port: number): ClientChannel | undefined {
    if (this.#channels.size >= this.#most || this.#nextChannel > LAST_CHANNEL) return undefined;
    const channel = {
      address,
      port,
      number: this.#nextChannel++,
      bound: false,
      due: Number.POSITIVE_INFINITY,
    };
    this.#channels.set(channel.number, channel);
    const ports = this.#channelsByPeer.get(address) ?? new Map<number, ClientChannel>();
    this.#channelsByPeer.set(address, ports.set(port, channel));
    return channel;
  }
  /** @returns the permission when this is the first time that it is granted */
  grant(address: string, now: Monotonic): ClientPermission | undefined {
    const permission = this.#permissions.get(address);
    if (permission === undefined) return undefined;
    const first = !permission.granted;
    permission.granted = true;
    permission.due = now + RENEWAL_MS;
    return first ? permission : undefined;
  }
  /** @returns the channel when this is the first time that it is bound */
  bound(number: number, now: Monotonic): ClientChannel | undefined {
    const channel = this.#channels.get(number);
    if (channel === undefined) return undefined;
    const first = !channel.bound;
    channel.bound = true;
    channel.due = now + RENEWAL_MS;
    return first ? channel : undefined;
  }
  forgetPermission(address: string): void {
    this.#permissions.delete(address);
  }
  forgetChannel(number: number): void {
    const channel = this.#channels.get(number);
    if (channel === undefined) return;
    this.#channels.delete(number);
    const ports = this.#channelsByPeer.get(channel.address);
    ports?.delete(channel.port);
    if (ports?.size === 0) this.#channelsByPeer.delete(channel.address);
  }
  clear(): void {
    this.#permissions.clear();
    this.#channels.clear();
    this.#channelsByPeer.clear();
  }
  /** The requests that renew what is due; it is not due again until they are answered. */
  renewals(now: Monotonic): ClientRequest[] {
    const requests: ClientRequest[] = [];
    for (const permission of this.#permissions.values()) {
      if (permission.due > now) continue;
      permission.due = Number.POSITIVE_INFINITY;
      const { address, port } = permission;
      requests.push({ kind: 'permission', peer: { address, port } });
    }
    for (const channel of this.#channels.values()) {
      if (channel.due > now) continue;
      channel.due = Number.POSITIVE_INFINITY;
      const { number, address, port } = channel;
      requests.push({ kind: 'channel', channel: number, peer: { address, port } });
    }
    return requests;
  }
  /** When the next renewal is due; Infinity when there is none. */
  deadline(): Monotonic {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { due } of this.#permissions.values()) earliest = Math.min(earliest, due);
    for (const { due } of this.#channels.values()) earliest = Math.min(earliest, due);
    return earliest;
  }
}

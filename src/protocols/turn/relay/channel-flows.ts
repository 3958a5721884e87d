import type { Monotonic } from '#kernel';
import type { Allocation, Channel } from './allocation.ts';
import type { Relay } from './relay.ts';
import type { RelayState } from './relay-state.ts';
import { isStream } from './turn-listener.ts';

/**
 * What may pass by one channel with nothing to decide for a datagram but that it fits the bandwidth. Each time is the
 * earliest end of all rights that it takes, 0 when it takes one that is not there.
 */
export interface ChannelFlow {
  readonly channel: Channel;
  /** From the client: to the peer, or to the client behind the relayed address that the peer is. */
  readonly outwardEnds: Monotonic;
  readonly reaches: ReachedClient | undefined;
  /** From the peer to the client; 0 when the peer is a relayed address, whose client's flow that is. */
  readonly inwardEnds: Monotonic;
}

/** The client behind one of our own relayed addresses, and its channel for where the data come from. */
export interface ReachedClient {
  readonly allocation: Allocation;
  readonly channel: number;
}

/** Data that were relayed elsewhere, all in one direction. */
export interface Flowed {
  /** Whose client sent them; undefined: a peer did. */
  readonly sender: Allocation | undefined;
  /** Whose client got them; undefined: a peer did. Both: they were switched. */
  readonly receiver: Allocation | undefined;
  readonly packets: number;
  readonly octets: number;
  readonly overBudget: number;
}

/** Only of clients over UDP that speak the standard dialect: everything else has more to it. */
export function flowsOf(state: RelayState, allocation: Allocation): ChannelFlow[] {
  if (!hasFlows(state, allocation)) return [];
  return allocation.channels.map((channel) => {
    const { relay, own, address } = channel;
    const ends = Math.min(allocation.expires, channel.expires);
    if (relay.state !== 'bound') return { channel, outwardEnds: 0, reaches: undefined, inwardEnds: 0 };
    if (own) return switchedFlow(state, channel, ends);
    // By the tunnel, if the peer's edge can do it: that is found out with the first data.
    const outwardEnds = state.tunnel.settings === undefined ? ends : 0;
    const inwardEnds = Math.min(ends, allocation.permittedUntil(address));
    return { channel, outwardEnds, reaches: undefined, inwardEnds };
  });
}

/** To the other allocation's client, where that has given permission and a channel of its own. */
function switchedFlow(state: RelayState, channel: Channel, ends: Monotonic): ChannelFlow {
  const { relay, address, port } = channel;
  const target = state.relayAt(address, port);
  const back = target === undefined ? undefined : channelBack(target, relay);
  if (target === undefined || back === undefined || !hasFlows(state, target.allocation)) {
    return { channel, outwardEnds: 0, reaches: undefined, inwardEnds: 0 };
  }
  const { allocation } = target;
  const permitted = allocation.permittedUntil(relay.advertised);
  const outwardEnds = Math.min(ends, allocation.expires, back.expires, permitted);
  return { channel, outwardEnds, reaches: { allocation, channel: back.number }, inwardEnds: 0 };
}
function channelBack({ allocation }: Relay, { advertised, port }: Relay): Channel | undefined {
  return allocation.channels.find((one) => one.port === port && one.address === advertised);
}

/** One that is just ending has none, though its relayed address is still there. */
function hasFlows({ allocations }: RelayState, allocation: Allocation): boolean {
  const { ms, isTcp, listener } = allocation;
  return allocations.has(allocation) && ms === undefined && !isTcp && !isStream(listener);
}

export function countFlowed(state: RelayState, flowed: Flowed): void {
  const { sender, receiver, packets, octets, overBudget } = flowed;
  const { counters } = state;
  if (sender !== undefined) {
    sender.sentPackets += packets;
    sender.sentBytes += octets;
    counters.sentPackets += packets;
    counters.sentBytes += octets;
  }
  if (receiver !== undefined) {
    receiver.receivedPackets += packets;
    receiver.receivedBytes += octets;
    counters.receivedPackets += packets;
    counters.receivedBytes += octets;
  }
  if (sender !== undefined && receiver !== undefined) counters.switchedPackets += packets;
  if (overBudget > 0) state.drop('over-bandwidth', overBudget);
}

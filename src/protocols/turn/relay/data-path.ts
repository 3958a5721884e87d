import type { Monotonic } from '#kernel';
import {
  AttributeType,
  CHANNEL_HEADER_BYTES,
  channelDataLength,
  channelNumberOf,
  decodeData,
  decodeXorAddress,
  encodeChannelHeader,
  encodeData,
  encodeXorAddress,
  HEADER_BYTES,
  MessageClass,
  Method,
  paddedLength,
  type StunMessage,
  StunWriter,
  xorAddressBytes,
} from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import { knownAttributes } from './answers.ts';
import { takeOctets } from './bandwidth.ts';
import type { TurnDrop } from './drops.ts';
import { sendByConnection } from './ms/ms-connections.ts';
import { deliverToMsClient } from './ms/ms-delivery.ts';
import { switchPackets } from './ms/ms-streams.ts';
import type { Relay } from './relay.ts';
import type { RelayState } from './relay-state.ts';
import { isStream } from './turn-listener.ts';

/** What the length field of a STUN message can say, with the header. IPv6 carries datagrams with more data. */
const LONGEST_MESSAGE = HEADER_BYTES + 0xffff;

const writer = new StunWriter();

/** ChannelData from a client, RFC 8656 §12.5. Allocates nothing. */
export function handleChannelData(
  state: RelayState,
  allocation: Allocation,
  bytes: Uint8Array,
  now: Monotonic,
): void {
  const length = channelDataLength(bytes);
  if (length < 0) {
    state.drop('malformed-channel-data');
    return;
  }
  const channel = allocation.channel(channelNumberOf(bytes), now);
  if (channel === undefined) {
    state.drop('no-channel');
    return;
  }
  const start = CHANNEL_HEADER_BYTES;
  const { relay, address, port, own } = channel;
  sendToPeer(state, relay, address, port, own, bytes, start, start + length, now);
}

/**
 * Send indication, RFC 8656 §11.2.
 * @returns why it is dropped
 */
export function handleSend(
  state: RelayState,
  allocation: Allocation,
  message: StunMessage,
  now: Monotonic,
): TurnDrop | undefined {
  if (message.unknownRequired(knownAttributes).length > 0) return 'unknown-attribute';
  const peer = decodeXorAddress(message, AttributeType.XorPeerAddress);
  const data = decodeData(message);
  if (!peer.ok || data < 0 || peer.value.port === 0) return 'malformed-indication';
  if (!state.allowsPort(peer.value.address, peer.value.port)) return 'peer-port-refused';
  const address = state.peerForm(peer.value.address);
  const relay = allocation.relay(peer.value.family);
  if (relay === undefined || allocation.isTcp) return 'no-relayed-address';
  if (!allocation.hasPermission(address, now)) return 'no-permission';
  const start = data + 4;
  const end = start + message.lengthAt(data);
  const own = state.isRelayAddress(address);
  sendToPeer(state, relay, address, peer.value.port, own, message.bytes, start, end, now);
  return undefined;
}

/**
 * Data from a peer to the client, RFC 8656 §11.3 and §12.6: over the channel if there is one.
 * @param whole they are a part of a stream: nothing may be left out
 * @returns milliseconds for which whoever sends a stream has to wait
 */
export function deliverToClient(
  state: RelayState,
  relay: Relay,
  address: string,
  port: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  now: Monotonic,
  whole = false,
): number {
  const { allocation } = relay;
  if (allocation.isTcp) {
    state.drop('no-relayed-address');
    return 0;
  }
  if (allocation.expires <= now) {
    state.drop('relay-closed');
    return 0;
  }
  if (!allocation.hasPermission(address, now)) {
    state.drop('peer-without-permission');
    return 0;
  }
  const late = takeOctets(allocation.receivedToll, end - start, now, state.limits, whole);
  if (late < 0) {
    state.drop('over-bandwidth');
    return 0;
  }
  const { counters } = state;
  allocation.receivedPackets++;
  allocation.receivedBytes += end - start;
  counters.receivedPackets++;
  counters.receivedBytes += end - start;
  if (allocation.ms !== undefined) {
    deliverToMsClient(state, allocation, allocation.ms, address, port, bytes, start, end, whole);
    return late;
  }
  const channel = allocation.channelTo(address, port, now);
  if (channel === undefined) sendDataIndication(state, allocation, address, port, bytes, start, end);
  else sendChannelData(state, allocation, channel.number, bytes, start, end);
  return late;
}

/** Data from a client on their way: to the socket, or straight to the other allocation. */
export function sendToPeer(
  state: RelayState,
  relay: Relay,
  address: string,
  port: number,
  own: boolean,
  bytes: Uint8Array,
  start: number,
  end: number,
  now: Monotonic,
): void {
  const target = own ? state.relayAt(address, port) : undefined;
  if (own && target === undefined) {
    state.drop('peer-own-address');
    return;
  }
  const { allocation } = relay;
  const { listener } = allocation;
  const late = takeOctets(allocation.sentToll, end - start, now, state.limits, isStream(listener));
  if (late < 0) {
    state.drop('over-bandwidth');
    return;
  }
  if (late > 0) state.sink.paceClient(listener, late);
  const { counters } = state;
  allocation.sentPackets++;
  allocation.sentBytes += end - start;
  counters.sentPackets++;
  counters.sentBytes += end - start;
  if (target === undefined && relay.transport === 'tcp') {
    const reason = sendByConnection(state, relay, address, port, bytes.subarray(start, end), now);
    if (reason !== undefined) state.drop(reason);
    return;
  }
  if (target === undefined) {
    if (state.tunnel.route(state, relay, address, port, bytes, start, end, now)) return;
    state.sink.sendToPeer(relay, address, port, bytes, start, end);
    return;
  }
  counters.switchedPackets++;
  if (relay.transport === 'udp' && target.transport === 'udp') {
    deliverToClient(state, target, relay.advertised, relay.port, bytes, start, end, now);
    return;
  }
  // A stream's source is slowed down, in the place of data that would have to be left out.
  const whole = relay.transport === 'tcp' && target.transport === 'tcp';
  let wait = 0;
  const fits = switchPackets(relay, target, bytes.subarray(start, end), (packet) => {
    const { advertised, port: from } = relay;
    const more = deliverToClient(state, target, advertised, from, packet, 0, packet.length, now, whole);
    wait = Math.max(wait, more);
  });
  if (!fits) state.drop('ms-too-many-streams');
  if (wait > late) state.sink.paceClient(listener, wait);
  if (whole) state.sink.holdClient(listener, target.allocation.listener);
}

function sendChannelData(
  state: RelayState,
  allocation: Allocation,
  channel: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { listener, clientAddress, clientPort } = allocation;
  const length = end - start;
  // RFC 8656 §12.5: padded in a stream, as it is in a datagram.
  const size = CHANNEL_HEADER_BYTES + (isStream(listener) ? paddedLength(length) : length);
  const frame = state.sink.frame(size);
  encodeChannelHeader(frame, 0, channel, length);
  // Media datagrams are small: a loop is as fast as `set`, and makes no view.
  for (let at = start; at < end; at++) frame[CHANNEL_HEADER_BYTES + at - start] = bytes[at] ?? 0;
  for (let at = CHANNEL_HEADER_BYTES + length; at < size; at++) frame[at] = 0;
  state.sink.sendToClient(listener, clientAddress, clientPort, frame, 0, size);
}

function sendDataIndication(
  state: RelayState,
  allocation: Allocation,
  address: string,
  port: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const size = HEADER_BYTES + xorAddressBytes(address) + 4 + paddedLength(end - start);
  if (size > LONGEST_MESSAGE) {
    state.drop('data-too-long');
    return;
  }
  writer.begin(state.sink.frame(size), Method.Data, MessageClass.Indication, state.nextIndicationId());
  encodeXorAddress(writer, AttributeType.XorPeerAddress, address, port);
  encodeData(writer, bytes, start, end);
  const { listener, clientAddress, clientPort } = allocation;
  state.sink.sendToClient(listener, clientAddress, clientPort, writer.buffer, 0, writer.length);
}

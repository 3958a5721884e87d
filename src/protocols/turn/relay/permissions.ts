import type { Monotonic } from '#kernel';
import {
  AttributeType,
  checkChannelNumber,
  decodeChannelNumber,
  decodeXorAddress,
  decodeXorAddressAt,
  ErrorCode,
  type XorAddress,
} from '#protocols/stun';
import type { Allocation } from './allocation.ts';
import { answer } from './answers.ts';
import type { RelayState } from './relay-state.ts';
import type { ProvenRequest } from './turn-request.ts';

/** CreatePermission, RFC 8656 §10.2: all of its peers, or none. The refusal is returned, success answered. */
export function handleCreatePermission(
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation,
): ErrorCode | undefined {
  const { message, now } = request;
  const addresses = new Set<string>();
  const type = AttributeType.XorPeerAddress;
  for (let at = message.find(type); at >= 0; at = message.find(type, message.next(at))) {
    const peer = decodeXorAddressAt(message, at);
    if (!peer.ok) return ErrorCode.BadRequest;
    const refusal = checkPeer(state, allocation, peer.value);
    if (refusal !== undefined) return refusal;
    addresses.add(state.peerForm(peer.value.address));
  }
  if (addresses.size === 0) return ErrorCode.BadRequest;
  if (!roomForPermissions(state, allocation, addresses, now)) return ErrorCode.InsufficientCapacity;
  for (const address of addresses) allocation.permit(address, now + state.times.permission * 1000);
  if (allocation.channelCount > 0) state.sink.rightsChanged(allocation);
  answer(state, request, () => {});
  return undefined;
}

/** ChannelBind, RFC 8656 §12.2. The refusal is returned, success answered. */
export function handleChannelBind(
  state: RelayState,
  request: ProvenRequest,
  allocation: Allocation,
): ErrorCode | undefined {
  const { message, now } = request;
  const number = decodeChannelNumber(message);
  const peer = decodeXorAddress(message, AttributeType.XorPeerAddress);
  // RFC 6062: a relayed address of TCP has connections instead.
  if (allocation.isTcp || !number.ok || !peer.ok || !checkChannelNumber(number.value))
    return ErrorCode.BadRequest;
  const { port } = peer.value;
  if (port === 0) return ErrorCode.BadRequest;
  const address = state.peerForm(peer.value.address);
  const bound = allocation.channel(number.value, now);
  const other = allocation.channelTo(address, port, now);
  // The number stands for this peer and the peer for this number, or neither is bound.
  if (bound !== other) return ErrorCode.BadRequest;
  const refusal = checkPeer(state, allocation, peer.value);
  if (refusal !== undefined) return refusal;
  if (!state.allowsPort(address, port)) return ErrorCode.Forbidden;
  const relay = allocation.relay(peer.value.family);
  const room = bound !== undefined || roomForChannel(state, allocation, now);
  if (!room || relay === undefined || !roomForPermissions(state, allocation, [address], now)) {
    return ErrorCode.InsufficientCapacity;
  }
  const { permission, channel } = state.times;
  const expires = now + channel * 1000;
  if (bound !== undefined) bound.expires = expires;
  else {
    const own = state.isRelayAddress(address);
    allocation.rebind({ number: number.value, address, port, own, relay, expires });
  }
  allocation.permit(address, now + permission * 1000);
  state.sink.rightsChanged(allocation);
  answer(state, request, () => {});
  return undefined;
}

/** RFC 8656 §10.2: 443 for a family that the allocation has no relayed address of, 403 for what policy refuses. */
function checkPeer(state: RelayState, allocation: Allocation, peer: XorAddress): ErrorCode | undefined {
  if (allocation.relay(peer.family) === undefined) return ErrorCode.PeerAddressFamilyMismatch;
  return state.judge(peer.address, peer.port) === 'allowed' ? undefined : ErrorCode.Forbidden;
}

function roomForChannel(state: RelayState, allocation: Allocation, now: Monotonic): boolean {
  const most = state.limits.channelsPerAllocation;
  if (allocation.channelCount >= most) allocation.sweep(now);
  return allocation.channelCount < most;
}

export function roomForPermissions(
  state: RelayState,
  allocation: Allocation,
  addresses: Iterable<string>,
  now: Monotonic,
): boolean {
  const fits = () => {
    let more = 0;
    for (const address of addresses) if (!allocation.knowsPermission(address)) more++;
    return allocation.permissionCount + more <= state.limits.permissionsPerAllocation;
  };
  if (fits()) return true;
  allocation.sweep(now);
  return fits();
}

export { MsTurnClient, type MsTurnClientEvent } from './client/ms-turn-client.ts';
export type { RetransmissionTimes } from './client/transactions.ts';
export { TurnClient, type TurnClientLimits, type TurnClientOptions } from './client/turn-client.ts';
export type { TurnClientDrop, TurnClientEvent, TurnClientSink } from './client/turn-client-sink.ts';
export { Allocation, type AllocationCounters } from './relay/allocation.ts';
export { type Budget, type BudgetRate, newByteBudget } from './relay/bandwidth.ts';
export type { ChannelFlow, Flowed } from './relay/channel-flows.ts';
export type { CredentialVerifier, VerifiedCredential } from './relay/credential-verifier.ts';
export { type TurnDrop, turnDrops } from './relay/drops.ts';
export type { PeerConnection } from './relay/peer-connections.ts';
export {
  judgePeer,
  PeerPolicy,
  type PeerPolicyDocument,
  type PeerVerdict,
  parsePeerPolicy,
} from './relay/peer-policy.ts';
export type { RelayPool } from './relay/pool.ts';
export { Relay } from './relay/relay.ts';
export {
  defaultRelayTimes,
  type RelayAddress,
  type RelayLimits,
  type RelayTimes,
} from './relay/relay-settings.ts';
export type { RelayCounters } from './relay/relay-state.ts';
export type { TunnelSettings } from './relay/tunnel/edge-tunnel.ts';
export { TUNNEL_ANSWER_BYTES, tunnelOpeningBytes } from './relay/tunnel/tunnel-stream.ts';
export {
  type ClientTransport,
  clientTransports,
  type Face,
  type TurnListener,
} from './relay/turn-listener.ts';
export { TurnRelay, type TurnRelayOptions, type TurnRelaySettings } from './relay/turn-relay.ts';
export { type AllocationEnd, allocationEnds, type RefusedRequest, type TurnSink } from './relay/turn-sink.ts';

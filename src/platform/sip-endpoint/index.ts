export { SipEndpoint } from './endpoint.ts';
export { type FlowTarget, type Probe, SipFlowPool, type SipFlowPoolOptions } from './flow-pool.ts';
export type {
  OutgoingRequest,
  RequestRefused,
  RespondOptions,
  SipEndpointOptions,
} from './options.ts';
export type { PoolMember, PoolRefusal } from './pool-member.ts';
export {
  type BranchFailure,
  type NextBranch,
  type ProxyBranch,
  ProxyContext,
  type ProxyHandler,
  StatefulProxy,
  type StatefulProxyOptions,
} from './proxy/index.ts';
export { rendezvousScore } from './rendezvous.ts';
export type {
  FlowCloseReason,
  FlowOptions,
  KeepAliveOptions,
  MessageDropReason,
  PreAuthorisationLimits,
  SipEndpointLimits,
  SipFlow,
  SipUser,
} from './types.ts';

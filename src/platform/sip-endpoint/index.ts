export { SipEndpoint } from './endpoint.ts';
export { type FlowTarget, type Probe, SipFlowPool, type SipFlowPoolOptions } from './flow-pool.ts';
export {
  defaultEndpointLimits,
  type OutgoingRequest,
  type RequestRefused,
  type RespondOptions,
  type SipEndpointOptions,
} from './options.ts';
export type { BackOff, PoolMember, PoolRefusal } from './pool-member.ts';
export {
  type BranchFailure,
  type ProxyBranch,
  ProxyContext,
  type ProxyHandler,
  StatefulProxy,
  type StatefulProxyOptions,
} from './proxy/index.ts';
export {
  type FlowCloseReason,
  type FlowOptions,
  flowCloseReasons,
  type KeepAliveOptions,
  type MessageDropReason,
  messageDropReasons,
  type PreAuthorisationLimits,
  type SipEndpointLimits,
  type SipFlow,
  type SipUser,
} from './types.ts';

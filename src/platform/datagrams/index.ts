export {
  type BindOutcome,
  type BindProblem,
  type DatagramCounters,
  type DatagramEndpoint,
  type DatagramError,
  type DatagramLimits,
  type DatagramNetwork,
  type DatagramReceiver,
  type DatagramSocket,
  datagramErrors,
  type SendRefusal,
} from './datagrams.ts';
export type {
  Flow,
  FlowCounts,
  FlowEnd,
  RelayDatagrams,
  RelayThreads,
} from './flows/flows.ts';
export { PlainRelayDatagrams } from './flows/plain-relay-datagrams.ts';
export { NodeDatagrams } from './node-datagrams.ts';
export { canThread, ThreadedRelayDatagrams } from './threads/threaded-relay-datagrams.ts';

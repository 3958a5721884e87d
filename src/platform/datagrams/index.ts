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
export { literalLookup } from './literal-lookup.ts';
export { NodeDatagrams } from './node-datagrams.ts';

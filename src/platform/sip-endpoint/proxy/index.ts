export {
  type BranchFailure,
  type NextBranch,
  type ProxyBranch,
  ProxyContext,
  type ProxyHandler,
} from './proxy-context.ts';
export { StatefulProxy, type StatefulProxyOptions } from './stateful-proxy.ts';

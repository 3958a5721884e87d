export {
  type BranchFailure,
  type ProxyBranch,
  ProxyContext,
  type ProxyHandler,
} from './proxy-context.ts';
export { StatefulProxy, type StatefulProxyOptions } from './stateful-proxy.ts';

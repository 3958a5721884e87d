export {
  DnsResolver,
  type Found,
  type LookUp,
  placeText,
  type Resolver,
  type ResolverLimits,
  type ResolverOptions,
} from './dns-resolver.ts';
export type { ServerPlace } from './dns-sockets.ts';
export type { LookUpFailure, LookUpReason } from './failure.ts';
export type { ServiceRecord } from './question.ts';
export { resolverPlaces } from './resolver-places.ts';

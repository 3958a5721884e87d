export { checkDns, joinedFindings } from './check-dns.ts';
export { type DnsPlan, dnsPlan } from './dns-plan.ts';
export {
  type Addresses,
  type Located,
  type LocateFailure,
  type LocateReason,
  locate,
  type Sought,
  type Target,
  targetAddresses,
} from './locate/index.ts';
export { DnsLookUp, type DnsQuestions, resolverPlace } from './look-up.ts';
export type { DnsRecord, Zone } from './records.ts';
export {
  DnsResolver,
  type Found,
  type LookUp,
  type LookUpFailure,
  type LookUpReason,
  placeText,
  type Resolver,
  type ResolverLimits,
  type ResolverOptions,
  resolverPlaces,
  type ServerPlace,
  type ServiceRecord,
} from './resolver/index.ts';
export { recordRows, zoneFile } from './zone-file.ts';

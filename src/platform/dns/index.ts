export { checkDns, joinedFindings } from './check-dns.ts';
export { type DnsPlan, dnsPlan } from './dns-plan.ts';
export { DnsLookUp, resolverPlace } from './look-up.ts';
export type { DnsRecord, Zone } from './records.ts';
export { recordRows, zoneFile } from './zone-file.ts';

import type { EdgeDocument } from '#platform/topology';
import type { Say } from '../finding.ts';
import type { HostReadings, OutsideReadings } from '../readings.ts';
import type { Roles } from '../roles.ts';

/** What the rules look at. */
export interface HostFacts {
  readonly host: HostReadings;
  readonly roles: Roles;
  /** What the host is to run. */
  readonly document: EdgeDocument;
  /** Its addresses are examples and no concern of this host. */
  readonly imagined: boolean;
  readonly outside: OutsideReadings;
}

/** One kind of finding. A rule says nothing about what could not be read. */
export interface HostRule {
  readonly name: string;
  check(facts: HostFacts, say: Say): void;
}

/** The external addresses of the document, once each. */
export function externalAddresses({ document }: HostFacts): string[] {
  const { access, webConferencing, av } = document.host.addresses;
  return [...new Set([...access, ...webConferencing, ...av])];
}

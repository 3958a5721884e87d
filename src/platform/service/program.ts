import type { Result } from '#kernel';
import type { DocumentFinding, ListenerPlan, ServiceName } from '#platform/topology';
import type { OfferJudge } from './offer.ts';

/** One of the programs that a supervisor can run: which services, from what kind of document. */
export interface Program<Document> {
  readonly name: 'edge' | 'internal';
  readonly services: readonly ServiceEntry[];
  /** In how many processes a service runs, 1 by default; asked once, at the start. With `singleProcess` it is 1. */
  readonly workers?: (service: ServiceName, document: Document) => number;
  /** How many threads of a process of the service share a UDP listener, each by a socket of its own; likewise. */
  readonly threads?: (service: ServiceName, document: Document) => number;
  load(file: string): Result<Document, readonly DocumentFinding[]>;
  /** Those owned by `supervisor` serve `/metrics` and `/healthz`. */
  listeners(document: Document): readonly ListenerPlan[];
  host(document: Document): HostSettings;
  /** Certificate, key and trust files (absolute paths); a change of one provisions the document again. */
  files(document: Document): readonly string[];
  /** Absent: documents come from the file alone. */
  readonly offers?: OfferJudge<Document>;
  /** The service that collects the events of all; absent: nobody does. */
  readonly collector?: ServiceName;
}

export interface ServiceEntry {
  readonly name: ServiceName;
  readonly title: string;
  /** URL of the module whose export `service` is the ServiceDefinition; each service process imports its own. */
  readonly module: string;
}

/** The part of a document that the supervisor itself needs. */
export interface HostSettings {
  /** Runtime files; made when missing. Absolute path. */
  readonly stateDirectory: string;
  /** The account to become after binding, when started as root. */
  readonly runAs?: string | undefined;
  readonly administration: {
    /** Absolute path of the Unix socket. */
    readonly socket: string;
  };
}

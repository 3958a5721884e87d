export { AdministrationClient } from './administration-client.ts';
export type {
  AdministrationVerb,
  DrainReport,
  EventPage,
  ProgramStatus,
  ReloadReport,
  VerbArguments,
  VerbResult,
} from './administration-schema.ts';
export type {
  Health,
  Provision,
  Service,
  ServiceContext,
  ServiceDefinition,
  ServiceName,
  SocketSource,
  TcpOptions,
  UdpOptions,
  VerbHandler,
  WorkerPlace,
} from './definition.ts';
export type { CollectedItem, EventCollector } from './event-collector.ts';
export { type Feature, FeatureService, type Operation } from './feature-service.ts';
export type { Judgement, OfferJudge } from './offer.ts';
export { becomeServer } from './preparation.ts';
export type { HostSettings, Program, ServiceEntry } from './program.ts';
export { type RunningProgram, runProgram } from './run-program.ts';
export { obeySignals } from './signals.ts';
export type { RunOptions, StartFailure, Timing } from './supervisor-options.ts';
export { verb } from './verb.ts';

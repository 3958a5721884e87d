export {
  boundFields,
  boundRecord,
  cutText,
  EVENT_BOUNDS,
  type EventField,
  type EventKind,
  type LogEvent,
  type LogNote,
  type LogRecord,
  readEvent,
  readNote,
  readRecord,
} from './event.ts';
export {
  encodeMessage,
  encodeOctets,
  encodeText,
  FRAME_BYTES,
  type Frame,
  type FrameFault,
  type FrameLimits,
  LogFrameReader,
} from './framing.ts';
export { type EventKeys, type KeyName, keyNames, normaliseKey } from './keys.ts';
export { compareEvents, EventMerge } from './merge.ts';
export {
  type AgentMessage,
  type AgentMessageInput,
  type AgentStatus,
  type CollectionRequest,
  type ControlRequest,
  commonVersion,
  LOG_VERSIONS,
  type LogPort,
  type RunningScenario,
  readAgentMessage,
  readRequest,
  requestIdOf,
  runningScenario,
  type SearchRequest,
  type SegmentEntry,
} from './messages.ts';
export {
  type EventFlag,
  type EventLevel,
  isFlag,
  logLevels,
  type ProviderName,
  providerNames,
} from './providers.ts';
export {
  type KeyTerm,
  keyTerms,
  type Matcher,
  matcherOf,
  matches,
  type SearchQuery,
  type SearchQueryInput,
  searchQuery,
} from './query.ts';
export {
  ALWAYS_ON,
  type Demand,
  type DemandOfProvider,
  demandOf,
  type ProviderRequest,
  readProviderRequest,
  SCENARIO_MS,
  type Scenario,
  scenarioNamed,
  scenarios,
  wants,
} from './scenarios.ts';

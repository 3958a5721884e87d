export {
  type Capture,
  type EventEndpoint,
  encodeFrames,
  eventEndpoint,
  type Frame,
  type FramedItem,
  FrameReader,
  noteText,
  type PeerOfMessage,
  peerLabel,
  readFrame,
  readNoteText,
  readPeerLabel,
} from './event-frames.ts';
export { type EventDraft, EventRing, type EventStream, isNotable, LEVEL } from './events.ts';
export {
  createLog,
  type Log,
  type LogFields,
  type LogLevel,
  type LogOptions,
  type MemoryLog,
  memoryLog,
  silentLog,
} from './log.ts';
export { type MetricsPart, type MetricsSnapshot, mergeSnapshots, renderSnapshot } from './merge.ts';
export { type Counter, type Gauge, type Label, Metrics } from './metrics.ts';
export { OncePerKey } from './once-per-key.ts';
export { PRODUCT_VERSION } from './product.ts';
export { RateWindow } from './rate-window.ts';
export type { Tap } from './tap.ts';
export { type EndStep, Trace, type TraceStep, type TraceTopic } from './trace.ts';

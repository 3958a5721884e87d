export { type BackOff, halfRandom, pauseAfter } from './back-off.ts';
export { BoundedMap } from './bounded-map.ts';
export { type Blame, type CatalogueEntry, catalogue, type ErrorCode } from './catalogue/index.ts';
export {
  type Cancel,
  type Clock,
  JumpingClock,
  ManualClock,
  type Monotonic,
  SystemClock,
  type WallTime,
} from './clock.ts';
export { Deadlines } from './deadlines.ts';
export { type Failure, FailureError, failure } from './failure.ts';
export { literalLookup } from './literal-lookup.ts';
export { nearest } from './nearest.ts';
export { type Random, randomToken, SeededRandom, SystemRandom } from './random.ts';
export { RecentMap } from './recent-map.ts';
export { err, ok, type Result } from './result.ts';
export { TokenBucket } from './token-bucket.ts';
export { until } from './until.ts';

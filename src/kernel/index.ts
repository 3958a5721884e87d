export { BoundedMap } from './bounded-map.ts';
export { type Blame, type CatalogueEntry, catalogue, type ErrorCode } from './catalogue/index.ts';
export { type Cancel, type Clock, ManualClock, type Monotonic, SystemClock, type WallTime } from './clock.ts';
export { Deadlines } from './deadlines.ts';
export { type Failure, FailureError, failure } from './failure.ts';
export { nearest } from './nearest.ts';
export { type Random, randomToken, SeededRandom, SystemRandom } from './random.ts';
export { err, ok, type Result } from './result.ts';
export { TokenBucket } from './token-bucket.ts';

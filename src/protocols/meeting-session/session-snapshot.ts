/**
 * Where a participant's session stands. `connecting` to signalling, `signing-in` (users only), `asking` to be let in, `entering` the
 * meeting, `in` it, `reconnecting` after a drop, `over` for good.
 */
export type SessionStage =
  | 'idle'
  | 'connecting'
  | 'signing-in'
  | 'asking'
  | 'entering'
  | 'in'
  | 'reconnecting'
  | 'over';

/** Why a session is over. */
export type SessionEnd =
  | 'left'
  /** The meeting is over, or its time is. */
  | 'ended'
  | 'removed'
  | 'locked'
  | 'full'
  | 'no-guests'
  /** No such meeting, or not by this key, or not for this person: the answer does not say which. */
  | 'wrong-link'
  | 'wrong-password'
  /** No connection to signalling. */
  | 'unreachable'
  /** An answer that makes no sense, or none. */
  | 'unavailable';

export interface SessionSnapshot {
  readonly stage: SessionStage;
  /** While the stage is `over`. */
  readonly end: SessionEnd | undefined;
  /** While reconnecting: how often it was tried, and milliseconds from one try to the next. */
  readonly attempts: number;
  readonly retryMs: number;
  /** While reconnecting: nothing is tried because the device says that it has no network. */
  readonly offline: boolean;
}

import type { Clock, Random } from '#kernel';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import { sipLimits, type TimerValues } from '#protocols/sip';
import type { SipEndpointLimits, SipUser } from './types.ts';

export interface SipEndpointOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Messages that come and go, and what was not understood or refused here; nothing is told when left out. */
  readonly events?: EventStream;
  /** Begins the names of its metrics: `sallyport_<name>_…`, e.g. `access_sip`. */
  readonly name: string;
  readonly limits?: Partial<SipEndpointLimits>;
  readonly timers?: TimerValues;
  readonly user: SipUser;
  /**
   * When collected writes leave; default setImmediate: after everything that this turn of the loop received.
   */
  readonly schedule?: (task: () => void) => void;
}

export const defaultEndpointLimits: SipEndpointLimits = {
  ...sipLimits,
  flows: 100_000,
  serverTransactions: 100_000,
  clientTransactions: 100_000,
};

export interface RespondOptions {
  readonly reason?: string;
  /** Default: a tag of the transaction's own, the same for each response to it. */
  readonly toTag?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
}

/** A request ready to leave; its topmost Via bears `branch`. */
export interface OutgoingRequest {
  readonly method: string;
  readonly branch: string;
  readonly bytes: Buffer;
}

export type RequestRefused =
  | 'flow-closed'
  | 'full'
  | 'duplicate-branch'
  /** Longer than {@link SipEndpointLimits.messageBytes}: whoever gets it would lose the stream over it. */
  | 'too-large';

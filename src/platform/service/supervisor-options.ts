import type { Clock, Failure, Random } from '#kernel';
import type { Log, LogLevel } from '#platform/telemetry';
import type { DocumentFinding } from '#platform/topology';
import type { Program } from './program.ts';
import type { Deadlines } from './supervised-service.ts';

export interface RunOptions<Document> {
  readonly program: Program<Document>;
  /** Path of the document. */
  readonly file: string;
  /** Every service in this process instead of one each. */
  readonly singleProcess?: boolean | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Gets log lines with their newline. Default: standard output. */
  readonly write?: ((line: string) => void) | undefined;
  /** Ends a start that is under way, within 5 seconds; afterwards `stop` is the way. */
  readonly abort?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** Parts that differ from the defaults; for tests and special sites. Milliseconds. */
  readonly timing?: Partial<Timing> | undefined;
}

export interface Timing extends Deadlines {
  /** For all services to be healthy with a new document. */
  readonly healthyMs: number;
  /** Between two questions for health after a swap, and while draining. */
  readonly pollMs: number;
  /** Between two looks at a healthy program's services. */
  readonly watchMs: number;
  /** Between two looks at the document and certificate files. */
  readonly filesMs: number;
}

/** Why a program did not start. */
export interface StartFailure {
  readonly problems: readonly Failure[];
  /** The errors of the document, if that was the reason. */
  readonly findings: readonly DocumentFinding[];
}

export interface SupervisorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timing: Timing;
}

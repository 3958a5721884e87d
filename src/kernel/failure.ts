import { type Blame, catalogue, type ErrorCode } from './catalogue/index.ts';

/** One occurrence of a catalogued error: the stable code plus what was particular this time. */
export interface Failure {
  readonly code: ErrorCode;
  readonly blame: Blame;
  /** For the log: the catalogue's summary and the detail of this occurrence. Never holds a secret. */
  readonly message: string;
  readonly cause?: unknown;
}

export function failure(code: ErrorCode, detail?: string, cause?: unknown): Failure {
  const entry = catalogue[code];
  const message = detail === undefined ? entry.summary : `${entry.summary}: ${detail}`;
  return cause === undefined
    ? { code, blame: entry.blame, message }
    : { code, blame: entry.blame, message, cause };
}

/** Carries a {@link Failure} through code that must throw (start-up, failed I/O). */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(problem: Failure) {
    super(`${problem.code} ${problem.message}`, { cause: problem.cause });
    this.name = 'FailureError';
    this.failure = problem;
  }
}

import type { Failure } from '#kernel';
import type { ReconfigurationFailure } from './reconfiguration.ts';

/** All are there, and some are not well yet. */
export function onlyUnhealthy(problem: ReconfigurationFailure): boolean {
  return problem.problems.every(({ failure: cause }) => cause.code === 'SLP-SVC-0013');
}
export function describeProblems(problem: ReconfigurationFailure): string[] {
  return problem.problems.map(({ service, failure: cause }) => `${service}: ${describeFailure(cause)}`);
}
export function describeFailure(problem: Failure): string {
  return `${problem.code} ${problem.message}`;
}

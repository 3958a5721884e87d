import type { Random } from './random.ts';

/** How long to wait between attempts that fail: doubles from the first pause to the longest. Milliseconds. */
export interface BackOff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Beyond so many doublings every pause is the longest. */
const DOUBLINGS = 30;

/**
 * The pause before the next attempt, in milliseconds.
 *
 * @param failures in a row, from 1
 */
export function pauseAfter(failures: number, { firstMs, longestMs }: BackOff): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, DOUBLINGS));
}

/** Between half and all of a pause, so that those who failed together do not come back together. */
export function halfRandom(pauseMs: number, random: Random): number {
  return pauseMs * (0.5 + (random.bytes(1)[0] ?? 0) / 510);
}

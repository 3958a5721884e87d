import type { WorkerPlace } from '#platform/service';

/** The part of a limit of the whole service that one of its workers has: together they have just that, and at least 1 each. */
export function shareOf(total: number, { index, count }: WorkerPlace): number {
  return Math.max(1, Math.floor(total / count) + (index < total % count ? 1 : 0));
}

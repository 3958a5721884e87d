/**
 * The most that each may have, so that a capacity is shared fairly (max-min): who asks for less than the share gets
 * it all, and what they leave is shared by the others.
 * @param demands what each asked for, not negative
 * @returns Infinity when everything fits
 */
export function fairShare(capacity: number, demands: Iterable<number>): number {
  const ordered = [...demands].sort((one, other) => one - other);
  let left = capacity;
  for (const [index, demand] of ordered.entries()) {
    const share = left / (ordered.length - index);
    if (demand > share) return share;
    left -= demand;
  }
  return Number.POSITIVE_INFINITY;
}

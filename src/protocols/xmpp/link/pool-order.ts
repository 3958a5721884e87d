import { createHash } from 'node:crypto';

/**
 * The order in which the members of a pool are tried for one key: the same wherever it is asked, whatever order the names
 * come in, and when a member leaves, only what it served moves. Gateways ask it with the domain of a partner.
 */
export function poolOrder(key: string, members: readonly string[]): string[] {
  const score = (name: string) => createHash('sha256').update(`${key}\0${name}`).digest('hex');
  return members
    .map((name) => ({ name, score: score(name) }))
    .sort((a, b) => (a.score < b.score ? 1 : -1))
    .map(({ name }) => name);
}

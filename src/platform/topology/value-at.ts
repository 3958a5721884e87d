import type { Path } from './finding.ts';

/** The value that a path leads to, or undefined. */
export function valueAt(document: unknown, path: Path): unknown {
  let value: unknown = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

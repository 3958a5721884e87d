import { createHash } from 'node:crypto';

/**
 * One value, one spelling, so that a signature covers a value and not a way to write it: JSON without white space, keys
 * sorted by code unit, whole numbers only (RFC 8785 §3.2 for what is used here).
 */
export type Canonical =
  | string
  | number
  | boolean
  | null
  | readonly Canonical[]
  | { readonly [key: string]: Canonical };

/** Nothing that is signed nests deeper. */
const DEPTH = 6;

/** @throws RangeError for what has no canonical form: fractions, unsafe integers, too deep nesting, lone surrogates */
export function canonicalJson(value: Canonical, depth = 0): string {
  if (depth > DEPTH) throw new RangeError('nested too deeply');
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0))
      throw new RangeError(`${value} has no canonical form`);
    return String(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new RangeError('text that is not well-formed Unicode');
    return JSON.stringify(value);
  }
  if (typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) {
    return `[${value.map((item: Canonical) => canonicalJson(item, depth + 1)).join(',')}]`;
  }
  const members = value as { readonly [key: string]: Canonical };
  const keys = Object.keys(members).sort();
  return `{${keys.map((key) => `${canonicalJson(key)}:${canonicalJson(members[key] ?? null, depth + 1)}`).join(',')}}`;
}

/** The value of a text that is exactly its own canonical form; undefined for every other text. */
export function parseCanonical(text: string): unknown {
  try {
    const value = JSON.parse(text) as Canonical;
    return canonicalJson(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256, lower-case hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

import { z } from 'zod';
import { ok, type Result } from '#kernel';
import { canonicalJson, parseCanonical } from './canonical.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Everything that one edge gets, entries and messages together. Bytes. */
export const SNAPSHOT_BYTES = 16 * 1024 * 1024;
/** The document that every snapshot has. */
export const POLICY_ENTRY = 'policy.yaml';

const MOST_ENTRIES = 1000;
/** Relative, at most two folders deep, nothing that a file system could take for something else. */
export const ENTRY_NAME =
  /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*(?:\/[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*){0,2}$/;

const entrySchema = z.strictObject({
  name: z.string().max(128).regex(ENTRY_NAME),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().min(0).max(SNAPSHOT_BYTES),
  /** The bytes are sealed to the edge. */
  sealed: z.boolean(),
});
export type Entry = z.output<typeof entrySchema>;

const manifestSchema = z.strictObject({
  entries: z.array(entrySchema).min(1).max(MOST_ENTRIES),
  /** Who published it and why, for the edge's own log. */
  author: z.string().min(1).max(128),
  reason: z.string().max(1024),
  /** Version of the program that made it. */
  product: z.string().min(1).max(64),
});
/** What a snapshot consists of, each entry by its hash. */
export type Manifest = z.output<typeof manifestSchema>;

export function manifestText(manifest: Manifest): string {
  return canonicalJson({ ...manifest, entries: manifest.entries.map((entry) => ({ ...entry })) });
}

export function parseManifest(text: string): Result<Manifest, Refusal> {
  const parsed = manifestSchema.safeParse(parseCanonical(text));
  if (!parsed.success) return refuse('malformed', 'the manifest is not in its canonical form');
  const { entries } = parsed.data;
  if (new Set(entries.map((entry) => entry.name)).size < entries.length) {
    return refuse('malformed', 'two entries have one name');
  }
  const policy = entries.find((entry) => entry.name === POLICY_ENTRY);
  if (policy === undefined || policy.sealed) return refuse('malformed', `there is no ${POLICY_ENTRY}`);
  const names = new Set(entries.map((entry) => entry.name));
  const nested = entries.find((entry) => parents(entry.name).some((parent) => names.has(parent)));
  if (nested !== undefined) return refuse('malformed', `${nested.name} lies in an entry`);
  // What a version's folder holds besides; a name that is taken would replace it.
  if (names.has('push.json')) return refuse('malformed', 'an entry is named push.json');
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (bytes > SNAPSHOT_BYTES) return refuse('oversized', `${bytes} bytes of entries`);
  return ok(parsed.data);
}

function parents(name: string): string[] {
  const steps = name.split('/');
  return steps.slice(1).map((_, at) => steps.slice(0, at + 1).join('/'));
}

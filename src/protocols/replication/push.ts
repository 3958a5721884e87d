import { z } from 'zod';
import { ok, type Result } from '#kernel';
import { canonicalJson, sha256 } from './canonical.ts';
import type { SignedLink } from './link.ts';
import { SNAPSHOT_BYTES } from './manifest.ts';
import { type Refusal, refuse } from './refusal.ts';

/** A whole push or export file, bytes: entries grow by a third on their way, and links come along. */
export const PUSH_BYTES = SNAPSHOT_BYTES;
const MOST_LINKS = 20_000;

/** What the store sends: every link since the edge's own, the newest manifest, and the entries that the edge lacks. */
export interface Push {
  readonly links: readonly SignedLink[];
  readonly manifest: string;
  /** By SHA-256 of its bytes, lower-case hex. */
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

const pushSchema = z.strictObject({
  links: z
    .array(z.strictObject({ text: z.string(), signature: z.string().max(128) }))
    .min(1)
    .max(MOST_LINKS),
  manifest: z.string(),
  entries: z.array(z.string()).max(2000),
});

export function encodePush(push: Push): Result<Buffer, Refusal> {
  const text = canonicalJson({
    links: push.links.map(({ text: link, signature }) => ({ text: link, signature })),
    manifest: push.manifest,
    entries: [...push.entries.values()].map((bytes) => Buffer.from(bytes).toString('base64')),
  });
  const bytes = Buffer.from(text);
  if (bytes.length > PUSH_BYTES) return refuse('oversized', `a push of ${bytes.length} bytes`);
  return ok(bytes);
}

/** Reads what a store sent, or what was exported to a file; nothing in it is trusted yet. */
export function decodePush(bytes: Uint8Array, limitBytes = PUSH_BYTES): Result<Push, Refusal> {
  if (bytes.length > limitBytes) return refuse('oversized', `a push of ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('malformed', 'it is cut off or no message of replication');
  }
  const parsed = pushSchema.safeParse(value);
  if (!parsed.success) return refuse('malformed', 'it is no message of replication');
  const { links, manifest } = parsed.data;
  const entries = new Map<string, Buffer>();
  for (const text of parsed.data.entries) {
    const entry = Buffer.from(text, 'base64');
    if (entry.toString('base64') !== text) return refuse('malformed', 'an entry is not base64');
    entries.set(sha256(entry), entry);
  }
  return ok({ links, manifest, entries });
}

import { z } from 'zod';
import { ok, type Result } from '#kernel';
import { canonicalJson, parseCanonical, sha256 } from './canonical.ts';
import { type Refusal, refuse } from './refusal.ts';
import { fingerprintOf, type SigningKey, signText, verifyText } from './signing-key.ts';

/** The newest format of links and manifests that this version reads and writes, and the oldest that it reads. */
export const NEWEST_FORMAT = 1;
export const OLDEST_FORMAT = 1;

/** What stands before the first link. */
export const NO_HASH = '0'.repeat(64);
/** Longest canonical text of a link, characters. */
const LINK_LENGTH = 1024;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

const linkSchema = z.strictObject({
  format: count,
  /** host.name of the edge that this is for. */
  edge: z.string().min(1).max(253),
  /** Grows strictly along a chain, not always by one. */
  version: count,
  /** Hash of the link before this one. */
  previous: hash,
  /** SHA-256 of the manifest. */
  manifest: hash,
  /** Milliseconds since 1970, by the clock of the store. */
  created: count,
  /** Raw Ed25519 public key of the store, base64url. */
  signer: z.string().length(43),
});
/** One published version of what an edge runs: small, signed, and bound to the one before it. */
export type Link = z.output<typeof linkSchema>;

/** A link as it travels. */
export interface SignedLink {
  /** Canonical JSON of a {@link Link}. */
  readonly text: string;
  /** base64url */
  readonly signature: string;
}

/** Where a chain ends. */
export interface ChainHead {
  readonly version: number;
  /** Hash of the link. */
  readonly hash: string;
}

export function makeLink(key: SigningKey, link: Omit<Link, 'signer' | 'format'>): SignedLink {
  const text = canonicalJson({ ...link, format: NEWEST_FORMAT, signer: key.publicKey });
  return { text, signature: signText(key, text) };
}

export function linkHash(text: string): string {
  return sha256(`sallyport replication link\0${text}`);
}

/** Reads a link that one of the trusted keys signed; nothing of it is looked at before its signature is right. */
export function openLink({ text, signature }: SignedLink, signers: readonly string[]): Result<Link, Refusal> {
  if (text.length > LINK_LENGTH) return refuse('oversized', `a link of ${text.length} characters`);
  const value = parseCanonical(text);
  if (value === undefined) return refuse('malformed', 'a link is not in its canonical form');
  const format = (value as { format?: unknown }).format;
  if (typeof format === 'number' && format > NEWEST_FORMAT) {
    return refuse(
      'unknown-format',
      `format ${format}, this version knows ${OLDEST_FORMAT} to ${NEWEST_FORMAT}`,
    );
  }
  const parsed = linkSchema.safeParse(value);
  if (!parsed.success) return refuse('malformed', 'a link lacks something or has too much');
  const fingerprint = fingerprintOf(parsed.data.signer);
  if (!signers.includes(fingerprint)) return refuse('unknown-signer', fingerprint);
  if (!verifyText(parsed.data.signer, text, signature))
    return refuse('bad-signature', `version ${parsed.data.version}`);
  return ok(parsed.data);
}

import { z } from 'zod';
import type { Result } from '#kernel';
import { sha256 } from './canonical.ts';
import type { Refusal } from './refusal.ts';
import { openSigned, type SignedKind, type SignedText, signValue } from './signed-text.ts';
import type { SigningKey } from './signing-key.ts';

/** The newest format of links and manifests that this version reads and writes, and the oldest that it reads. */
export const NEWEST_FORMAT = 1;
export const OLDEST_FORMAT = 1;

/** What stands before the first link. */
export const NO_HASH = '0'.repeat(64);

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
export type SignedLink = SignedText;

const LINK: SignedKind<Link> = {
  purpose: 'link',
  schema: linkSchema,
  formats: { oldest: OLDEST_FORMAT, newest: NEWEST_FORMAT },
};

/** Where a chain ends. */
export interface ChainHead {
  readonly version: number;
  /** Hash of the link. */
  readonly hash: string;
}

export function makeLink(key: SigningKey, link: Omit<Link, 'signer' | 'format'>): SignedLink {
  return signValue(key, LINK, link);
}

export function linkHash(text: string): string {
  return sha256(`sallyport replication link\0${text}`);
}

/** Reads a link that one of the trusted keys signed; nothing of it is looked at before its signature is right. */
export function openLink(signed: SignedLink, signers: readonly string[]): Result<Link, Refusal> {
  return openSigned(signed, LINK, signers);
}

import type { z } from 'zod';
import { ok, type Result } from '#kernel';
import { type Canonical, canonicalJson, parseCanonical } from './canonical.ts';
import { type Refusal, refuse } from './refusal.ts';
import { fingerprintOf, type SignedPurpose, type SigningKey, signText, verifyText } from './signing-key.ts';

/** Something that a store signed, as it travels. */
export interface SignedText {
  /** Canonical JSON. */
  readonly text: string;
  /** base64url */
  readonly signature: string;
}

/** Longest canonical text of a link or an activation, characters. */
const TEXT_LENGTH = 1024;

/** What is signed says who signed it, for which edge, and in which format it is. */
interface Signed {
  readonly format: number;
  readonly edge: string;
  readonly version: number;
  readonly signer: string;
}

/** One kind of things that a store signs. */
export interface SignedKind<T extends Signed> {
  readonly purpose: SignedPurpose;
  readonly schema: z.ZodType<T>;
  readonly formats: { readonly oldest: number; readonly newest: number };
}

export function signValue<T extends Signed>(
  key: SigningKey,
  { purpose, formats }: SignedKind<T>,
  value: Omit<T, 'signer' | 'format'>,
): SignedText {
  const text = canonicalJson({
    ...(value as Record<string, Canonical>),
    format: formats.newest,
    signer: key.publicKey,
  });
  return { text, signature: signText(key, purpose, text) };
}

/** Reads what one of the trusted keys signed for this purpose; nothing of it counts before its signature is right. */
export function openSigned<T extends Signed>(
  { text, signature }: SignedText,
  { purpose, schema, formats }: SignedKind<T>,
  signers: readonly string[],
): Result<T, Refusal> {
  if (text.length > TEXT_LENGTH) return refuse('oversized', `a ${purpose} of ${text.length} characters`);
  const value = parseCanonical(text);
  if (value === undefined || value === null) return refuse('malformed', `the ${purpose} is not canonical`);
  const { format } = value as { format?: unknown };
  if (typeof format === 'number' && format > formats.newest) {
    const known = `${formats.oldest} to ${formats.newest}`;
    return refuse('unknown-format', `format ${format}, this version knows ${known}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) return refuse('malformed', `the ${purpose} lacks something or has too much`);
  const { signer, version } = parsed.data;
  const fingerprint = fingerprintOf(signer);
  if (!signers.includes(fingerprint)) return refuse('unknown-signer', fingerprint);
  if (!verifyText(signer, purpose, text, signature))
    return refuse('bad-signature', `${purpose} of version ${version}`);
  return ok(parsed.data);
}

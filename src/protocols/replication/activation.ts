import { z } from 'zod';
import { ok, type Result } from '#kernel';
import { canonicalJson } from './canonical.ts';
import type { ChainHead } from './link.ts';
import { ENTRY_NAME } from './manifest.ts';
import { type Refusal, refuse } from './refusal.ts';
import { openSigned, type SignedKind, type SignedText, signValue } from './signed-text.ts';
import type { SigningKey } from './signing-key.ts';

/** A whole activation as it travels, bytes. */
export const ACTIVATION_BYTES = 4096;

const keyName = z.string().max(128).regex(ENTRY_NAME);
const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

const activationSchema = z.strictObject({
  format: count,
  /** host.name of the edge that this is for. */
  edge: z.string().min(1).max(253),
  /** The version of this edge that made the newest of the keys known; one of every edge, or a later one, runs by now. */
  version: count,
  /** Hash of that version's link. */
  link: z.string().regex(/^[0-9a-f]{64}$/),
  /** Names of the entries that hold the keys that are used from now on. */
  keys: z.strictObject({ media: keyName, flow: keyName }),
  /** Raw Ed25519 public key of the store, base64url. */
  signer: z.string().length(43),
});
/** Which of the keys that an edge knows it is to use: small, signed, and no version of its own. */
export type Activation = z.output<typeof activationSchema>;
export type ActivatedKeys = Activation['keys'];

const ACTIVATION: SignedKind<Activation> = {
  purpose: 'activation',
  schema: activationSchema,
  formats: { oldest: 1, newest: 1 },
};

/** The same value gives the same bytes, so a store that says it twice says the same. */
export function makeActivation(
  key: SigningKey,
  activation: Omit<Activation, 'signer' | 'format'>,
): SignedText {
  return signValue(key, ACTIVATION, activation);
}

export function encodeActivation({ text, signature }: SignedText): Buffer {
  return Buffer.from(canonicalJson({ text, signature }));
}

const signedSchema = z.strictObject({ text: z.string(), signature: z.string().max(128) });

/** Reads what a store sent, what was exported, or what was kept; nothing in it is trusted yet. */
export function decodeActivation(bytes: Uint8Array): Result<SignedText, Refusal> {
  if (bytes.length > ACTIVATION_BYTES)
    return refuse('oversized', `an activation of ${bytes.length} bytes, at most ${ACTIVATION_BYTES}`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const parsed = signedSchema.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
  } catch {
    // Not even JSON; the same as JSON of another form.
  }
  return refuse('malformed', 'it is cut off or no activation');
}

/** What an edge knows when an activation arrives. */
export interface ActivationExpectation {
  /** host.name of this edge. */
  readonly edge: string;
  /** Fingerprints of the keys whose signature counts. */
  readonly signers: readonly string[];
  /** The version that the keys are looked for in: the one that runs. */
  readonly head: ChainHead;
  /** Names of its sealed entries. */
  readonly secrets: ReadonlySet<string>;
  /** What was activated last and still counts. */
  readonly kept: Activation | undefined;
}

export interface VerifiedActivation {
  readonly activation: Activation;
  /** It is what was kept already. */
  readonly unchanged: boolean;
}

/** Signature, edge, the version that made the keys known, then order, then whether the keys are here. */
export function verifyActivation(
  signed: SignedText,
  { edge, signers, head, secrets, kept }: ActivationExpectation,
): Result<VerifiedActivation, Refusal> {
  const opened = openSigned(signed, ACTIVATION, signers);
  if (!opened.ok) return opened;
  const activation = opened.value;
  const { version, link, keys } = activation;
  if (activation.edge !== edge) return refuse('other-edge', `${activation.edge}, this one is ${edge}`);
  if (version > head.version)
    return refuse('ahead', `keys of version ${version}, version ${head.version} runs`);
  if (version === head.version && link !== head.hash)
    return refuse('fork', `keys of another version ${version} than the one that runs`);
  const unchanged = kept?.version === version && sameKeys(kept.keys, keys);
  if (kept !== undefined && version < kept.version)
    return refuse('old-version', `keys of version ${version}, those of version ${kept.version} are used`);
  if (kept?.version === version && !unchanged)
    return refuse('fork', `other keys of version ${version} than those that are used`);
  const unknown = [keys.media, keys.flow].find((name) => !secrets.has(name));
  if (unknown !== undefined) return refuse('unknown-key', `${unknown}, in version ${head.version}`);
  return ok({ activation, unchanged });
}

function sameKeys(one: ActivatedKeys, other: ActivatedKeys): boolean {
  return one.media === other.media && one.flow === other.flow;
}

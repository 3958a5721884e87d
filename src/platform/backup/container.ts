import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';
import { err, failure, ok, type Result } from '#kernel';
import { type SealingKey, seal, unseal } from '#protocols/replication';

/** With what a backup is locked: something to remember, or the public key of somebody who keeps the other half. */
export type Lock =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** X25519, base64url. */
  | { readonly kind: 'recipient'; readonly publicKey: string };
export type Opener =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'recipient'; readonly key: SealingKey };

/** Shorter ones are guessed: whoever has the file may try as often as he likes. Characters. */
const SHORTEST_PASSPHRASE = 12;
const MAGIC = 'SALLYPORT-BACKUP 1\n';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 128 MiB and a good half second for each guess. */
const SCRYPT = { n: 131_072, r: 8, p: 1 } as const;
/** More memory than this no header may ask for. Bytes. */
const SCRYPT_MEMORY = 1_073_741_824;
const HEADER_BYTES = 4096;
/** What a box is bound to besides its recipient. */
const CONTEXT = { edge: 'backup', name: 'key' };

const bytes = z.base64();
const header = z.discriminatedUnion('lock', [
  z.strictObject({
    lock: z.literal('passphrase'),
    salt: bytes,
    n: z.int().min(2),
    r: z.int().min(1).max(64),
    p: z.int().min(1).max(16),
    nonce: bytes,
  }),
  z.strictObject({ lock: z.literal('recipient'), box: bytes, nonce: bytes }),
]);
type Header = z.output<typeof header>;

/** Encrypts and authenticates the content, and everything that stands before it (AES-256-GCM). */
export function lock(content: Uint8Array, how: Lock): Result<Buffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const made =
    how.kind === 'passphrase' ? byPassphrase(how.passphrase, nonce) : byRecipient(how.publicKey, nonce);
  if (!made.ok) return made;
  const { key, head } = made.value;
  const front = Buffer.from(`${MAGIC}${JSON.stringify(head)}\n`);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(front);
  return ok(Buffer.concat([front, cipher.update(content), cipher.final(), cipher.getAuthTag()]));
}

interface Made {
  readonly key: Uint8Array;
  readonly head: Header;
}

function byPassphrase(passphrase: string, nonce: Buffer): Result<Made> {
  if (passphrase.length < SHORTEST_PASSPHRASE) {
    return err(failure('SLP-CFG-0044', `${passphrase.length} characters, at least ${SHORTEST_PASSPHRASE}`));
  }
  const salt = randomBytes(KEY_BYTES);
  const head = { lock: 'passphrase' as const, salt: base64(salt), ...SCRYPT, nonce: base64(nonce) };
  return ok({ key: derive(passphrase, salt, SCRYPT), head });
}

function byRecipient(publicKey: string, nonce: Buffer): Result<Made> {
  const key = randomBytes(KEY_BYTES);
  const box = seal(key, publicKey, CONTEXT);
  if (box === undefined) return err(failure('SLP-CFG-0045', 'the recipient is no key'));
  return ok({ key, head: { lock: 'recipient', box: base64(box), nonce: base64(nonce) } });
}

/** @returns a failure for what is no backup, was changed or cut anywhere, or is not for this opener */
export function unlock(file: Uint8Array, opener: Opener): Result<Buffer> {
  const parts = split(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
  if (parts === undefined) return err(failure('SLP-CFG-0041'));
  const { head, front, body } = parts;
  if (head.lock !== opener.kind) return err(failure('SLP-CFG-0042', `it is locked with a ${head.lock}`));
  const key = keyOf(head, opener);
  const nonce = Buffer.from(head.nonce, 'base64');
  if (key === undefined || nonce.length !== NONCE_BYTES) return err(failure('SLP-CFG-0042'));
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(front);
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    return ok(Buffer.concat([decipher.update(body.subarray(0, body.length - TAG_BYTES)), decipher.final()]));
  } catch {
    return err(failure('SLP-CFG-0042'));
  }
}

function split(file: Buffer): { head: Header; front: Buffer; body: Buffer } | undefined {
  if (!file.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC))) return undefined;
  const end = file.subarray(0, MAGIC.length + HEADER_BYTES).indexOf('\n', MAGIC.length);
  if (end < 0 || file.length < end + 1 + TAG_BYTES) return undefined;
  try {
    const parsed = header.safeParse(JSON.parse(file.toString('utf8', MAGIC.length, end)));
    if (!parsed.success) return undefined;
    return { head: parsed.data, front: file.subarray(0, end + 1), body: file.subarray(end + 1) };
  } catch {
    return undefined;
  }
}

function keyOf(head: Header, opener: Opener): Uint8Array | undefined {
  if (head.lock === 'recipient') {
    return opener.kind === 'recipient'
      ? unseal(Buffer.from(head.box, 'base64'), opener.key, CONTEXT)
      : undefined;
  }
  const affordable = 128 * head.n * head.r <= SCRYPT_MEMORY;
  if (opener.kind !== 'passphrase' || !affordable) return undefined;
  try {
    return derive(opener.passphrase, Buffer.from(head.salt, 'base64'), head);
  } catch {
    // A cost that is no power of two.
    return undefined;
  }
}

function derive(passphrase: string, salt: Buffer, { n, r, p }: { n: number; r: number; p: number }): Buffer {
  const maxmem = SCRYPT_MEMORY + (1 << 20);
  return scryptSync(passphrase.normalize('NFC'), salt, KEY_BYTES, { N: n, r, p, maxmem });
}

function base64(data: Uint8Array): string {
  return Buffer.from(data).toString('base64');
}

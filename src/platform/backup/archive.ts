import { createHash } from 'node:crypto';
import { unzipSync, zipSync } from 'fflate';
import { z } from 'zod';
import { err, failure, ok, type Result } from '#kernel';

/** Everything that one backup holds, unpacked. Bytes. */
const LARGEST_CONTENT = 536_870_912;
const MOST_ENTRIES = 10_000;
const MANIFEST = 'manifest.json';
const MANIFEST_BYTES = 4_194_304;

const absolute = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/)
  .refine((path) => !path.split('/').includes('..'));

const entry = z.strictObject({
  /** Where it stood. */
  path: absolute,
  kind: z.enum(['file', 'database', 'link']),
  mode: z.int().min(0).max(0o777),
  uid: z.int().min(0),
  gid: z.int().min(0),
  size: z.int().min(0).max(LARGEST_CONTENT),
  /** Of its bytes; a link's are its target. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
type Entry = z.output<typeof entry>;

const manifest = z.strictObject({
  format: z.literal(1),
  program: z.enum(['edge', 'internal']),
  host: z.string().max(253),
  product: z.string().max(64),
  /** Milliseconds since 1970. */
  created: z.int().min(0),
  /** The administration socket of the program: while somebody answers there, nothing is restored. */
  socket: absolute,
  entries: z.array(entry).min(1).max(MOST_ENTRIES),
});
export type Manifest = z.output<typeof manifest>;

export interface BackupFile extends Omit<Entry, 'size' | 'sha256'> {
  readonly content: Uint8Array;
}
export type About = Omit<Manifest, 'format' | 'entries'>;
export interface Archive {
  readonly about: About;
  readonly files: readonly BackupFile[];
}

export function pack({ about, files }: Archive): Result<Uint8Array> {
  const total = files.reduce((sum, file) => sum + file.content.length, 0);
  if (total > LARGEST_CONTENT || files.length > MOST_ENTRIES) {
    return err(failure('SLP-CFG-0043', `${files.length} files of ${total} bytes together`));
  }
  const entries = files.map(
    ({ content, ...file }): Entry => ({ ...file, size: content.length, sha256: sha256(content) }),
  );
  const text = JSON.stringify({ format: 1, ...about, entries } satisfies Manifest);
  const parts: Record<string, Uint8Array> = { [MANIFEST]: Buffer.from(text) };
  for (const [index, { content }] of files.entries()) parts[String(index)] = content;
  return ok(zipSync(parts));
}

/** The content, every part by its checksum; what it says of sizes is looked at before anything is unpacked. */
export function unpack(bytes: Uint8Array): Result<Archive> {
  try {
    const [head] = Object.values(
      unzipSync(bytes, {
        filter: ({ name, originalSize }) => name === MANIFEST && originalSize <= MANIFEST_BYTES,
      }),
    );
    const parsed = manifest.safeParse(JSON.parse(Buffer.from(head ?? []).toString('utf8')));
    if (!parsed.success) return err(failure('SLP-CFG-0041', 'its list of contents is of another version'));
    const { entries, format: _format, ...about } = parsed.data;
    const parts = unzipSync(bytes, {
      filter: ({ name, originalSize }) => originalSize === entries[Number(name)]?.size,
    });
    const files = entries.map(({ size: _size, sha256: expected, ...file }, index): BackupFile => {
      const content = parts[String(index)];
      if (content === undefined || sha256(content) !== expected) throw new Error(`${file.path} is damaged`);
      return { ...file, content };
    });
    return ok({ about, files });
  } catch (error) {
    return err(failure('SLP-CFG-0041', (error as Error).message, error));
  }
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

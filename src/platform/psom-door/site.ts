import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { err, failure, ok, type Result } from '#kernel';

export interface SiteFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Present where it is worth it. */
  readonly gzipped: Buffer | undefined;
  readonly etag: string;
  /** Its name changes with what is in it. */
  readonly lasting: boolean;
}
/** Where `node tools/build-meeting/main.ts` puts the meeting client. */
export const BUILT_SITE = join(import.meta.dirname, '..', '..', '..', 'dist', 'meeting');

/** The files of the meeting client by path, `/index.html` among them. */
export type Site = ReadonlyMap<string, SiteFile>;

const MOST_FILES = 500;
const MOST_BYTES = 64 * 1024 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  // Character maps and fonts of PDFs.
  '.bcmap': 'application/octet-stream',
  '.pfb': 'application/octet-stream',
  '.ttf': 'font/ttf',
  '.icc': 'application/octet-stream',
};
const COMPRESSIBLE = /^(text\/|application\/(json|manifest\+json|wasm)|image\/svg)/;

/**
 * Reads the built meeting client into memory, once and bounded, so that no request ever names a file to the system.
 * Undefined when it is not built.
 */
export function loadSite(folder: string): Result<Site | undefined> {
  const site = new Map<string, SiteFile>();
  try {
    if (statSync(join(folder, 'index.html'), { throwIfNoEntry: false }) === undefined) return ok(undefined);
    let total = 0;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      total += bytes.length;
      if (site.size >= MOST_FILES || total > MOST_BYTES)
        return err(
          failure('SLP-WEB-0002', `${folder}: more than ${MOST_FILES} files or ${MOST_BYTES} bytes`),
        );
      const path = `/${relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/')}`;
      site.set(path, siteFile(path, type, bytes));
    }
  } catch (problem) {
    return err(
      failure('SLP-WEB-0002', `${folder}: ${(problem as NodeJS.ErrnoException).code ?? 'unreadable'}`),
    );
  }
  return ok(site);
}

function siteFile(path: string, type: string, bytes: Buffer): SiteFile {
  const gzipped = COMPRESSIBLE.test(type) && bytes.length > 1024 ? gzipSync(bytes) : undefined;
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, bytes, gzipped, etag, lasting: /^\/assets\/.*-[\w-]{8,}\.\w+$/.test(path) };
}

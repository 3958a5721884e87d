import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '#kernel';
import { type CertificateRequest, type KeyKind, requestCertificate } from '#platform/pki';
import type { PlannedCertificate } from './certificate-plan.ts';

/** The files of one request. */
export interface WrittenRequest {
  readonly certificate: PlannedCertificate;
  readonly request: string;
  readonly key: string;
}

interface File {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * Makes a key and a request for each certificate and writes them to a folder as `<id>.csr` (0644) and `<id>.key`
 * (0600). Nothing is ever overwritten: all files appear, whole, or none does, and the error names the file in the way.
 */
export async function writeRequests(
  certificates: readonly PlannedCertificate[],
  folder: string,
  key: KeyKind,
): Promise<Result<WrittenRequest[], string>> {
  const written: WrittenRequest[] = [];
  const files: File[] = [];
  for (const certificate of certificates) {
    const made = await requestFor(certificate, key);
    const paths = {
      request: join(folder, `${certificate.id}.csr`),
      key: join(folder, `${certificate.id}.key`),
    };
    written.push({ certificate, ...paths });
    files.push({ path: paths.key, text: made.keyPem, mode: 0o600 });
    files.push({ path: paths.request, text: made.requestPem, mode: 0o644 });
  }
  const problem = await writeAll(folder, files);
  return problem === undefined ? ok(written) : err(problem);
}

function requestFor({ names, usages }: PlannedCertificate, key: KeyKind): Promise<CertificateRequest> {
  const [first, ...others] = names.map(({ name }) => name);
  if (first === undefined) throw new TypeError('a certificate has a name');
  return requestCertificate({
    hosts: [first, ...others],
    usages: usages.filter(({ requested }) => requested).map(({ usage }) => usage),
    key,
  });
}

/** The cause when it failed; then everything that this call created is gone again. */
async function writeAll(folder: string, files: readonly File[]): Promise<string | undefined> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (created !== undefined) undo.push(() => rmdir(folder));
    for (const { path, text, mode } of files) {
      await writeNew(path, text, mode);
      undo.push(() => unlink(path));
    }
    return undefined;
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    const { code, dest, path } = error as NodeJS.ErrnoException & { dest?: string };
    const where = dest ?? path ?? folder;
    if (code === 'EEXIST') return `${where} is there already, and nothing is overwritten`;
    return `${where} cannot be written (${code ?? 'unknown'})`;
  }
}

/** A link appears whole and fails where there is a file; a key is never readable by others for a moment. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await chmod(draft, mode);
    await link(draft, path);
  } finally {
    await unlink(draft).catch(() => {});
  }
}

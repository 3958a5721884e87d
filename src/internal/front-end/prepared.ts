import { ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { InternalDocument } from '#platform/topology';
import { Directory } from './directory.ts';

/** A document made ready: the files that it names, loaded, and the database, opened. */
export interface Prepared {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  readonly directory: Directory;
}

/** @param running the directory in use, kept when the document names the same file */
export function prepare(
  document: InternalDocument,
  wall: number,
  running: { readonly file: string; readonly directory: Directory } | undefined,
): Result<Prepared> {
  const credentials = loadCredentials(document.host.certificates.internal, wall);
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const { database } = document.frontEnd;
  const directory = running?.file === database ? ok(running.directory) : Directory.open(database);
  if (!directory.ok) return directory;
  return ok({
    document,
    credentials: credentials.value,
    trust: trust.value,
    directory: directory.value,
  });
}

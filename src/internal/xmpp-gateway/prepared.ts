import { ok, type Result } from '#kernel';
import { type Credentials, loadCredentials, loadTrustAnchors, type TrustAnchors } from '#platform/pki';
import type { InternalDocument } from '#platform/topology';
import { GatewayStore } from './gateway-store.ts';

/** A document made ready: the files that it names, loaded, and the database, opened. */
export interface Prepared {
  readonly document: InternalDocument;
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** Absent as long as there is nothing to do. */
  readonly store: GatewayStore | undefined;
}

/** @param running the store in use, kept when the document names the same file */
export function prepare(
  document: InternalDocument,
  wall: number,
  running: { readonly file: string; readonly store: GatewayStore } | undefined,
): Result<Prepared> {
  const credentials = loadCredentials(document.host.certificates.internal, wall);
  if (!credentials.ok) return credentials;
  const trust = loadTrustAnchors(document.host.internalCa);
  if (!trust.ok) return trust;
  const made = { document, credentials: credentials.value, trust: trust.value };
  const { database, edges } = document.xmppGateway;
  if (edges.length === 0) return ok({ ...made, store: undefined });
  const store = running?.file === database ? ok(running.store) : GatewayStore.open(database);
  return store.ok ? ok({ ...made, store: store.value }) : store;
}

import { join } from 'node:path';
import { ok, type Result } from '#kernel';
import { type DocumentError, type EdgeDocument, loadEdgeDocument } from '#platform/topology';
import type { ActivatedKeys, ChainHead, Manifest } from '#protocols/replication';

/** A verified version in its folder, the one that runs or one that may. */
export interface ReplicaVersion {
  readonly head: ChainHead;
  readonly folder: string;
  readonly policyFile: string;
  readonly manifest: Manifest;
}

/** Names of the entries that only this edge can open. */
export function secretsOf({ manifest }: Pick<ReplicaVersion, 'manifest'>): ReadonlySet<string> {
  return new Set(manifest.entries.filter(({ sealed }) => sealed).map(({ name }) => name));
}

/**
 * The edge's document with the policy of a version, in which the keys that were activated stand as those in use.
 * @param keys undefined: those that the policy names
 */
export function loadVersion(
  documentFile: string,
  version: ReplicaVersion,
  keys: ActivatedKeys | undefined,
): Result<EdgeDocument, DocumentError[]> {
  const { policyFile } = version;
  const loaded = loadEdgeDocument(documentFile, { policyFile });
  if (!loaded.ok || keys === undefined) return loaded;
  return ok(withKeys(loaded.value, version, keys));
}

function withKeys(document: EdgeDocument, version: ReplicaVersion, keys: ActivatedKeys): EdgeDocument {
  const { mediaCredentials, pool } = document.policy;
  const files = new Set([...secretsOf(version)].map((name) => join(version.folder, name)));
  const media = turned(files, join(version.folder, keys.media), {
    current: mediaCredentials.keyFile,
    others: mediaCredentials.previousKeyFiles,
  });
  const flow = turned(files, join(version.folder, keys.flow), {
    current: pool.flowKeyFile,
    others: pool.previousFlowKeyFiles,
  });
  const policy = {
    ...document.policy,
    mediaCredentials: { ...mediaCredentials, keyFile: media.current, previousKeyFiles: media.others },
    pool: { ...pool, flowKeyFile: flow.current, previousFlowKeyFiles: flow.others },
  };
  return { ...document, policy };
}

interface Listed<File extends string | undefined> {
  readonly current: File;
  readonly others: string[];
}

/** A key that a scope of the policy names in place of the store's own counts more: it is no file of the version. */
function turned<File extends string | undefined>(
  files: ReadonlySet<string>,
  wanted: string & File,
  listed: Listed<File>,
): Listed<File> {
  const { current, others } = listed;
  if (current === undefined || !files.has(current) || !others.includes(wanted)) return listed;
  return { current: wanted, others: [current, ...others.filter((file) => file !== wanted)] };
}

import { join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import type { ReplicaSettings } from '#platform/topology';
import { POLICY_ENTRY, unseal, verifyPush } from '#protocols/replication';
import { type ReplicaFolder, readBounded } from './folder.ts';
import type { ReplicaVersion } from './version.ts';

/**
 * Whether what is stored is what was signed for this edge, by a key that its document trusts today. Somebody who could
 * write into the folder, or a disk that lost something, is noticed before a service runs on it.
 */
export function verifyCurrent(folder: ReplicaFolder, settings: ReplicaSettings): Result<ReplicaVersion> {
  const current = folder.current();
  if (current === undefined) return err(failure('SLP-CFG-0012', folder.path));
  const { edge, signers } = settings;
  const verdict = verifyPush(current.push, { edge, signers, head: undefined, held: () => undefined });
  if (!verdict.ok) return err(verdict.error.failure);
  const key = folder.sealingKey();
  if (!key.ok) return key;
  for (const { entry, bytes } of verdict.value.entries) {
    const file = join(current.folder, entry.name);
    const content = entry.sealed ? unseal(bytes, key.value, { edge, name: entry.name }) : bytes;
    if (content === undefined) return err(failure('SLP-CFG-0010', entry.name));
    const stored = readBounded(file, content.length);
    if (stored === undefined || !stored.equals(content)) {
      return err(failure('SLP-CFG-0012', `${file} is not what was signed`));
    }
  }
  const { manifest } = verdict.value;
  const policyFile = join(current.folder, POLICY_ENTRY);
  return ok({ head: current.head, folder: current.folder, policyFile, manifest });
}

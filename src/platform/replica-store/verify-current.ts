import { join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import type { ReplicaSettings } from '#platform/topology';
import { type ChainHead, POLICY_ENTRY, verifyPush } from '#protocols/replication';
import { type ReplicaFolder, readBounded } from './folder.ts';

/**
 * Whether what is stored is what was signed for this edge, by a key that its document trusts today. Somebody who could
 * write into the folder, or a disk that lost something, is noticed before a service runs on it.
 */
export function verifyCurrent(folder: ReplicaFolder, settings: ReplicaSettings): Result<ChainHead> {
  const current = folder.current();
  if (current === undefined) return err(failure('SLP-CFG-0012', folder.path));
  const { edge, signers } = settings;
  const verdict = verifyPush(current.push, { edge, signers, head: undefined, held: () => undefined });
  if (!verdict.ok) return err(verdict.error.failure);
  for (const { entry, bytes } of verdict.value.entries) {
    if (entry.name !== POLICY_ENTRY) continue;
    const file = join(current.folder, POLICY_ENTRY);
    if (!Buffer.from(bytes).equals(readBounded(file, bytes.length) ?? Buffer.of())) {
      return err(failure('SLP-CFG-0012', `${file} is not what was signed`));
    }
  }
  return ok(current.head);
}

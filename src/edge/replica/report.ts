import { FailureError, type WallTime } from '#kernel';
import { ReplicaFolder } from '#platform/replica-store';
import { PRODUCT_VERSION } from '#platform/telemetry';
import { type EdgeDocument, settings } from '#platform/topology';
import { type EdgeReport, NEWEST_FORMAT, OLDEST_FORMAT } from '#protocols/replication';

/** What this edge tells about itself. @throws FailureError when its own key cannot be read */
export function reportOf(document: EdgeDocument, now: WallTime): EdgeReport {
  const folder = new ReplicaFolder(document.host.stateDirectory);
  const replicated = document.host.replication.policy === 'replicated';
  const current = replicated ? folder.current() : undefined;
  const sealing = folder.sealingKey();
  if (!sealing.ok) throw new FailureError(sealing.error);
  return {
    edge: document.host.name,
    product: PRODUCT_VERSION,
    formats: { oldest: OLDEST_FORMAT, newest: NEWEST_FORMAT },
    now,
    sealingKey: sealing.value.publicKey,
    policy: replicated ? 'replicated' : 'local',
    head: current?.head ?? null,
    held: [...(current?.push.entries.keys() ?? [])],
    appliedAt: folder.appliedAt,
    last: folder.last,
    settings: settings('edge')
      .map((setting) => setting.name)
      .filter((name) => name.startsWith('policy.')),
    healthy: true,
  };
}

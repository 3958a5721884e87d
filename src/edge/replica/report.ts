import { relative, sep } from 'node:path';
import { FailureError, type WallTime } from '#kernel';
import { keptActivation, ReplicaFolder } from '#platform/replica-store';
import { PRODUCT_VERSION } from '#platform/telemetry';
import { type EdgeDocument, settings } from '#platform/topology';
import { type EdgeReport, NEWEST_FORMAT, OLDEST_FORMAT, parseManifest } from '#protocols/replication';

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
    inUse: inUseOf(document, folder, current),
  };
}

/** The keys with which this document's services work, as the store knows them. */
function inUseOf(
  { host, policy }: EdgeDocument,
  folder: ReplicaFolder,
  current: ReturnType<ReplicaFolder['current']>,
): EdgeReport['inUse'] {
  const manifest = current === undefined ? undefined : parseManifest(current.push.manifest);
  const settings = {
    edge: host.name,
    stateDirectory: host.stateDirectory,
    signers: host.replication.signers,
  };
  const kept =
    current !== undefined && manifest?.ok === true
      ? keptActivation(folder, settings, { head: current.head, manifest: manifest.value })
      : undefined;
  return {
    version: kept?.version ?? null,
    media: nameOf(folder, policy.mediaCredentials.keyFile),
    flow: nameOf(folder, policy.pool.flowKeyFile),
  };
}

/** The name of an entry from where it lies: in the folder of a version. */
function nameOf(folder: ReplicaFolder, file: string | undefined): string | null {
  const steps = file === undefined ? [] : relative(folder.versions, file).split(sep);
  return steps.length < 2 || steps[0] === '..' ? null : steps.slice(1).join('/');
}

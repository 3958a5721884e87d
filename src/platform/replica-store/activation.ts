import { err, failure, ok, type Result } from '#kernel';
import { replaceDurably } from '#platform/store';
import type { ReplicaSettings } from '#platform/topology';
import {
  ACTIVATION_BYTES,
  type Activation,
  decodeActivation,
  encodeActivation,
  verifyActivation,
} from '#protocols/replication';
import { type ReplicaFolder, readBounded } from './folder.ts';
import { type ReplicaVersion, secretsOf } from './version.ts';

/** An activation that was verified, and not kept yet. */
export interface StagedActivation {
  readonly activation: Activation;
  /** It is what was kept already; there is nothing to do. */
  readonly unchanged: boolean;
  /** Makes it what a restart uses. @throws when the disk refuses; then that is as it was */
  commit(): void;
}

/**
 * What was activated last, if it counts with this version: one that is damaged, was signed by somebody else, belongs to
 * a later version, or names what is not there, is none. Then the keys count that the policy names, which every edge
 * honours too, and the store says again what it wants.
 */
export function keptActivation(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  version: Pick<ReplicaVersion, 'head' | 'manifest'>,
): Activation | undefined {
  const bytes = readBounded(folder.activationFile, ACTIVATION_BYTES);
  const verdict = bytes === undefined ? undefined : judge(settings, version, bytes, undefined);
  return verdict?.ok === true ? verdict.value.activation : undefined;
}

/**
 * Verifies an activation for a version: the one that runs, or one that is imported together with it.
 * @param bytes may be anything
 */
export function stageActivation(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  version: ReplicaVersion,
  bytes: Uint8Array,
): Result<StagedActivation> {
  const verdict = judge(settings, version, bytes, keptActivation(folder, settings, version));
  if (!verdict.ok) return verdict;
  return ok({
    ...verdict.value,
    commit() {
      folder.prepare();
      if (!verdict.value.unchanged) replaceDurably(folder.activationFile, bytes);
    },
  });
}

/** The same from a file, which is read once. */
export function stageActivationFile(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  version: ReplicaVersion,
  file: string,
): Result<StagedActivation> {
  const bytes = readBounded(file, ACTIVATION_BYTES);
  if (bytes === undefined) return err(failure('SLP-CFG-0001', 'an activation, or not a file'));
  return stageActivation(folder, settings, version, bytes);
}

function judge(
  { edge, signers }: ReplicaSettings,
  version: Pick<ReplicaVersion, 'head' | 'manifest'>,
  bytes: Uint8Array,
  kept: Activation | undefined,
): Result<{ activation: Activation; unchanged: boolean }> {
  const signed = decodeActivation(bytes);
  if (!signed.ok) return err(signed.error.failure);
  // One spelling on the disk too, so that what is kept is what was signed and nothing beside it.
  if (!encodeActivation(signed.value).equals(bytes))
    return err(failure('SLP-CFG-0002', 'an activation that is not in its canonical form'));
  const { head } = version;
  const verdict = verifyActivation(signed.value, { edge, signers, head, secrets: secretsOf(version), kept });
  return verdict.ok ? verdict : err(verdict.error.failure);
}

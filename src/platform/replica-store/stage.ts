import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import { relinkDurably, syncFolder, writeDurably } from '#platform/store';
import type { ReplicaSettings } from '#platform/topology';
import {
  type ChainHead,
  decodePush,
  encodePush,
  linkHash,
  type Manifest,
  PUSH_BYTES,
  type Push,
  type Refusal,
  type RefusalReason,
  refuse,
  unseal,
  type VerifiedSnapshot,
  verifyPush,
} from '#protocols/replication';
import { type ReplicaFolder, readBounded, type StoredVersion } from './folder.ts';

/** Why something that arrived was not stored; `storage`: this host could not write it, or not open its secrets. */
interface StageProblem extends Omit<Refusal, 'reason'> {
  readonly reason: RefusalReason | 'storage';
}
export interface StageRefusal extends StageProblem {
  /** As far as it could be told. */
  readonly head: ChainHead | undefined;
}

/** A verified version on the disk, beside the one that runs. */
export interface Staged {
  readonly head: ChainHead;
  readonly policyFile: string;
  readonly folder: string;
  readonly manifest: Manifest;
  /** It is what runs already; there is nothing to do. */
  readonly unchanged: boolean;
  readonly author: string;
  readonly reason: string;
  /** Makes it the current one. @throws when the disk refuses; then the old one is current */
  commit(): void;
  discard(): void;
}

export interface StageOptions {
  /** An administrator at this host says that another history may take over (import only). */
  readonly anyHistory?: boolean;
}

/** Verifies a push file and writes it as a version. The file is read once; it may be anything. */
export function stageFile(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  file: string,
  options: StageOptions = {},
): Result<Staged, StageRefusal> {
  const bytes = readBounded(file, PUSH_BYTES);
  if (bytes === undefined) return refusalOf(refuse('oversized', 'or not a file').error, undefined);
  return stage(folder, settings, bytes, options);
}

/** The same from bytes. */
export function stage(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  bytes: Uint8Array,
  options: StageOptions = {},
): Result<Staged, StageRefusal> {
  const push = decodePush(bytes);
  if (!push.ok) return refusalOf(push.error, undefined);
  const current = folder.current();
  const verified = verifyPush(push.value, {
    edge: settings.edge,
    signers: settings.signers,
    head: options.anyHistory === true ? undefined : current?.head,
    held: (hash) => current?.push.entries.get(hash),
  });
  if (!verified.ok) return refusalOf(verified.error, claimedHead(push.value));
  const secrets = openSecrets(folder, settings, verified.value);
  if (!secrets.ok) return refusalOf(secrets.error, verified.value.head);
  if (verified.value.unchanged && current !== undefined) return ok(unchangedStage(current, verified.value));
  try {
    return ok(write(folder, verified.value, secrets.value));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = failure('SLP-CFG-0011', `${folder.path}: ${code ?? message}`, error);
    return err({ reason: 'storage', failure: problem, head: verified.value.head });
  }
}

function refusalOf(refusal: StageProblem, head: ChainHead | undefined): Result<never, StageRefusal> {
  return err({ ...refusal, head });
}

/** What it says it is, for the report; not believed. */
function claimedHead(push: Push): ChainHead | undefined {
  try {
    const text = push.links.at(-1)?.text ?? '';
    const { version } = JSON.parse(text) as { version: unknown };
    const valid = typeof version === 'number' && Number.isSafeInteger(version) && version > 0;
    return valid ? { version, hash: linkHash(text) } : undefined;
  } catch {
    return undefined;
  }
}

type Opened = ReadonlyMap<string, Uint8Array>;

/** Every entry by name, as the services are to read it. */
function openSecrets(
  folder: ReplicaFolder,
  settings: ReplicaSettings,
  snapshot: VerifiedSnapshot,
): Result<Opened, StageProblem> {
  const opened = new Map<string, Uint8Array>();
  const key = folder.sealingKey();
  if (!key.ok) return err({ reason: 'storage', failure: key.error });
  for (const { entry, bytes } of snapshot.entries) {
    if (!entry.sealed) {
      opened.set(entry.name, bytes);
      continue;
    }
    const secret = unseal(bytes, key.value, { edge: settings.edge, name: entry.name });
    if (secret === undefined) return refuse('sealed-to-another', entry.name);
    opened.set(entry.name, secret);
  }
  return ok(opened);
}

function unchangedStage(current: StoredVersion, { manifest }: VerifiedSnapshot): Staged {
  const { head, folder } = current;
  const policyFile = join(folder, 'policy.yaml');
  const { author, reason } = manifest;
  return { head, folder, policyFile, manifest, author, reason, unchanged: true, commit() {}, discard() {} };
}

/** The names that this room itself puts into a version's folder. */
const OWN = 'push.json';

function write(folder: ReplicaFolder, snapshot: VerifiedSnapshot, opened: Opened): Staged {
  folder.prepare();
  const { head, manifest } = snapshot;
  const name = `${head.version}-${head.hash.slice(0, 16)}`;
  const target = join(folder.versions, name);
  const draft = join(folder.versions, `${name}.draft`);
  rmSync(draft, { recursive: true, force: true });
  if (folder.currentFolder !== target) rmSync(target, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  const stored = encodePush({
    links: [snapshot.signedLink],
    manifest: snapshot.manifestText,
    entries: new Map(snapshot.entries.map(({ entry, bytes }) => [entry.sha256, bytes])),
  });
  if (!stored.ok) throw new Error('what was received is too large to be kept');
  writeDurably(join(draft, OWN), stored.value);
  const folders = new Set<string>();
  for (const [entry, content] of opened) {
    const file = join(draft, entry);
    writeDurably(file, content);
    folders.add(dirname(file));
  }
  for (const one of folders) syncFolder(one);
  syncFolder(draft);
  renameSync(draft, target);
  syncFolder(folder.versions);
  return {
    head,
    folder: target,
    manifest,
    policyFile: join(target, 'policy.yaml'),
    author: manifest.author,
    reason: manifest.reason,
    unchanged: false,
    commit: () => relinkDurably(folder.currentLink, join('versions', basename(target))),
    discard: () => rmSync(target, { recursive: true, force: true }),
  };
}

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { err, failure, ok, type Result } from '#kernel';
import { createDurably, linkTarget, replaceDurably } from '#platform/store';
import { currentReplica, replicaActivation } from '#platform/topology';
import {
  type Attempt,
  type ChainHead,
  decodePush,
  linkHash,
  makeSealingKey,
  PUSH_BYTES,
  type Push,
  readSealingKey,
  type SealingKey,
  sealingKeyPem,
} from '#protocols/replication';

/** What stands in `push.json` of a version, read back. */
export interface StoredVersion {
  readonly folder: string;
  readonly head: ChainHead;
  readonly push: Push;
}

/** The folder `replica` of one edge. The supervisor writes it; everybody of that edge may read. */
export class ReplicaFolder {
  readonly path: string;
  readonly #stateDirectory: string;

  constructor(stateDirectory: string) {
    this.#stateDirectory = stateDirectory;
    this.path = join(stateDirectory, 'replica');
  }
  get currentLink(): string {
    return currentReplica(this.#stateDirectory);
  }
  get versions(): string {
    return join(this.path, 'versions');
  }
  get activationFile(): string {
    return replicaActivation(this.#stateDirectory);
  }
  get inbox(): string {
    return join(this.path, 'inbox');
  }

  prepare(): void {
    for (const folder of [this.path, this.versions, this.inbox])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Folder of the version that runs; undefined before the first load. */
  get currentFolder(): string | undefined {
    const target = linkTarget(this.currentLink);
    return target === undefined ? undefined : join(this.path, target);
  }

  /** The version that runs as it was stored, unjudged; undefined when there is none or it cannot be read. */
  current(): StoredVersion | undefined {
    const folder = this.currentFolder;
    if (folder === undefined) return undefined;
    const bytes = readBounded(join(folder, 'push.json'), PUSH_BYTES);
    const push = bytes === undefined ? undefined : decodePush(bytes);
    const link = push?.ok === true ? push.value.links.at(-1) : undefined;
    if (push?.ok !== true || link === undefined) return undefined;
    const head = headOf(link.text);
    return head === undefined ? undefined : { folder, head, push: push.value };
  }

  /**
   * The key to which secrets for this edge are sealed; made when it is first asked for, by whichever process that is.
   * A file that holds none is a failure: another key in its place would make every secret unreadable.
   */
  sealingKey(): Result<SealingKey> {
    const file = join(this.path, 'sealing.key');
    if (!existsSync(file)) {
      this.prepare();
      createDurably(file, sealingKeyPem(makeSealingKey()));
    }
    const known = readSealingKey(readFileSync(file, 'utf8'));
    return known === undefined ? err(failure('SLP-CFG-0037', file)) : ok(known);
  }

  get last(): Attempt | null {
    const bytes = readBounded(join(this.path, 'last.json'), 1_048_576);
    try {
      return bytes === undefined ? null : (JSON.parse(bytes.toString()) as Attempt);
    } catch {
      return null;
    }
  }
  /** When the version that runs became that one, milliseconds since 1970. */
  get appliedAt(): number | null {
    const folder = this.currentFolder;
    const stats = folder === undefined ? undefined : statSync(this.currentLink, { throwIfNoEntry: false });
    return stats === undefined ? null : Math.round(stats.ctimeMs);
  }
  note(attempt: Attempt): void {
    this.prepare();
    replaceDurably(join(this.path, 'last.json'), JSON.stringify(attempt));
  }

  /** Removes what a crash left behind, and versions that nothing returns to any more. */
  sweepVersions(): void {
    const current = this.currentFolder;
    for (const name of list(this.versions)) {
      const folder = join(this.versions, name);
      if (folder !== current) rmSync(folder, { recursive: true, force: true });
    }
  }
  /** Removes what was received and never judged. */
  sweepInbox(): void {
    for (const name of list(this.inbox)) rmSync(join(this.inbox, name), { recursive: true, force: true });
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Version and hash of a link that stands where only judged ones are put. */
function headOf(text: string): ChainHead | undefined {
  try {
    const { version } = JSON.parse(text) as { version: number };
    return { version, hash: linkHash(text) };
  } catch {
    return undefined;
  }
}

/** The bytes of an ordinary file; undefined when it is absent, something else or too large. */
export function readBounded(file: string, limit: number): Buffer | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > limit) return undefined;
  return readFileSync(file);
}

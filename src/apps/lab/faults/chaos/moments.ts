import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ReplicaFolder } from '#platform/replica-store';

/** The steps of a push in their order, as far as they can be seen from outside the programs. */
export const moments = ['asked', 'answered', 'received', 'drafted', 'stored', 'current', 'told'] as const;
export type Moment = (typeof moments)[number];

/** What the folder of the edge looked like before the push. */
interface Before {
  readonly current: string | undefined;
  readonly versions: ReadonlySet<string>;
  readonly told: number;
}

/** Looks at the folder of an edge from outside, without taking part. */
export class PushWatch {
  readonly #folder: ReplicaFolder;
  readonly #before: Before;
  /** The store has answered the one who changed the policy. */
  answered = false;

  constructor(stateDirectory: string) {
    this.#folder = new ReplicaFolder(stateDirectory);
    this.#before = {
      current: currentOf(this.#folder),
      versions: new Set(namesIn(this.#folder.versions)),
      told: this.#told(),
    };
  }

  /** Resolves once the push has come so far, or further; at last when nothing comes of it any more. */
  async reached(moment: Moment, patienceMs: number): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    while (!this.#isPast(moment)) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  }

  #isPast(moment: Moment): boolean {
    const fresh = () => namesIn(this.#folder.versions).filter((name) => !this.#before.versions.has(name));
    switch (moment) {
      case 'asked':
        return true;
      case 'answered':
        return this.answered;
      case 'received':
        return namesIn(this.#folder.inbox).length > 0 || this.#isPast('drafted');
      case 'drafted':
        return fresh().length > 0 || this.#isPast('current');
      case 'stored':
        return fresh().some((name) => !name.endsWith('.draft')) || this.#isPast('current');
      case 'current':
        return currentOf(this.#folder) !== this.#before.current;
      case 'told':
        return this.#told() !== this.#before.told;
    }
  }
  #told(): number {
    return statSync(join(this.#folder.path, 'last.json'), { throwIfNoEntry: false })?.ino ?? 0;
  }
}

/** Where the link leads that says which version runs. */
export function currentOf(folder: ReplicaFolder): string | undefined {
  try {
    return readlinkSync(folder.currentLink);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

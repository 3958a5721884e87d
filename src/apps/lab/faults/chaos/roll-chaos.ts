import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadVerifiedEdge, ReplicaFolder } from '#platform/replica-store';
import { edgeReport } from '#protocols/replication';
import type { ManagedPerimeter } from '../../testing/managed-perimeter.ts';
import { eventually, until } from '../until.ts';
import { currentOf } from './moments.ts';
import { kill, type Victim } from './victims.ts';

/** The steps of a roll in their order, as far as they can be seen from outside the programs. */
export const rollMoments = ['asked', 'made', 'known', 'received', 'kept', 'told'] as const;
export type RollMoment = (typeof rollMoments)[number];

/** For a moment that may have passed before anybody looked. Milliseconds. */
const PATIENCE_MS = 3000;

interface Keys {
  readonly media: string;
  readonly flow: string;
}

/**
 * Rolls all keys again and again, and kills somebody at some step of every roll. Whatever happens, the edge has a whole and
 * signed configuration with the keys of before or the new ones; and at last it uses the new ones, by one version.
 */
export class RollChaos {
  readonly #managed: ManagedPerimeter;
  readonly #folder: ReplicaFolder;

  constructor(managed: ManagedPerimeter) {
    this.#managed = managed;
    this.#folder = new ReplicaFolder(join(managed.perimeter.plan.folder, 'edge-state'));
  }

  /** One roll, one kill, and everything well again. @throws when it is not */
  async round(victim: Victim, moment: RollMoment, lagMs: number): Promise<void> {
    const { perimeter } = this.#managed;
    const before = this.#keysOnDisk();
    const { version } = (await this.#managed.status()).store;
    const seen = this.#watch();
    let made = false;
    const asked = this.#roll().then(
      () => {
        made = true;
      },
      () => {},
    );
    await reached(() => moment === 'asked' || (moment === 'made' ? made : seen(moment)));
    await new Promise((resolve) => setTimeout(resolve, lagMs));
    await kill(perimeter, victim, () => this.#check(before));
    await asked;
    // Only what the store has answered is promised; what it had no time to do is asked for again.
    await eventually('the roll is made', async () => {
      const { version: now } = (await this.#managed.status()).store;
      if (now === version) await this.#roll().catch(this.#unlessUnderWay);
      assert.equal((await this.#managed.status()).store.version, version + 1);
    });
    await this.#managed.manage('replicate', { author: 'tester' });
    await this.#settles(before, version + 1);
  }

  #roll(): Promise<unknown> {
    return this.#managed.manage('keys-roll', { keys: 'all', author: 'tester' });
  }
  readonly #unlessUnderWay = (problem: unknown): void => {
    if (!/SLP-CFG-0024/.test(String(problem))) throw problem;
  };

  async #settles(before: Keys, version: number): Promise<void> {
    await until('the new keys are used', async () => {
      this.#check(before);
      const { store, edges } = await this.#managed.status();
      assert.equal(store.version, version, 'one roll is one version');
      return store.keys === 'steady' && edges.every(({ state }) => state === 'up-to-date');
    });
    const now = this.#keysOnDisk();
    assert.ok(now.media !== before.media && now.flow !== before.flow, JSON.stringify(now));
    await until('every service runs with them', async () => {
      const { edge } = this.#managed.perimeter;
      const status = await edge.status();
      const { inUse } = edgeReport.parse(await edge.ask('replica', 'report'));
      const said = { media: basename(inUse?.media ?? ''), flow: basename(inUse?.flow ?? '') };
      assert.deepEqual(said, now);
      return (
        status?.services.every(
          ({ documentVersion, health }) => documentVersion === status.document.version && health.ok,
        ) === true
      );
    });
  }

  /** What stands on the disk is signed and whole, and its keys are both of before or both new. */
  #check(before: Keys): void {
    const { media, flow } = this.#keysOnDisk();
    assert.equal(media === before.media, flow === before.flow, `${media} ${flow}`);
  }
  #keysOnDisk(): Keys {
    for (;;) {
      const current = currentOf(this.#folder);
      const loaded = loadVerifiedEdge(this.#managed.perimeter.files.edgeDocument);
      // The edge may replace it while we read, and remove what it had.
      if (!loaded.ok && current !== currentOf(this.#folder)) continue;
      assert.ok(loaded.ok, JSON.stringify(loaded));
      const { mediaCredentials, pool } = loaded.value.policy;
      return { media: basename(mediaCredentials.keyFile), flow: basename(pool.flowKeyFile ?? '') };
    }
  }

  /** Looks at the folder of the edge from outside; a later moment stands for those before it. */
  #watch(): (moment: RollMoment) => boolean {
    const inode = (file: string) => statSync(file, { throwIfNoEntry: false })?.ino;
    const last = join(this.#folder.path, 'last.json');
    const before = { kept: inode(this.#folder.activationFile), current: currentOf(this.#folder) };
    let toldAtKeeping: number | undefined;
    const seen = {
      kept: () => {
        const kept = inode(this.#folder.activationFile) !== before.kept;
        if (kept) toldAtKeeping ??= inode(last);
        return kept;
      },
      received: () =>
        readdirSync(this.#folder.inbox).some((name) => name.endsWith('.activation')) || seen.kept(),
      known: () => currentOf(this.#folder) !== before.current,
      told: () => seen.kept() && inode(last) !== toldAtKeeping,
    };
    return (moment) => (moment === 'asked' || moment === 'made' ? true : seen[moment]());
  }
}

/** At last when nothing comes of it any more. */
async function reached(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
}

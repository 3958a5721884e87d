import assert from 'node:assert/strict';
import { SeededRandom } from '#kernel';
import { loadVerifiedEdge, ReplicaFolder } from '#platform/replica-store';
import type { ManagedPerimeter } from '../../testing/managed-perimeter.ts';
import { eventually, until } from '../until.ts';
import { currentOf, type Moment, moments, PushWatch } from './moments.ts';
import { realmOf } from './realm.ts';
import { kill, nameOf, victims } from './victims.ts';

/** Longest wait after the moment, so that what cannot be seen from outside is hit too. Milliseconds. */
const LONGEST_LAG_MS = 120;
/** For a moment that may not come, because the victim of the round before has not come back. Milliseconds. */
const PATIENCE_MS = 3000;

export interface ChaosRound {
  readonly victim: string;
  readonly moment: Moment;
  readonly lagMs: number;
}

/**
 * Changes the policy again and again, and kills somebody at some step of every push. Whatever happens, what the edge
 * has on its disk is a whole and signed configuration, one of the two that it may be; and at last it runs the new one.
 */
export class ReplicationChaos {
  readonly #managed: ManagedPerimeter;
  readonly #random: SeededRandom;
  readonly #folder: ReplicaFolder;
  readonly #deck: ChaosRound[] = [];
  readonly #patient: boolean;
  #value = 0;

  /** @param patient waits until the store tries again by itself; otherwise it is asked to, as an operator would */
  constructor(managed: ManagedPerimeter, seed: number, patient: boolean) {
    this.#managed = managed;
    this.#patient = patient;
    this.#random = new SeededRandom(seed);
    const { edgeDocument } = managed.perimeter.files;
    const loaded = loadVerifiedEdge(edgeDocument);
    assert.ok(loaded.ok);
    this.#folder = new ReplicaFolder(loaded.value.host.stateDirectory);
  }

  /** One change, one kill, and everything well again. @throws when it is not */
  async round(): Promise<ChaosRound> {
    const round = this.#draw();
    const victim = victims.find((one) => nameOf(one) === round.victim) ?? assert.fail(round.victim);
    const allowed = new Set([realm(this.#value), realm(this.#value + 1)]);
    this.#value += 1;
    const wanted = realm(this.#value);
    const watch = new PushWatch(this.#folder.path.replace(/\/replica$/, ''));
    const asked = this.#change(wanted).then(
      () => {
        watch.answered = true;
      },
      () => {},
    );
    await watch.reached(round.moment, PATIENCE_MS);
    await new Promise((resolve) => setTimeout(resolve, round.lagMs));
    await kill(this.#managed.perimeter, victim, () => this.#checkDisk(allowed));
    await asked;
    // Only what the store has answered is promised; what it had no time to store is asked for again.
    await eventually('the change is stored', async () => {
      const stored = await this.#managed.manage('value', { path: 'policy.relay.realm' });
      if ((stored as { value: unknown }).value !== wanted) await this.#change(wanted);
    });
    if (!this.#patient) await this.#managed.manage('replicate', { author: 'tester' });
    await this.#checkRunning(wanted, allowed);
    return round;
  }

  /** Every pair of victim and moment once before any comes again, in an order that the seed decides. */
  #draw(): ChaosRound {
    if (this.#deck.length === 0) {
      for (const victim of victims) {
        for (const moment of moments) {
          const round = { victim: nameOf(victim), moment, lagMs: this.#random.integer(LONGEST_LAG_MS) };
          this.#deck.splice(this.#random.integer(this.#deck.length + 1), 0, round);
        }
      }
    }
    return this.#deck.pop() ?? assert.fail('an empty deck');
  }

  #change(value: string): Promise<void> {
    return this.#managed.set('policy.relay.realm', value);
  }

  /** What stands on the disk of the edge is signed, whole and one of two. */
  #checkDisk(allowed: ReadonlySet<string>): void {
    for (;;) {
      const before = currentOf(this.#folder);
      const loaded = loadVerifiedEdge(this.#managed.perimeter.files.edgeDocument);
      // The edge may replace it while we read, and remove what it had.
      if (!loaded.ok && before !== currentOf(this.#folder)) continue;
      assert.ok(loaded.ok, JSON.stringify(loaded));
      assert.ok(allowed.has(loaded.value.policy.relay.realm), loaded.value.policy.relay.realm);
      return;
    }
  }

  async #checkRunning(wanted: string, allowed: ReadonlySet<string>): Promise<void> {
    await until(`the edge is up to date with ${wanted}`, async () => {
      this.#checkDisk(allowed);
      const { state, here, there } = await this.#managed.row();
      return state === 'up-to-date' && here === there;
    });
    this.#checkDisk(new Set([wanted]));
    await until(`every service runs it, and a client sees ${wanted}`, async () => {
      const status = await this.#managed.perimeter.edge.status();
      const together = status?.services.every(
        ({ documentVersion, health }) => documentVersion === status.document.version && health.ok,
      );
      return together === true && (await realmOf(this.#managed.perimeter)) === wanted;
    });
  }
}

function realm(value: number): string {
  return value === 0 ? 'before.test' : `realm-${value}.test`;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { err, failure, ok, type Result, SystemClock } from '#kernel';
import type { Health } from './definition.ts';
import { type Configuration, type Participant, reconfigure } from './reconfiguration.ts';

type Step = 'prepare' | 'commit';

/** A participant that does as it is told and keeps a diary. */
class Actor implements Participant<string> {
  readonly name: string;
  readonly diary: string[] = [];
  version: number | undefined = 1;
  readonly #fails: (step: Step, version: number) => boolean;
  readonly #healthy: (version: number | undefined, asked: number) => boolean;
  #asked = 0;

  constructor(
    name: string,
    fails: (step: Step, version: number) => boolean = () => false,
    healthy: (version: number | undefined, asked: number) => boolean = () => true,
  ) {
    this.name = name;
    this.#fails = fails;
    this.#healthy = healthy;
  }
  #step(step: Step, version: number): Result<void> {
    this.diary.push(`${step} ${version}`);
    return this.#fails(step, version) ? err(failure('SLP-SVC-0008', `${step} ${version}`)) : ok(undefined);
  }
  async prepare(configuration: Configuration<string>): Promise<Result<void>> {
    return this.#step('prepare', configuration.version);
  }
  async commit(version: number): Promise<Result<void>> {
    const outcome = this.#step('commit', version);
    if (outcome.ok) this.version = version;
    return outcome;
  }
  async abandon(version: number): Promise<Result<void>> {
    this.diary.push(`abandon ${version}`);
    return ok(undefined);
  }
  async health(): Promise<Result<Health>> {
    this.#asked += 1;
    return ok({ ok: this.#healthy(this.version, this.#asked), detail: 'as told' });
  }
  replace(): void {
    this.diary.push('replace');
    this.version = undefined;
  }
}

const configuration = (version: number): Configuration<string> => ({
  version,
  document: `${version}`,
  plan: [],
});
const run = (actors: Actor[], healthyMs = 60_000) =>
  reconfigure(actors, configuration(2), configuration(1), { clock: new SystemClock(), healthyMs, pollMs: 1 });

test('all prepare before any commits, and health may take a while', async () => {
  const actors = [new Actor('a'), new Actor('b', undefined, (_version, asked) => asked > 3)];
  const keepAlive = setInterval(() => {}, 1000);
  assert.deepEqual(await run(actors), { ok: true, value: undefined });
  clearInterval(keepAlive);
  assert.deepEqual(
    actors.map((actor) => actor.diary),
    [
      ['prepare 2', 'commit 2'],
      ['prepare 2', 'commit 2'],
    ],
  );
});

test('one refusal: all abandon, nobody commits', async () => {
  const actors = [new Actor('a'), new Actor('b', (step) => step === 'prepare')];
  const outcome = await run(actors);
  assert.equal(outcome.ok ? '' : outcome.error.stage, 'refused');
  assert.deepEqual(outcome.ok ? [] : outcome.error.problems.map((problem) => problem.service), ['b']);
  for (const actor of actors) assert.deepEqual(actor.diary, ['prepare 2', 'abandon 2']);
});

test('one failing swap, or one ill after it: all return', async () => {
  for (const bad of [
    new Actor('b', (step, version) => step === 'commit' && version === 2),
    new Actor('b', undefined, (version) => version === 1),
  ]) {
    const good = new Actor('a');
    const outcome = await run([good, bad], 0);
    assert.equal(outcome.ok ? '' : outcome.error.stage, 'rolled-back');
    assert.deepEqual(good.diary, ['prepare 2', 'commit 2', 'prepare 1', 'commit 1']);
    assert.deepEqual([good.version, bad.version], [1, 1]);
  }
});

test('one that cannot return is replaced', async () => {
  const bad = new Actor(
    'b',
    (step, version) => step === 'prepare' && version === 1,
    () => false,
  );
  assert.equal((await run([bad], 0)).ok, false);
  assert.deepEqual(bad.diary, ['prepare 2', 'commit 2', 'prepare 1', 'replace']);
});

test('one that came back with the document before is not taken for healthy', async () => {
  const amnesiac = new Actor('a', undefined, () => {
    amnesiac.version = 1;
    return true;
  });
  const outcome = await run([amnesiac]);
  assert.equal(outcome.ok ? '' : outcome.error.problems[0]?.failure.code, 'SLP-SVC-0001');
});

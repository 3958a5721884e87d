import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Program } from './program.ts';
import { runProgram } from './run-program.ts';
import { Bench } from './testdata/bench.ts';
import { type TestDocument, testProgram } from './testdata/document.ts';

async function start(bench: Bench) {
  const faults = { load: false, files: false };
  let loads = 0;
  const program: Program<TestDocument> = {
    ...testProgram,
    load(file) {
      loads += 1;
      if (faults.load) throw new Error('a bug in reading');
      return testProgram.load(file);
    },
    files(document) {
      if (faults.files) throw new Error('a bug in deriving');
      return testProgram.files(document);
    },
  };
  const timing = { pollMs: 20, filesMs: 3_600_000 };
  const started = await runProgram({ program, file: bench.file, singleProcess: true, write() {}, timing });
  assert.ok(started.ok);
  return { running: started.value, faults, loads: () => loads };
}

test('a storm of requests to reload is two reloads, and every one gets a report', async () => {
  await using bench = await Bench.create();
  const { running, loads } = await start(bench);
  const first = running.reload('first');
  await Promise.resolve();
  const storm = await Promise.all(Array.from({ length: 100 }, () => running.reload('storm')));
  assert.equal((await first).outcome, 'applied');
  assert.deepEqual(new Set(storm.map(({ outcome }) => outcome)), new Set(['applied']));
  assert.equal(loads(), 3, 'at the start, for the first, and once for all others');
  await running.stop(5_000, false);
});

test('a bug that a document brings out is a refused reload and not the end of the supervisor', async () => {
  await using bench = await Bench.create();
  const { running, faults } = await start(bench);
  for (const fault of ['load', 'files'] as const) {
    faults[fault] = true;
    const report = await running.reload('test');
    assert.deepEqual([report.outcome, report.version], ['refused', running.status().document.version]);
    assert.match(report.problems.join(), /a bug in/);
    faults[fault] = false;
    assert.equal((await running.reload('test')).outcome, 'applied');
  }
  await running.stop(5_000, false);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { runProgram } from './run-program.ts';
import { Bench, eventually, listens } from './testdata/bench.ts';
import { testProgram } from './testdata/document.ts';

for (const singleProcess of [false, true]) {
  test(`a start that is given up leaves nothing${singleProcess ? ', in a single process' : ''}`, async () => {
    await using bench = await Bench.create();
    bench.write({ unhealthy: ['av'] });
    const abort = new AbortController();
    const starting = runProgram({
      program: testProgram,
      file: bench.file,
      singleProcess,
      write: () => {},
      abort: abort.signal,
    });
    await eventually('services that are not healthy yet', async () => {
      const status = await bench.administration.call('status', {});
      return (
        (status.ok && status.value.services.every((service) => service.state === 'running')) || undefined
      );
    });
    abort.abort();
    const started = await starting;
    assert.equal(started.ok, false);
    assert.equal(existsSync(bench.socket), false);
    assert.equal(await listens(bench.tcp), false);
  });
}

test('a program that is not healthy in time runs all the same and says so', async () => {
  await using bench = await Bench.create();
  bench.write({ unhealthy: ['av'] });
  const running = await bench.start(false, { healthyMs: 50 });
  assert.equal(running.status().healthy, false);
  assert.ok(bench.lines.some((line) => line.event === 'started, but not healthy'));
  bench.write({ unhealthy: [] });
  assert.equal((await running.reload('test')).outcome, 'applied');
  assert.equal(running.status().healthy, true);
});

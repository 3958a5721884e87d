import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToldRefusals } from './told-refusals.ts';

test('of a source that is refused without end the first are told, then one now and then, with the number of those between', () => {
  const told = new ToldRefusals(0);
  const flood = Array.from({ length: 1000 }, () => told.tell('192.0.2.1', 'token-forged', 0));
  assert.deepEqual(
    flood.filter((held) => held !== undefined),
    Array(10).fill(0),
  );
  assert.equal(told.tell('192.0.2.1', 'token-expired', 0), 0, 'another rule is another matter');
  assert.equal(told.tell('192.0.2.2', 'token-forged', 0), 0, 'and so is another source');
  assert.equal(told.tell('192.0.2.1', 'token-forged', 10_000), 990);
  assert.equal(told.tell('192.0.2.1', 'token-forged', 10_000), undefined);
});

test('very many sources are told no faster than a reader can follow, and none of the number is lost', () => {
  const told = new ToldRefusals(0);
  let [said, held] = [0, 0];
  const one = (source: string, now: number) => {
    const before = told.tell(source, 'token-forged', now);
    if (before === undefined) return;
    said += 1;
    held += before;
  };
  for (let source = 0; source < 10_000; source++) one(`${source}`, 0);
  assert.equal(said, 500);
  for (let source = 0; source < 2000; source++) one(`later ${source}`, 3_600_000 + source * 20);
  assert.equal(said, 2500);
  assert.equal(held, 9500);
});

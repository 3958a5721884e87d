import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createDurably, linkTarget, relinkDurably, replaceDurably } from './durable.ts';

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('of two that make the same file one wins, and the other is told', (t) => {
  const folder = place(t);
  const file = join(folder, 'below', 'key');
  assert.equal(createDurably(file, 'one'), true);
  assert.equal(createDurably(file, 'two'), false);
  assert.equal(readFileSync(file, 'utf8'), 'one');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, 'below')), ['key']);
});

test('what a crash left of an attempt before is no obstacle', (t) => {
  const folder = place(t);
  for (const end of ['.new', `.${process.pid}.new`]) {
    const file = join(folder, `file${end.length}`);
    writeFileSync(`${file}${end}`, 'half of i');
    if (end === '.new') replaceDurably(file, 'whole');
    else createDurably(file, 'whole');
    assert.equal(readFileSync(file, 'utf8'), 'whole');
  }
  const link = join(folder, 'link');
  relinkDurably(link, 'first');
  writeFileSync(`${link}.new`, '');
  relinkDurably(link, 'second');
  assert.equal(linkTarget(link), 'second');
  assert.equal(linkTarget(join(folder, 'absent')), undefined);
});

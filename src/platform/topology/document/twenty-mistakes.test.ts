import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { virtualFiles } from '../testing/virtual-files.ts';
import { examineEdge } from './document.ts';

const path = join(import.meta.dirname, '..', 'testdata', 'twenty-mistakes.yaml');

test('twenty mistakes are twenty messages, each where its mistake is, by the name of its rule', () => {
  const text = readFileSync(path, 'utf8');
  const expected = text.split('\n').flatMap((line, index) => {
    const rule = /# \d+ ([a-z-]+)$/.exec(line)?.[1];
    return rule === undefined ? [] : [`${index + 1}: ${rule}`];
  });
  const { document, findings } = examineEdge(text, { file: 'edge.yaml', files: virtualFiles });
  const errors = findings.filter(({ severity }) => severity === 'error');
  assert.equal(document, undefined);
  assert.equal(expected.length, 20);
  assert.deepEqual(
    errors.map(({ line, rule }) => `${line}: ${rule}`),
    expected,
  );
  for (const { what, instead } of errors) assert.ok(what.length > 10 && instead.length > 5);
});

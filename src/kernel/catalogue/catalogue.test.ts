import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogue } from './index.ts';

const source = join(import.meta.dirname, '..', '..');
const CODE = /'(SLP-[A-Z]+-\d+)'/g;

test('every code stands in one place, and has the form that logs are searched by', () => {
  const written = globSync('*.ts', { cwd: import.meta.dirname }).flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/^ {2}'(SLP-[^']*)': \{$/gm)].map(
      ([, code]) => code,
    ),
  );
  assert.deepEqual([...written].sort(), Object.keys(catalogue).sort());
  for (const code of written) assert.match(code ?? '', /^SLP-[A-Z]{2,4}-\d{4}$/);
});

test('every entry names what happened and the next step', () => {
  for (const [code, { summary, remedy }] of Object.entries(catalogue)) {
    assert.match(summary, /^[^A-Z].*[^.]$|^[A-Z]{2}/, `${code}: a phrase that a detail can follow`);
    assert.match(remedy, /^[A-Z`].*\.$/s, `${code}: a sentence`);
  }
});

test('every code can occur', () => {
  const used = new Set<string>();
  for (const file of globSync('**/*.ts', { cwd: source })) {
    if (file.startsWith('kernel/catalogue/') || file.endsWith('.test.ts')) continue;
    for (const [, code = ''] of readFileSync(join(source, file), 'utf8').matchAll(CODE)) used.add(code);
  }
  assert.deepEqual(
    Object.keys(catalogue).filter((code) => !used.has(code)),
    [],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignRules } from './align.ts';
import type { LoadedRule } from './listing.ts';

/** A rule a letter. */
function rules(letters: string): LoadedRule[] {
  return [...letters].map((letter, handle) => ({ handle, comment: undefined, statements: [letter] }));
}

const cases: readonly [string, string, ReturnType<typeof alignRules>][] = [
  ['abc', 'abc', { missing: [], moved: [], extra: [] }],
  ['abc', 'ac', { missing: [1], moved: [], extra: [] }],
  ['abc', 'xabc', { missing: [], moved: [], extra: [{ index: 0, before: 0 }] }],
  ['abc', 'abcx', { missing: [], moved: [], extra: [{ index: 3, before: undefined }] }],
  ['abc', 'axc', { missing: [1], moved: [], extra: [{ index: 1, before: 1 }] }],
  ['abcd', 'bcda', { missing: [], moved: [0], extra: [] }],
  ['abc', 'aabc', { missing: [], moved: [], extra: [{ index: 1, before: 1 }] }],
  ['abc', '', { missing: [0, 1, 2], moved: [], extra: [] }],
];

for (const [expected, actual, alignment] of cases) {
  test(`"${actual}" where "${expected}" is expected`, () => {
    assert.deepEqual(alignRules(rules(expected), rules(actual)), alignment);
  });
}

test('a rule with another comment is another rule: it no longer says which rows it is for', () => {
  const [a] = rules('a');
  assert.ok(a !== undefined);
  assert.deepEqual(alignRules([{ ...a, comment: 'ext-05' }], [{ ...a, comment: 'mine' }]).missing, [0]);
});

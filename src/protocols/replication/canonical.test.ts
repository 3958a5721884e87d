import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Canonical, canonicalJson, parseCanonical } from './canonical.ts';

const value: fc.Arbitrary<Canonical> = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger().map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }) as fc.Arbitrary<Canonical>,
  ),
})).value;

test('one value has one spelling, whatever the order in which it was written', () => {
  fc.assert(
    fc.property(value, (one) => {
      const text = canonicalJson(one);
      assert.deepEqual(parseCanonical(text), JSON.parse(JSON.stringify(one)));
      assert.equal(canonicalJson(JSON.parse(JSON.stringify(one)) as Canonical), text);
    }),
    { numRuns: 500 },
  );
});

test('any other spelling is no canonical text', () => {
  for (const text of [
    '{"b":1,"a":2}',
    '{"a": 1}',
    '1.0',
    '1e3',
    '-0',
    '0.5',
    '"\\u0061"',
    '{"a":1,"a":1}',
    ' 1',
    '1\n',
  ]) {
    assert.equal(parseCanonical(text), undefined, text);
  }
  assert.equal(parseCanonical('9007199254740993'), undefined);
  assert.equal(parseCanonical('['.repeat(50_000) + ']'.repeat(50_000)), undefined);
});

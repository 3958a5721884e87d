import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadlines } from './deadlines.ts';

test('the earliest comes first, and a key that was moved comes at its new time only', () => {
  const deadlines = new Deadlines<string>();
  deadlines.set('a', 30);
  deadlines.set('b', 20);
  deadlines.set('c', 10);
  deadlines.set('c', 40);
  deadlines.delete('b');
  assert.equal(deadlines.next(), 30);
  assert.equal(deadlines.take(29), undefined);
  assert.deepEqual([deadlines.take(50), deadlines.take(50), deadlines.take(50)], ['a', 'c', undefined]);
  assert.equal(deadlines.size, 0);
});

test('like a plain map that is searched, whatever is done', () => {
  const key = fc.integer({ min: 0, max: 9 });
  const step = fc.oneof(
    fc.tuple(fc.constant('set' as const), key, fc.integer({ min: 0, max: 50 })),
    fc.tuple(fc.constant('delete' as const), key, fc.constant(0)),
    fc.tuple(fc.constant('take' as const), key, fc.integer({ min: 0, max: 50 })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const deadlines = new Deadlines<number>();
      const model = new Map<number, number>();
      for (const [kind, one, time] of steps) {
        if (kind === 'set') {
          deadlines.set(one, time);
          model.set(one, time);
        } else if (kind === 'delete') {
          deadlines.delete(one);
          model.delete(one);
        } else {
          const earliest = model.size === 0 ? undefined : Math.min(...model.values());
          assert.equal(deadlines.next(), earliest);
          const taken = deadlines.take(time);
          assert.equal(taken !== undefined, earliest !== undefined && earliest <= time);
          if (taken !== undefined) {
            assert.equal(model.get(taken), earliest);
            model.delete(taken);
          }
        }
      }
      assert.equal(deadlines.size, model.size);
    }),
  );
});

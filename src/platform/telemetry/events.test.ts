import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventRing } from './events.ts';
import { OncePerKey } from './once-per-key.ts';

const event = (name: string) => ({ at: 0, name, fields: {} });

test('a full ring drops the newcomer and counts it', () => {
  const ring = new EventRing(2);
  let told = 0;
  ring.onEvent = () => {
    told += 1;
  };
  for (const name of ['a', 'b', 'c']) ring.emit(event(name));
  assert.equal(ring.dropped, 1);
  assert.equal(told, 2);
  assert.deepEqual(
    ring.take(10).map((taken) => taken.name),
    ['a', 'b'],
  );
  ring.emit(event('d'));
  assert.deepEqual(
    ring.take(1).map((taken) => taken.name),
    ['d'],
  );
});

test('a ring behaves as a bounded queue', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.integer({ min: -3, max: 20 })),
      (capacity, steps) => {
        const ring = new EventRing(capacity);
        const model: string[] = [];
        let dropped = 0;
        for (const [position, step] of steps.entries()) {
          if (step < 0) {
            assert.deepEqual(
              ring.take(-step).map((taken) => taken.name),
              model.splice(0, -step),
            );
          } else {
            ring.emit(event(`${position}`));
            if (model.length < capacity) model.push(`${position}`);
            else dropped += 1;
          }
          assert.equal(ring.size, model.length);
          assert.equal(ring.dropped, dropped);
        }
      },
    ),
  );
});

test('once per key says yes once, counts the rest, and stays bounded', () => {
  const once = new OncePerKey(2);
  assert.deepEqual(
    ['a', 'a', 'b', 'a', 'c', 'a'].map((key) => once.first(key)),
    [true, false, true, false, true, true],
  );
  assert.equal(once.suppressed, 2);
});

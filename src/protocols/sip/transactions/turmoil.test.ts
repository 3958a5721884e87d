import { it } from 'node:test';
import fc from 'fast-check';
import { Turmoil } from './testing/turmoil.ts';

const number = fc.integer({ min: 0, max: 255 });

for (const reliable of [true, false]) {
  const name = reliable ? 'reliable' : 'unreliable';
  it(`no order of events breaks the layer over ${name} transport, and time empties it`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { maxLength: 120 }), (steps) => {
        const turmoil = new Turmoil(reliable);
        for (const [what, first, second] of steps) turmoil.step(what, first, second);
        turmoil.drains();
      }),
      { numRuns: 400 },
    );
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnnotationKind, AnnotationView } from '#protocols/psom';
import { arrowHead, isHit, smoothPath } from './geometry.ts';

function drawn(kind: AnnotationKind, points: readonly number[], text = ''): AnnotationView {
  return { userId: 1, number: 1, page: 1, kind, colour: 0, width: kind === 'text' ? 20 : 4, points, text };
}

test('an eraser hits what it is on, and nothing beside it', () => {
  const cases: readonly [AnnotationView, number, number, boolean][] = [
    [drawn('pen', [100, 100]), 105, 105, true],
    [drawn('pen', [100, 100]), 130, 100, false],
    [drawn('pen', [100, 100, 200, 100, 200, 300]), 150, 108, true],
    [drawn('pen', [100, 100, 200, 100, 200, 300]), 207, 250, true],
    [drawn('pen', [100, 100, 200, 100, 200, 300]), 150, 200, false],
    [drawn('line', [0, 0, 500, 500]), 250, 250, true],
    [drawn('arrow', [0, 0, 500, 500]), 600, 600, false],
    [drawn('rectangle', [300, 300, 100, 100]), 200, 200, true],
    [drawn('ellipse', [100, 100, 300, 300]), 400, 200, false],
    [drawn('text', [100, 100], 'hello'), 120, 95, true],
    [drawn('text', [100, 100], 'hello'), 300, 95, false],
  ];
  for (const [annotation, x, y, hit] of cases) {
    assert.equal(isHit(annotation, { x, y }), hit, `${annotation.kind} ${annotation.points} at ${x},${y}`);
  }
});

test('paths begin and end where they were drawn', () => {
  assert.equal(smoothPath([5, 6]), 'M5 6h.01');
  assert.equal(smoothPath([1, 2, 3, 4]), 'M1 2L3 4');
  assert.match(smoothPath([1, 2, 3, 4, 5, 6]), /^M1 2Q3 4 4 5L5 6$/);
  assert.match(arrowHead([0, 0, 100, 0], 2), /L100 0L/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from './gate.ts';

test('reading goes on when the last reason against it is gone, each counted once, and never once given up', () => {
  const seen: string[] = [];
  const gate = new Gate({ pause: () => void seen.push('pause'), resume: () => void seen.push('resume') });
  const [one, two] = [gate.hold(), gate.hold()];
  one();
  one();
  assert.deepEqual(seen, ['pause']);
  two();
  assert.deepEqual(seen, ['pause', 'resume']);
  const three = gate.hold();
  gate.giveUp();
  three();
  assert.deepEqual(seen, ['pause', 'resume', 'pause']);
});

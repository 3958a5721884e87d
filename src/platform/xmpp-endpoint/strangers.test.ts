import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Strangers } from './strangers.ts';

test('X1: who holds most places gives one to somebody else, and gets none of them back', () => {
  const strangers = new Strangers();
  const dismissed: string[] = [];
  const come = (name: string, source: string) =>
    strangers.admit({ source, dismiss: () => dismissed.push(name) }, 4);
  for (const name of ['a1', 'a2', 'a3', 'a4']) assert.equal(come(name, 'a'), true);
  assert.equal(come('a5', 'a'), false);
  assert.equal(come('b1', 'b'), true);
  assert.equal(come('c1', 'c'), true);
  assert.deepEqual(dismissed, ['a1', 'a2']);
  assert.equal(come('a6', 'a'), false);
  assert.equal(strangers.size, 4);
});

test('who has proven a domain, or left, holds no place', () => {
  const strangers = new Strangers();
  const stranger = { source: 'a', dismiss: () => assert.fail('it has left') };
  assert.equal(strangers.admit(stranger, 1), true);
  strangers.leave(stranger);
  assert.equal(strangers.admit({ source: 'b', dismiss: () => {} }, 1), true);
});

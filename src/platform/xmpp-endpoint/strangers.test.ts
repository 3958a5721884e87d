import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Strangers } from './strangers.ts';

test('X1: who holds most places gives one to somebody else, and gets none of them back', () => {
  const strangers = new Strangers();
  const dismissed: string[] = [];
  const come = (name: string, source: string) =>
    strangers.admit({ source, claim: () => undefined, dismiss: () => dismissed.push(name) }, 4);
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
  const stranger = { source: 'a', claim: () => 'a.example', dismiss: () => assert.fail('it has left') };
  assert.equal(strangers.admit(stranger, 1), true);
  strangers.leave(stranger);
  assert.equal(strangers.admit({ source: 'b', claim: () => undefined, dismiss: () => {} }, 1), true);
});

test('X1: many sources that all claim one domain keep no place from somebody else', () => {
  const strangers = new Strangers();
  const dismissed: string[] = [];
  const come = (name: string, claim: string | undefined) =>
    strangers.admit({ source: name, claim: () => claim, dismiss: () => dismissed.push(name) }, 4);
  come('honest', 'b.example');
  for (const name of ['a1', 'a2', 'a3']) assert.equal(come(name, 'a.example'), true);
  assert.equal(come('partner', 'c.example'), true);
  assert.deepEqual(dismissed, ['a1']);
  assert.equal(come('another', 'd.example'), false, 'nobody claims more than half of them now');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import type { GuardQuestion, GuardVerdict } from '../guard/guard-office.ts';
import { BegunAttempts } from './begun-attempts.ts';

const PASS: GuardVerdict = { kind: 'pass', delayMs: 0 };
const asks = (name: string, kind: GuardQuestion['kind'] = 'begin'): GuardQuestion => ({
  kind,
  attempt: { accounts: [name], source: '192.0.2.7', address: name, guesses: 1 },
});

function start() {
  const forgotten: string[] = [];
  const clock = new ManualClock();
  const begun = new BegunAttempts(clock, ({ address }) => forgotten.push(address));
  return { begun, clock, forgotten };
}

test('what a worker had begun is forgotten with it, once each; what it told the outcome of is not', async () => {
  const { begun, forgotten } = start();
  for (const name of ['alice', 'alice', 'bob', 'carol'])
    assert.deepEqual(await begun.answer(1, asks(name), PASS), PASS);
  await begun.answer(2, asks('dave'), PASS);
  await begun.answer(1, asks('eve', 'check'), PASS);
  await begun.answer(1, asks('mallory'), { kind: 'refuse', reason: 'blocked-pair', seconds: 1 });
  begun.settled(1, asks('alice').attempt);
  begun.settled(1, asks('bob').attempt);
  begun.settled(1, asks('nobody').attempt);
  begun.handleWorkerEnd(1);
  assert.deepEqual(forgotten, ['alice', 'carol']);
  begun.handleWorkerEnd(1);
  assert.equal(forgotten.length, 2);
});

test('whose turn comes when its worker has ended begins nothing, also when that worker is back', async () => {
  const { begun, forgotten } = start();
  const turn = Promise.withResolvers<GuardVerdict>();
  const answer = begun.answer(1, asks('alice'), turn.promise);
  begun.handleWorkerEnd(1);
  await begun.answer(1, asks('bob'), PASS);
  turn.resolve(PASS);
  assert.equal(await answer, undefined);
  assert.deepEqual(forgotten, ['alice']);
});

test('what nobody told of for longer than an attempt may be under way is not forgotten a second time', async () => {
  const { begun, clock, forgotten } = start();
  await begun.answer(1, asks('alice'), PASS);
  clock.advance(40_000);
  await begun.answer(1, asks('alice'), PASS);
  await begun.answer(1, asks('bob'), PASS);
  clock.advance(30_000);
  begun.handleWorkerEnd(1);
  assert.deepEqual(forgotten, ['alice', 'bob']);
});

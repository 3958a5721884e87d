import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { type Attempt, SignInGuard } from './sign-in-guard.ts';
import { SignInLine, type Turn } from './sign-in-line.ts';

const HERE = '192.0.2.7';
const at = (account: string, source = HERE, guesses = 1): Attempt => ({
  accounts: [account],
  source,
  address: account,
  identity: account,
  guesses,
});

/** Two places for an account, three for a source. */
function start() {
  const clock = new ManualClock();
  const guard = new SignInGuard({
    failuresPerAccount: 2,
    failuresPerSource: 3,
    windowMs: 600_000,
    slowMs: 0,
    rememberMs: 86_400_000,
    entries: 100,
  });
  const line = new SignInLine({
    clock,
    begin: (attempt, now) => guard.begin(attempt, now),
    perSource: 3,
    all: 4,
  });
  const turns: string[] = [];
  const told = (attempt: Attempt) => (turn: Turn | undefined) => {
    const what = turn?.kind === 'refuse' ? turn.reason : (turn?.kind ?? 'too late');
    turns.push(`${attempt.accounts[0]} ${what}`);
  };
  return {
    clock,
    line,
    turns,
    /** Goes on or waits. */
    tries: (attempt: Attempt, ms = 1000) => {
      const { kind } = guard.begin(attempt, clock.now());
      if (kind === 'wait') void line.wait(attempt, ms).then(told(attempt));
      return kind;
    },
    settles: async (attempt: Attempt, outcome: 'accepted' | 'failed' | undefined) => {
      guard.settle(attempt, outcome, clock.now());
      line.advance(attempt.source);
      await Promise.resolve();
      return turns.splice(0);
    },
  };
}

test('one after the other, in the order in which they came, as places become free', async () => {
  const { tries, settles, line } = start();
  const users = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => at(name));
  assert.deepEqual(
    users.map((user) => tries(user)),
    ['pass', 'pass', 'pass', 'wait', 'wait', 'wait'],
  );
  const [a = at(''), b = at(''), c = at('')] = users;
  assert.deepEqual(await settles(a, 'accepted'), ['d pass']);
  assert.deepEqual(await settles(b, undefined), ['e pass']);
  assert.equal(line.waiting, 1);
  assert.deepEqual(await settles(c, 'failed'), [], 'a failure gives no place back');
  assert.deepEqual(await settles(at('d'), 'accepted'), ['f pass']);
  assert.equal(line.waiting, 0);
});

test('who waits is refused with those who guessed before', async () => {
  const { tries, settles, line } = start();
  for (const name of ['a', 'b', 'c']) assert.equal(tries(at(name)), 'pass');
  for (const name of ['d', 'e']) assert.equal(tries(at(name)), 'wait');
  assert.deepEqual(await settles(at('a'), 'failed'), []);
  assert.deepEqual(await settles(at('b'), 'failed'), []);
  assert.deepEqual(await settles(at('c'), 'failed'), ['d blocked-source', 'e blocked-source']);
  assert.equal(line.waiting, 0);
});

test('a pair that has to wait holds up no other one, and a source no other source', async () => {
  const { tries, settles } = start();
  assert.deepEqual(
    [at('a'), at('a'), at('a'), at('b')].map((one) => tries(one)),
    ['pass', 'pass', 'wait', 'pass'],
  );
  assert.equal(tries(at('c')), 'wait');
  assert.equal(tries(at('c', '192.0.2.8')), 'pass');
  assert.deepEqual(await settles(at('b'), 'accepted'), ['c pass']);
  assert.deepEqual(await settles(at('c', '192.0.2.8'), undefined), []);
  assert.deepEqual(await settles(at('a'), 'failed'), [], 'one has failed, one is under way');
  assert.deepEqual(await settles(at('a'), undefined), ['a pass']);
});

test('nobody waits for ever, and no more than there is room for', async () => {
  const { tries, settles, line, clock, turns } = start();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) tries(at(name), name === 'e' ? 500 : 1000);
  assert.equal(line.hasRoomFor(HERE), false, 'three of a source');
  for (const name of ['a', 'b', 'c']) tries(at(name, '192.0.2.8'));
  assert.equal(line.hasRoomFor('192.0.2.8'), true);
  assert.equal(tries(at('d', '192.0.2.8')), 'wait');
  assert.equal(line.hasRoomFor('192.0.2.8'), false, 'four of all');
  clock.advance(500);
  await Promise.resolve();
  assert.deepEqual(turns.splice(0), ['e too late']);
  assert.equal(line.hasRoomFor('192.0.2.8'), true);
  assert.deepEqual(await settles(at('a'), undefined), ['d pass']);
  clock.advance(500);
  await Promise.resolve();
  assert.deepEqual(turns.splice(0), ['f too late', 'd too late']);
  assert.equal(line.waiting, 0);
  assert.deepEqual(await settles(at('b'), undefined), []);
});

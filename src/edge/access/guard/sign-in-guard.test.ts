import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GuardLimits, SignInGuard } from './sign-in-guard.ts';

const MINUTE = 60_000;
const limits: GuardLimits = {
  failuresPerAccount: 5,
  failuresPerSource: 20,
  windowMs: 10 * MINUTE,
  slowMs: 250,
  rememberMs: 30 * 24 * 60 * MINUTE,
  entries: 100,
};
const HERE = '192.0.2.7';
const at = (account: string, source = HERE, guesses = 1) => ({
  accounts: [account],
  source,
  address: account,
  identity: account,
  guesses,
});

/** Tries and fails; gives what the guard said. */
function fails(guard: SignInGuard, account: string, now: number, source = HERE) {
  const verdict = guard.begin(at(account, source), now);
  const transitions = verdict.kind === 'pass' ? guard.settle(at(account, source), 'failed', now) : [];
  return { verdict, transitions };
}

test('the answer slows, then the source is refused for that account: five in ten minutes', () => {
  const guard = new SignInGuard(limits);
  const delays = [];
  for (let i = 0; i < 5; i++) {
    const { verdict, transitions } = fails(guard, 'alice', i * 1000);
    assert.equal(verdict.kind, 'pass');
    if (verdict.kind === 'pass') delays.push(verdict.delayMs);
    assert.equal(transitions.length, i === 4 ? 1 : 0);
  }
  assert.deepEqual(delays, [0, 250, 500, 1000, 2000]);
  assert.deepEqual(guard.begin(at('alice'), 5000), { kind: 'refuse', reason: 'blocked-pair', seconds: 599 });
  assert.equal(guard.begin(at('bob'), 5000).kind, 'pass');
  assert.equal(
    guard.begin(at('alice', '192.0.2.8'), 5000).kind,
    'pass',
    'the account itself is never locked',
  );
  assert.equal(guard.begin(at('alice'), 4000 + 10 * MINUTE).kind, 'pass');
});

test('S14: spraying passwords over many accounts is refused after twenty', () => {
  const guard = new SignInGuard(limits);
  for (let i = 0; i < 20; i++) assert.equal(fails(guard, `user${i}`, 0).verdict.kind, 'pass');
  const { verdict } = fails(guard, 'user20', 0);
  assert.equal(verdict.kind === 'refuse' && verdict.reason, 'blocked-source');
  assert.ok(guard.refusesConnection(HERE, 0));
  assert.ok(!guard.refusesConnection(HERE, 10 * MINUTE));
});

test('a source that signed in before keeps its way in, one attempt at a time', () => {
  const guard = new SignInGuard(limits);
  guard.begin(at('alice'), 0);
  guard.settle(at('alice'), 'accepted', 0);
  for (let i = 0; i < 30; i++) fails(guard, `user${i}`, 0);
  assert.ok(!guard.refusesConnection(HERE, 0));
  assert.equal(guard.begin(at('bob'), 0).kind, 'refuse');
  for (let i = 0; i < 10; i++) assert.equal(fails(guard, 'alice', 0).verdict.kind, 'pass');
  const first = guard.begin(at('alice'), 0);
  assert.deepEqual(first, { kind: 'pass', delayMs: 4000 });
  assert.equal(guard.begin(at('alice'), 0).kind, 'wait', 'the second one has to wait for the first');
  guard.settle(at('alice'), 'accepted', 0);
  assert.deepEqual(
    guard.begin(at('alice'), 0),
    { kind: 'pass', delayMs: 4000 },
    'its neighbours slow it still',
  );
});

test('many at once are no more than one after the other', () => {
  const guard = new SignInGuard(limits);
  const passed = Array.from({ length: 50 }, () => guard.begin(at('alice'), 0)).filter(
    (v) => v.kind === 'pass',
  );
  assert.equal(passed.length, 5);
  assert.deepEqual(guard.begin(at('alice'), 0), { kind: 'wait', reason: 'blocked-pair' });
  assert.equal(guard.check(at('alice', HERE, 0), 0), undefined, 'nothing is guessed before the challenge');
  for (let i = 0; i < 15; i++) assert.equal(guard.begin(at(`user${i}`), 0).kind, 'pass');
  assert.deepEqual(guard.begin(at('user15'), 0), { kind: 'wait', reason: 'blocked-source' });
  assert.equal(guard.begin(at('alice'), 65_000).kind, 'pass', 'what nobody answered is no failure');
});

test('an account under attack from everywhere is slow for strangers and quick for its owner', () => {
  const guard = new SignInGuard(limits);
  guard.begin(at('alice', 'home'), 0);
  guard.settle(at('alice', 'home'), 'accepted', 0);
  for (let i = 0; i < 40; i++) fails(guard, 'alice', 0, `bot${i}`);
  assert.deepEqual(guard.begin(at('alice', 'bot99'), 0), { kind: 'pass', delayMs: 4000 });
  assert.deepEqual(guard.begin(at('alice', 'home'), 0), { kind: 'pass', delayMs: 0 });
});

test('tables are bounded, and a flood of sources forgets no sign-in', () => {
  const guard = new SignInGuard({ ...limits, entries: 10 });
  guard.begin(at('alice'), 0);
  guard.settle(at('alice'), 'accepted', 0);
  for (let i = 0; i < 1000; i++) fails(guard, 'alice', 0, `s${i}`);
  assert.deepEqual(guard.begin(at('alice'), 0), { kind: 'pass', delayMs: 0 });
  assert.ok(guard.blocks(0).length <= 20);
});

test('what is blocked is listed, and lifted by hand', () => {
  const guard = new SignInGuard(limits);
  for (let i = 0; i < 5; i++) fails(guard, 'alice', 0);
  assert.deepEqual(guard.blocks(0), [{ source: HERE, account: 'alice', failures: 5, seconds: 600 }]);
  assert.equal(guard.unblock(HERE, 0), 1);
  assert.equal(guard.begin(at('alice'), 0).kind, 'pass');
  assert.deepEqual(guard.blocks(0), []);
});

test('several accounts, several guesses: each account has each guess, and so has the source', () => {
  const guard = new SignInGuard(limits);
  const both = { ...at('alice'), accounts: ['alice@a.test', 'alice@b.test'], guesses: 2 };
  for (let i = 0; i < 2; i++) {
    assert.equal(guard.begin(both, 0).kind, 'pass');
    guard.settle(both, 'failed', 0);
  }
  assert.equal(guard.begin(both, 0).kind, 'refuse', 'four and two are more than five');
  const one = { ...both, guesses: 1 };
  assert.equal(guard.begin(one, 0).kind, 'pass');
  assert.deepEqual(
    guard.settle(one, 'failed', 0).map(({ account }) => account),
    ['alice@a.test', 'alice@b.test'],
  );
  for (const account of both.accounts) assert.equal(guard.begin(at(account), 0).kind, 'refuse');
  for (let i = 0; i < 15; i++) fails(guard, `user${i}`, 0);
  assert.equal(guard.begin(at('somebody'), 0).kind, 'refuse', 'the source has twenty');
});

test('one failure is allowed for all the credentials of a chain of proxies, whatever the limit', () => {
  const guard = new SignInGuard({ ...limits, failuresPerAccount: 1 });
  assert.equal(guard.begin(at('alice', HERE, 3), 0).kind, 'pass');
  assert.equal(guard.begin(at('alice', HERE, 3), 0).kind, 'wait');
  guard.settle(at('alice', HERE, 3), 'failed', 0);
  assert.equal(guard.begin(at('alice', HERE, 3), 0).kind, 'refuse');
});

test('what a source signed in as is remembered to the letter', () => {
  const guard = new SignInGuard({ ...limits, failuresPerSource: 1 });
  const alike = (identity: string | undefined, guesses = 1) => ({ ...at('jose@a.test'), identity, guesses });
  guard.begin(alike('jose@a.test'), 0);
  guard.settle(alike('jose@a.test'), 'accepted', 0);
  fails(guard, 'bob', 0);
  assert.equal(guard.begin(alike('jose@a.test'), 0).kind, 'pass');
  assert.equal(guard.begin(alike('jos\u00e9@a.test'), 0).kind, 'refuse');
  assert.equal(guard.begin(alike(undefined), 0).kind, 'refuse');
  assert.equal(guard.check(alike('jose@a.test', 0), 0), undefined, 'the question before the credentials');
});

test('attempts that come to nothing push out no failures', () => {
  const guard = new SignInGuard({ ...limits, entries: 10 });
  for (let i = 0; i < 4; i++) fails(guard, 'alice', 0);
  for (let i = 0; i < 100; i++) {
    assert.equal(guard.begin(at(`stale${i}`), 1).kind, 'pass');
    guard.settle(at(`stale${i}`), undefined, 1);
  }
  fails(guard, 'alice', 2);
  assert.equal(guard.begin(at('alice'), 3).kind, 'refuse');
});

test('from a source that signed in before no more go at once than a stranger may try, and a right password lets no more in', () => {
  const guard = new SignInGuard(limits);
  guard.begin(at('alice'), 0);
  guard.settle(at('alice'), 'accepted', 0);
  const begun = () => {
    let count = 0;
    while (guard.begin(at('alice'), 0).kind === 'pass') count += 1;
    return count;
  };
  assert.equal(begun(), 5);
  guard.settle(at('alice'), 'accepted', 0);
  assert.equal(begun(), 1, 'the four others are still under way');
  guard.settle(at('alice'), 'failed', 0);
  assert.equal(begun(), 0, 'one at a time from now on');
  for (let time = 0; time < 4; time++) guard.settle(at('alice'), 'failed', 0);
  assert.equal(begun(), 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempt, type GuardLimits, PENDING_MS, SignInGuard } from './sign-in-guard.ts';

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
let attempts = 0;
/** Another attempt each time. */
const at = (account: string, source = HERE, guesses = 1) => ({
  number: ++attempts,
  connection: 1,
  accounts: [account],
  source,
  address: account,
  identity: account,
  guesses,
});

/** Tries and fails; gives what the guard said. */
function fails(guard: SignInGuard, account: string, now: number, source = HERE) {
  const attempt = at(account, source);
  const verdict = guard.begin(attempt, now);
  const transitions = verdict.kind === 'pass' ? guard.settle(attempt, 'failed', now) : [];
  return { verdict, transitions };
}
function signsIn(guard: SignInGuard, attempt: Attempt): void {
  guard.begin(attempt, 0);
  guard.settle(attempt, 'accepted', 0);
}
/** Begins what may begin of the same again and again. */
function begins(guard: SignInGuard, another: () => Attempt, now = 0): Attempt[] {
  const begun: Attempt[] = [];
  for (let next = another(); guard.begin(next, now).kind === 'pass'; next = another()) begun.push(next);
  return begun;
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
  signsIn(guard, at('alice'));
  for (let i = 0; i < 30; i++) fails(guard, `user${i}`, 0);
  assert.ok(!guard.refusesConnection(HERE, 0));
  assert.equal(guard.begin(at('bob'), 0).kind, 'refuse');
  for (let i = 0; i < 10; i++) assert.equal(fails(guard, 'alice', 0).verdict.kind, 'pass');
  const first = at('alice');
  assert.deepEqual(guard.begin(first, 0), { kind: 'pass', delayMs: 4000 });
  assert.equal(guard.begin(at('alice'), 0).kind, 'wait', 'the second one has to wait for the first');
  guard.settle(first, 'accepted', 0);
  assert.deepEqual(
    guard.begin(at('alice'), 0),
    { kind: 'pass', delayMs: 4000 },
    'its neighbours slow it still',
  );
});

test('many at once are no more than one after the other', () => {
  const guard = new SignInGuard(limits);
  assert.equal(begins(guard, () => at('alice')).length, 5);
  assert.deepEqual(guard.begin(at('alice'), 0), { kind: 'wait', reason: 'blocked-pair' });
  assert.equal(guard.check(at('alice', HERE, 0), 0), undefined, 'nothing is guessed before the challenge');
  for (let i = 0; i < 15; i++) assert.equal(guard.begin(at(`user${i}`), 0).kind, 'pass');
  assert.deepEqual(guard.begin(at('user15'), 0), { kind: 'wait', reason: 'blocked-source' });
  assert.equal(guard.begin(at('alice'), 65_000).kind, 'pass', 'what nobody answered is no failure');
});

test('an account under attack from everywhere is slow for strangers and quick for its owner', () => {
  const guard = new SignInGuard(limits);
  signsIn(guard, at('alice', 'home'));
  for (let i = 0; i < 40; i++) fails(guard, 'alice', 0, `bot${i}`);
  assert.deepEqual(guard.begin(at('alice', 'bot99'), 0), { kind: 'pass', delayMs: 4000 });
  assert.deepEqual(guard.begin(at('alice', 'home'), 0), { kind: 'pass', delayMs: 0 });
});

test('tables are bounded, and a flood of sources forgets no sign-in', () => {
  const guard = new SignInGuard({ ...limits, entries: 10 });
  signsIn(guard, at('alice'));
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
  const accounts = ['alice@a.test', 'alice@b.test'];
  const both = (guesses = 2) => ({ ...at('alice'), accounts, guesses });
  for (let i = 0; i < 2; i++) {
    const attempt = both();
    assert.equal(guard.begin(attempt, 0).kind, 'pass');
    guard.settle(attempt, 'failed', 0);
  }
  assert.equal(guard.begin(both(), 0).kind, 'refuse', 'four and two are more than five');
  const one = both(1);
  assert.equal(guard.begin(one, 0).kind, 'pass');
  assert.deepEqual(
    guard.settle(one, 'failed', 0).map(({ account }) => account),
    accounts,
  );
  for (const account of accounts) assert.equal(guard.begin(at(account), 0).kind, 'refuse');
  for (let i = 0; i < 15; i++) fails(guard, `user${i}`, 0);
  assert.equal(guard.begin(at('somebody'), 0).kind, 'refuse', 'the source has twenty');
});

test('one failure is allowed for all the credentials of a chain of proxies, whatever the limit', () => {
  const guard = new SignInGuard({ ...limits, failuresPerAccount: 1 });
  const first = at('alice', HERE, 3);
  assert.equal(guard.begin(first, 0).kind, 'pass');
  assert.equal(guard.begin(at('alice', HERE, 3), 0).kind, 'wait');
  guard.settle(first, 'failed', 0);
  assert.equal(guard.begin(at('alice', HERE, 3), 0).kind, 'refuse');
});

test('what a source signed in as is remembered to the letter', () => {
  const guard = new SignInGuard({ ...limits, failuresPerSource: 1 });
  const alike = (identity: string | undefined, guesses = 1) => ({ ...at('jose@a.test'), identity, guesses });
  signsIn(guard, alike('jose@a.test'));
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
    const stale = at(`stale${i}`);
    assert.equal(guard.begin(stale, 1).kind, 'pass');
    guard.settle(stale, undefined, 1);
  }
  fails(guard, 'alice', 2);
  assert.equal(guard.begin(at('alice'), 3).kind, 'refuse');
});

test('from a source that signed in before no more go at once than a stranger may try, and a right password lets no more in', () => {
  const guard = new SignInGuard(limits);
  signsIn(guard, at('alice'));
  const begun = begins(guard, () => at('alice'));
  assert.equal(begun.length, 5);
  const ends = (outcome: 'accepted' | 'failed') => guard.settle(begun.shift()!, outcome, 0);
  const more = () => begun.push(...begins(guard, () => at('alice')));
  ends('accepted');
  assert.equal(more(), 5, 'the four others are still under way');
  ends('failed');
  assert.equal(more(), 4, 'one at a time from now on');
  for (let time = 0; time < 4; time++) ends('failed');
  assert.equal(more(), 1);
});

let names = 0;
const anybody = (): Attempt => at(`user${++names}`);

test('what ended after its place had gone, or ends twice, frees no other one’s place', () => {
  const guard = new SignInGuard(limits);
  const ringing = begins(guard, anybody);
  assert.equal(ringing.length, 20);
  const later = PENDING_MS + 1;
  const guesses = begins(guard, anybody, later);
  assert.equal(guesses.length, 20, 'what rings for so long holds no place any more');
  for (const call of ringing) guard.settle(call, undefined, later);
  assert.deepEqual(begins(guard, anybody, later), []);
  for (let time = 0; time < 3; time++) guard.settle(guesses[7]!, undefined, later);
  assert.equal(begins(guard, anybody, later).length, 1);
});

test('what was wrong after its place had gone counts as a failure, and has all its guesses', () => {
  const guard = new SignInGuard(limits);
  const slow = at('alice', HERE, 4);
  guard.begin(slow, 0);
  const later = PENDING_MS + 1;
  const next = at('alice', HERE, 3);
  guard.begin(next, later);
  guard.settle(slow, 'failed', later);
  assert.equal(guard.begin(at('alice'), later).kind, 'wait', 'four have failed, three are under way');
  guard.settle(next, undefined, later);
  assert.equal(guard.begin(at('alice'), later).kind, 'pass');
});

test('what a worker had begun is forgotten with it, all of it and nothing else, and ends of it come too late', () => {
  const guard = new SignInGuard({ ...limits, failuresPerAccount: 20 });
  // Workers begin to number with one.
  const of = (worker: number | undefined, account: string, number: number, source = HERE) => ({
    ...at(account, source),
    ...{ worker, number },
  });
  const own = [1, 2, 3].map((number) => of(undefined, 'alice', number));
  const first = [1, 2, 3, 4].map((number) => of(1, 'alice', number));
  const second = [1, 2].map((number) => of(2, 'bob', number));
  for (const attempt of [...own, ...first, ...second]) assert.equal(guard.begin(attempt, 0).kind, 'pass');
  guard.begin(of(1, 'carol', 5, '192.0.2.8'), 0);
  guard.settle(first[0]!, undefined, 0);
  assert.deepEqual([...guard.forgetWorker(1, 0)].sort(), [HERE, '192.0.2.8']);
  assert.deepEqual([...guard.forgetWorker(1, 0)], []);
  assert.deepEqual([...guard.forgetWorker(3, 0)], []);
  const places = begins(guard, anybody);
  assert.equal(places.length, 20 - own.length - second.length);
  for (const late of first) guard.settle(late, undefined, 0);
  guard.settle(of(2, 'alice', 3), undefined, 0);
  assert.equal(begins(guard, anybody).length, 0);
  for (const attempt of own) guard.settle(attempt, undefined, 0);
  assert.equal(begins(guard, anybody).length, own.length);
});

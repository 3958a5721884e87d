import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '#kernel';
import { type Attempt, type GuardLimits, LONGEST_DELAY_MS, SignInGuard } from './sign-in-guard.ts';
import { SignInLine, type Turn } from './sign-in-line.ts';

const HERE = '192.0.2.7';
let attempts = 0;
/** Another attempt of another connection each time. */
const at = (account: string, source = HERE, guesses = 1): Attempt => ({
  number: ++attempts,
  connection: attempts,
  accounts: [account],
  source,
  address: account,
  identity: account,
  guesses,
});

/** Two places for an account, three for a source; three may wait of a source, four of all. */
function start(changed: Partial<GuardLimits & { perSource: number; all: number }> = {}) {
  const clock = new ManualClock();
  const guard = new SignInGuard({
    failuresPerAccount: 2,
    failuresPerSource: 3,
    windowMs: 600_000,
    slowMs: 0,
    rememberMs: 86_400_000,
    entries: 100,
    ...changed,
  });
  const line = new SignInLine({
    clock,
    begin: (attempt, now) => guard.begin(attempt, now),
    ...{ perSource: 3, all: 4, ...changed },
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
      const verdict = guard.begin(attempt, clock.now());
      if (verdict.kind === 'wait') void line.wait(attempt, verdict.reason, ms).then(told(attempt));
      return verdict.kind;
    },
    /** What was told meanwhile. */
    hears: async () => {
      await Promise.resolve();
      return turns.splice(0);
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
  const [a = at(''), b = at(''), c = at(''), d = at('')] = users;
  assert.deepEqual(await settles(a, 'accepted'), ['d pass']);
  assert.deepEqual(await settles(b, undefined), ['e pass']);
  assert.equal(line.waiting, 1);
  assert.deepEqual(await settles(c, 'failed'), [], 'a failure gives no place back');
  assert.deepEqual(await settles(d, 'accepted'), ['f pass']);
  assert.equal(line.waiting, 0);
});

test('who waits is refused with those who guessed before', async () => {
  const { tries, settles, line } = start();
  const [a, b, c] = [at('a'), at('b'), at('c')];
  for (const one of [a, b, c]) assert.equal(tries(one), 'pass');
  for (const name of ['d', 'e']) assert.equal(tries(at(name)), 'wait');
  assert.deepEqual(await settles(a, 'failed'), []);
  assert.deepEqual(await settles(b, 'failed'), []);
  assert.deepEqual(await settles(c, 'failed'), ['d blocked-source', 'e blocked-source']);
  assert.equal(line.waiting, 0);
});

test('a pair that has to wait holds up no other one, and a source no other source', async () => {
  const { tries, settles } = start();
  const [a, again, b, elsewhere] = [at('a'), at('a'), at('b'), at('c', '192.0.2.8')];
  assert.deepEqual(
    [a, again, at('a'), b].map((one) => tries(one)),
    ['pass', 'pass', 'wait', 'pass'],
  );
  assert.equal(tries(at('c')), 'wait');
  assert.equal(tries(elsewhere), 'pass');
  assert.deepEqual(await settles(b, 'accepted'), ['c pass']);
  assert.deepEqual(await settles(elsewhere, undefined), []);
  assert.deepEqual(await settles(a, 'failed'), [], 'one has failed, one is under way');
  assert.deepEqual(await settles(again, undefined), ['a pass']);
});

/** `account of connection`, which waits. */
const of = (connection: number, account: string, worker?: number): Attempt => ({
  ...at(account),
  ...{ connection, worker },
});

/** All that is told while those under way end, one after the other. */
async function order(line: ReturnType<typeof start>, first: Attempt, waiting: Map<string, Attempt>) {
  const told: string[] = [];
  for (let next: Attempt | undefined = first; next !== undefined; ) {
    const [turn] = await line.settles(next, undefined);
    if (turn === undefined) return told;
    told.push(turn.replace(' pass', ''));
    next = waiting.get(turn.replace(' pass', ''));
  }
  return told;
}

test('connections have their turns one after the other, whatever each has piled up', async () => {
  const line = start({ failuresPerSource: 1, perSource: 20, all: 20 });
  const first = at('first');
  assert.equal(line.tries(first), 'pass');
  const waiting = new Map<string, Attempt>();
  for (const [connection, name] of [
    ...[1, 1, 1, 1, 2, 2, 2].map((pile, index) => [pile, `${pile}.${index}`] as const),
    [3, 'alice'] as const,
  ]) {
    const one = of(connection, name);
    waiting.set(name, one);
    assert.equal(line.tries(one), 'wait');
  }
  assert.deepEqual(await order(line, first, waiting), [
    ...['alice', '2.4', '1.0', '2.5', '1.1', '2.6', '1.2', '1.3'],
  ]);
});

test('who piles up is set back by as long as a turn may last for each further attempt, and no longer', async () => {
  const line = start({ failuresPerSource: 1, perSource: 20, all: 20 });
  const first = at('first');
  line.tries(first);
  const waiting = new Map<string, Attempt>();
  const waits = (connection: number, name: string) => {
    const one = of(connection, name);
    waiting.set(name, one);
    line.tries(one, 60_000);
  };
  waits(1, 'two of one');
  waits(1, 'two of one, second');
  // That others were looked for once keeps nobody back.
  line.line.advance(HERE);
  line.clock.advance(LONGEST_DELAY_MS - 1);
  waits(2, 'sooner');
  line.clock.advance(2);
  waits(3, 'later');
  assert.deepEqual(await order(line, first, waiting), [
    ...['sooner', 'two of one', 'later', 'two of one, second'],
  ]);
});

test('a connection that has had its turns stands behind one that has had none, also when it sends one after the other', async () => {
  const line = start({ failuresPerSource: 1, perSource: 20, all: 20 });
  let underWay = at('first');
  line.tries(underWay);
  for (let round = 0; round < 3; round++) {
    const guesses = [1, 2, 3].map((connection) => of(connection, `guess ${connection}`));
    const alice = of(10 + round, 'alice');
    for (const one of guesses.slice(0, 2)) line.tries(one);
    line.tries(alice);
    line.tries(guesses[2]!);
    const expected = round === 0 ? [...guesses.slice(0, 2), alice, guesses[2]!] : [alice, ...guesses];
    for (const next of expected) {
      assert.deepEqual(await line.settles(underWay, undefined), [`${next.accounts[0]} pass`]);
      underWay = next;
    }
  }
});

test('who is told to come again has the place of before among the connections that have had no turn', async () => {
  const { tries, settles, clock, hears } = start({ failuresPerSource: 1, perSource: 20, all: 20 });
  const [first, again] = [at('first'), of(5, 'alice')];
  tries(first);
  tries(of(4, 'before'), 5000);
  tries(of(5, 'alice'));
  clock.advance(1000);
  assert.deepEqual(await hears(), ['alice too late']);
  for (const connection of [6, 7, 8]) tries(of(connection, `new ${connection}`), 5000);
  tries(again);
  tries(of(6, 'new 6'));
  clock.advance(4000);
  assert.deepEqual(await hears(), ['alice too late', 'new 6 too late', 'before too late']);
  tries(again);
  assert.deepEqual(await settles(first, undefined), ['alice pass']);
  assert.deepEqual(await settles(again, undefined), ['new 6 pass']);
});

test('where several places become free at once, each connection has a turn before any has two', async () => {
  const line = start({ perSource: 20, all: 20 });
  const first = at('first', HERE, 3);
  line.tries(first);
  for (const one of [of(1, 'a'), of(1, 'b'), of(1, 'c'), of(2, 'd')]) line.tries(one);
  assert.deepEqual(await line.settles(first, undefined), ['d pass', 'a pass', 'b pass']);
});

test('who is known waits for the pair alone, and for nobody who waits for a place of the source', async () => {
  const line = start({ perSource: 20, all: 20 });
  for (const known of [at('alice'), at('bob')]) {
    line.tries(known);
    await line.settles(known, 'accepted');
  }
  const first = at('alice');
  for (const one of [first, at('alice'), at('bob'), at('bob')]) assert.equal(line.tries(one), 'pass');
  for (const name of ['stranger', 'alice', 'another']) assert.equal(line.tries(at(name)), 'wait');
  assert.deepEqual(await line.settles(first, undefined), ['alice pass']);
});

test('nobody waits for ever', async () => {
  const { tries, settles, line, clock, hears } = start();
  const [a, b] = [at('a'), at('b')];
  for (const one of [a, b, at('c')]) tries(one);
  for (const name of ['d', 'e', 'f']) tries(at(name), name === 'e' ? 500 : 1000);
  clock.advance(500);
  assert.deepEqual(await hears(), ['e too late']);
  assert.deepEqual(await settles(a, undefined), ['d pass']);
  clock.advance(500);
  assert.deepEqual(await hears(), ['f too late']);
  assert.equal(line.waiting, 0);
  assert.deepEqual(await settles(b, undefined), []);
});

test('where a source has no more room, the newest of the longest pile gives way to who has less', async () => {
  const { tries, line, hears } = start({ failuresPerSource: 1, perSource: 4, all: 100 });
  tries(at('first'));
  for (const name of ['a', 'b', 'c', 'd']) tries(of(1, name));
  tries(of(1, 'own'));
  assert.deepEqual(await hears(), ['own too late'], 'nobody gives way to themselves');
  tries(of(2, 'alice'));
  assert.deepEqual(await hears(), ['d too late']);
  tries(of(2, 'bob'));
  assert.deepEqual(await hears(), ['c too late']);
  tries(of(2, 'more'));
  assert.deepEqual(await hears(), ['more too late'], 'else they had only changed places');
  tries(of(3, 'carol'));
  tries(of(4, 'dave'));
  assert.deepEqual((await hears()).sort(), ['b too late', 'bob too late']);
  tries(of(5, 'erin'));
  assert.deepEqual(await hears(), ['erin too late'], 'each has one');
  assert.equal(line.waiting, 4);
});

test('where there is no more room at all, the source of which most wait gives way', async () => {
  const { tries, line, hears } = start({ failuresPerSource: 1, perSource: 3, all: 4 });
  const from = (source: string, name: string, connection: number) => ({ ...of(connection, name), source });
  for (const source of ['one', 'two', 'three']) tries(from(source, 'first', 1));
  for (const name of ['a', 'b', 'c']) tries(from('one', name, 2));
  tries(from('two', 'd', 3));
  tries(from('two', 'e', 4));
  assert.deepEqual(await hears(), ['c too late']);
  tries(from('three', 'f', 5));
  assert.deepEqual(await hears(), ['b too late']);
  tries(from('three', 'g', 6));
  assert.deepEqual(await hears(), ['g too late']);
  assert.equal(line.waiting, 4);
});

test('a worker that ends begins nothing of what waits for it', async () => {
  const { tries, settles, line, hears } = start({ perSource: 20, all: 20 });
  const [a, b] = [at('a'), at('b')];
  for (const one of [a, b, at('c')]) tries(one);
  for (const [name, worker] of [
    ['d', 1],
    ['e', 2],
    ['f', 1],
    ['g', undefined],
  ] as const)
    assert.equal(tries(of(1, name, worker)), 'wait');
  line.withdraw(1);
  assert.deepEqual(await hears(), ['d too late', 'f too late']);
  assert.equal(line.waiting, 2);
  assert.deepEqual(await settles(a, undefined), ['e pass']);
  assert.deepEqual(await settles(b, undefined), ['g pass']);
});

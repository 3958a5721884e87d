import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Policing, type PolicingChange } from './policing.ts';

const LIMITS = {
  enabled: true,
  verification: 'use-source',
  messagesPerSecond: 20,
  limitUsers: true,
  users: 3,
  suspiciousMessagesPerSecond: 1,
  reportMinutes: 60,
} as const;
const DOMAIN = 'partner.example';

function start(change: Partial<Record<keyof typeof LIMITS, unknown>> = {}) {
  const changes: PolicingChange[] = [];
  const policing = new Policing({ ...LIMITS, ...change } as typeof LIMITS, (one) => changes.push(one));
  return { policing, changes };
}

test('S16 a discovered partner may send so many requests a second; the event says what lifts the limit', () => {
  const { policing, changes } = start();
  const admitted = (count: number, now: number) =>
    Array.from({ length: count }, () => policing.admit(DOMAIN, 'alice', now)).filter((one) => !one).length;
  assert.equal(admitted(50, 0), 20);
  assert.equal(admitted(50, 500), 10);
  assert.equal(changes.length, 1, 'one event, not one a request');
  assert.deepEqual([changes[0]?.rule, changes[0]?.state], ['partner-rate', 'begun']);
  assert.match(
    changes[0]?.lifted ?? '',
    /an entry for partner\.example in policy\.federation\.allowed; else fewer/,
  );
  assert.equal(policing.admit('other.example', 'alice', 500), undefined, 'nobody else is limited');
  admitted(1, 70_000);
  assert.deepEqual([changes[1]?.rule, changes[1]?.state], ['partner-rate', 'ended']);
});

test('S14 users are not enumerated: new ones are refused beyond the limit, those of before stay reachable', () => {
  const { policing, changes } = start();
  const verdicts = ['a', 'b', 'c', 'd', 'a', 'e'].map((user) => policing.admit(DOMAIN, user, 0));
  const over = 'partner-users';
  assert.deepEqual(verdicts, [undefined, undefined, undefined, over, undefined, over]);
  assert.equal(changes.length, 1);
  assert.equal(changes[0]?.numbers.users, 3);
  const { policing: open } = start({ limitUsers: false });
  assert.deepEqual(
    new Set(['a', 'b', 'c', 'd', 'e'].map((user) => open.admit(DOMAIN, user, 0))),
    new Set([undefined]),
  );
});

test('one of whose requests most fail is slowed down, and let go when they succeed again', () => {
  const { policing, changes } = start();
  const play = (status: number, count: number, from: number) => {
    for (let i = 0; i < count; i++) {
      policing.admit(DOMAIN, 'a', from + i * 1000);
      policing.settled(DOMAIN, status, from + i * 1000);
    }
  };
  play(486, 50, 0);
  play(407, 50, 50_000);
  assert.equal(changes.length, 0, 'busy people and challenges are no failures');
  play(404, 60, 100_000);
  assert.deepEqual([changes[0]?.rule, changes[0]?.state], ['partner-suspicious', 'begun']);
  assert.equal(policing.admit(DOMAIN, 'a', 200_000), undefined);
  assert.equal(policing.admit(DOMAIN, 'a', 200_100), 'partner-suspicious');
  play(200, 90, 300_000);
  assert.deepEqual([changes[1]?.rule, changes[1]?.state], ['partner-suspicious', 'ended']);
  assert.equal(policing.report()[0]?.domain, DOMAIN);
});

test('a limit ends with an event that says what ended it: another document, time, or that it was forgotten', () => {
  const ended = (act: (policing: Policing) => void, change: Parameters<typeof start>[0] = {}) => {
    const { policing, changes } = start({ messagesPerSecond: 4, ...change });
    for (const user of ['a', 'b', 'c', 'd', 'd', 'd']) policing.admit(DOMAIN, user, 0);
    assert.deepEqual(
      changes.splice(0).map(({ rule, state, numbers }) => [rule, state, numbers.users, numbers.limit]),
      [
        ['partner-users', 'begun', 3, 3],
        ['partner-rate', 'begun', 3, 4],
      ],
    );
    act(policing);
    return changes.map(({ rule, state, lifted, numbers }) => `${rule} ${state} ${numbers.limit} ${lifted}`);
  };
  const limits = { ...LIMITS, messagesPerSecond: 4 };
  const still = () => undefined;
  assert.deepEqual(
    ended((policing) => policing.configure(limits, still, 1)),
    [],
    'of a document that says the same',
  );
  assert.deepEqual(
    ended((policing) => policing.configure({ ...limits, users: 4 }, still, 1)),
    ['partner-users ended 4 the document allows more now'],
  );
  assert.deepEqual(
    ended((policing) => policing.configure({ ...limits, limitUsers: false }, still, 1)),
    ['partner-users ended 3 the document allows more now'],
  );
  assert.deepEqual(
    ended((policing) => policing.configure({ ...limits, messagesPerSecond: 5 }, still, 1)),
    ['partner-rate ended 5 the document allows more now'],
  );
  assert.deepEqual(
    ended((policing) => {
      policing.configure(limits, (domain) => (domain === DOMAIN ? 'allowed-server' : undefined), 1);
      assert.deepEqual(policing.report(), []);
    }),
    [
      'partner-users ended 3 partner.example is allowed-server by the document now',
      'partner-rate ended 4 partner.example is allowed-server by the document now',
    ],
  );
  assert.deepEqual(
    ended((policing) => {
      policing.review(60_000);
      policing.review(60_001);
      policing.review(60_002);
    }),
    ['partner-rate ended 4 no request too much in 60 seconds'],
  );
  // Only when all others are limited as well.
  const forgotten = ended((policing) => {
    for (let i = 0; i < 1000; i++)
      for (const user of ['a', 'b', 'c', 'd']) policing.admit(`d${i}.example`, user, i * 1000);
  });
  assert.deepEqual(
    forgotten.map((one) => one.split(' ', 2).join(' ')).filter((one) => one !== 'partner-users begun'),
    ['partner-users ended', 'partner-rate ended'],
  );
});

test('a document that says the same gives nobody a new allowance', () => {
  const { policing } = start();
  for (let i = 0; i < 20; i++) policing.admit(DOMAIN, 'a', 0);
  policing.configure(LIMITS, () => undefined, 0);
  assert.equal(policing.admit(DOMAIN, 'a', 0), 'partner-rate');
});

test('who names nobody new addresses nobody', () => {
  const { policing } = start({ users: 1 });
  assert.equal(policing.admit(DOMAIN, 'a', 0), undefined);
  assert.equal(policing.admit(DOMAIN, undefined, 0), undefined);
  assert.equal(policing.admit(DOMAIN, 'b', 0), 'partner-users');
});

test('what is remembered is bounded', () => {
  const { policing } = start();
  for (let i = 0; i < 3000; i++) policing.admit(`d${i}.example`, 'a', i);
  assert.equal(policing.report().length, 1000);
});

test('[S16] who is limited is not forgotten for the sake of other domains, of which one has as many as one likes', () => {
  const { policing } = start();
  for (let i = 0; i < 21; i++) policing.admit(DOMAIN, 'alice', 0);
  for (let i = 0; i < 1500; i++) policing.admit(`d${i}.partner.example`, 'alice', 0);
  assert.equal(policing.admit(DOMAIN, 'alice', 0), 'partner-rate');
  assert.equal(policing.report().length, 1000);
});

test('[S7] names of users as long as messages may be cost no memory, and are told apart all the same', () => {
  const { policing } = start({ users: 1000, messagesPerSecond: 1_000_000 });
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const long = 'x'.repeat(50_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const _ of ['first', 'again'])
    for (let i = 0; i < 1000; i++) {
      const user = Buffer.from(`${long}${i}@example.com`).toString('latin1');
      assert.equal(policing.admit(DOMAIN, user, 0), undefined);
    }
  collect();
  assert.ok(process.memoryUsage().heapUsed - before < 10_000_000);
  assert.equal(policing.admit(DOMAIN, `${long}1000@example.com`, 0), 'partner-users');
  assert.equal(policing.report()[0]?.users, 1000);
});

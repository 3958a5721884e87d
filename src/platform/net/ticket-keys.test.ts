import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { TicketKeys } from './ticket-keys.ts';

const HALF_DAY = 12 * 3_600_000;

test('processes that exchange their families have the key of the oldest, whoever speaks first, and one that comes later has it too', () => {
  const clock = new ManualClock();
  const first = new TicketKeys(clock, new SeededRandom(1));
  clock.advance(5);
  const second = new TicketKeys(clock, new SeededRandom(2));
  assert.equal(first.key.length, 48);
  assert.notDeepEqual(first.key, second.key);
  let changed = 0;
  second.onChange = () => {
    changed += 1;
  };
  first.handleFamily(second.family);
  second.handleFamily(first.family);
  second.handleFamily(first.family);
  assert.deepEqual(second.key, first.key);
  assert.equal(changed, 1);
  clock.advance(3 * HALF_DAY);
  const third = new TicketKeys(clock, new SeededRandom(3));
  third.handleFamily(second.family);
  assert.deepEqual(third.key, first.key);
});

test('each half a day there is another key, the same for all of a family, and the one before is nowhere any more', () => {
  const clock = new ManualClock();
  const [one, other] = [
    new TicketKeys(clock, new SeededRandom(1)),
    new TicketKeys(clock, new SeededRandom(2)),
  ];
  const early = one.family;
  one.handleFamily(other.family);
  other.handleFamily(early);
  assert.deepEqual(one.key, other.key);
  const keys = new Set([one.key.toString('hex')]);
  for (let epoch = 1; epoch <= 4; epoch++) {
    clock.advance(HALF_DAY);
    assert.deepEqual(one.key, other.key);
    assert.equal(one.family.epoch, epoch);
    keys.add(one.key.toString('hex'));
  }
  assert.equal(keys.size, 5);
  // Who was behind catches up.
  other.handleFamily(early);
  assert.equal(other.family.epoch, 4);
});

test('a clock that is set back brings back no key', () => {
  const clock = new ManualClock();
  const keys = new TicketKeys(clock, new SeededRandom(1));
  clock.advance(2 * HALF_DAY);
  const { key } = keys;
  clock.jump(-2 * HALF_DAY);
  clock.advance(60_000);
  assert.deepEqual(keys.key, key);
});

test('a clock that is set back lets no key last longer, and processes of a family still change it together', () => {
  const clock = new ManualClock();
  const [one, other] = [
    new TicketKeys(clock, new SeededRandom(1)),
    new TicketKeys(clock, new SeededRandom(2)),
  ];
  clock.advance(HALF_DAY / 4);
  const early = one.family;
  one.handleFamily(other.family);
  other.handleFamily(early);
  clock.jump(-4 * HALF_DAY);
  const keys = new Set([one.key.toString('hex')]);
  for (let epoch = 1; epoch <= 3; epoch++) {
    clock.advance(HALF_DAY);
    assert.deepEqual(one.key, other.key);
    keys.add(one.key.toString('hex'));
  }
  assert.equal(keys.size, 4);
  // The clock is right again: nothing is caught up with twice.
  clock.jump(4 * HALF_DAY);
  clock.advance(60_000);
  assert.deepEqual(one.key, other.key);
  assert.equal(one.family.epoch, 3);
});

test('a family that cannot be is not taken over', () => {
  const clock = new ManualClock();
  const keys = new TicketKeys(clock, new SeededRandom(1));
  const { key } = keys;
  const older = { ...keys.family, born: clock.wall() - 1 };
  keys.handleFamily({ ...older, secret: 'AAAA' });
  keys.handleFamily({ ...older, epoch: -1 });
  keys.handleFamily({ ...older, born: clock.wall() - 1001 * HALF_DAY });
  keys.handleFamily({ ...older, born: clock.wall() + 120_000 });
  assert.deepEqual(keys.key, key);
  keys.stop();
});

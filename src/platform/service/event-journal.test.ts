import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventJournal } from './event-journal.ts';

const note = (number: number) => ({ time: number, name: 'thing-happened', fields: { number } });

test('notes are kept as they came and read when somebody asks', () => {
  const journal = new EventJournal(10);
  journal.add('av', JSON.stringify(note(1)));
  journal.add('access', note(2));
  const said = { name: 'thing-happened', service: 'access', fields: { number: 2 } };
  assert.deepEqual(journal.after(0, 10), [
    { ...said, sequence: 1, at: 1, service: 'av', fields: { number: 1 } },
    { ...said, sequence: 2, at: 2 },
  ]);
  assert.deepEqual(
    journal.after(1, 10).map(({ sequence }) => sequence),
    [2],
  );
});

test('a note that makes no sense leaves only its number behind, and takes nobody else’s place', () => {
  const journal = new EventJournal(10);
  for (const text of ['{', '7', '{"time":1}', JSON.stringify(note(4)), JSON.stringify(note(5))]) {
    journal.add('av', text);
  }
  assert.equal(journal.latest, 5);
  assert.deepEqual(
    journal.after(0, 2).map(({ sequence }) => sequence),
    [4, 5],
  );
});

test('the oldest make room', () => {
  const journal = new EventJournal(3);
  for (let number = 1; number <= 20; number++) journal.add('av', JSON.stringify(note(number)));
  assert.deepEqual(
    journal.after(0, 100).map(({ sequence }) => sequence),
    [18, 19, 20],
  );
  assert.deepEqual(
    journal.after(0, 1).map(({ sequence }) => sequence),
    [18],
  );
});

test('whoever names no number is shown the latest, oldest first, and only as many as make sense', () => {
  const journal = new EventJournal(5);
  for (let number = 1; number <= 9; number++) {
    journal.add('av', number === 8 ? '{' : JSON.stringify(note(number)));
  }
  journal.lose(2);
  const numbers = (asked: { after?: number; limit: number }) =>
    journal.page(asked).events.map(({ sequence }) => sequence);
  assert.deepEqual(numbers({ limit: 2 }), [7, 9]);
  assert.deepEqual(numbers({ limit: 100 }), [5, 6, 7, 9]);
  assert.deepEqual(numbers({ after: 0, limit: 2 }), [5, 6]);
  assert.deepEqual(numbers({ after: 7, limit: 100 }), [9]);
  const { latest, dropped } = journal.page({ limit: 1 });
  assert.deepEqual([latest, dropped], [9, 2]);
});

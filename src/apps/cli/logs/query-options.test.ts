import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchQuery } from '#protocols/log-query';
import { parseDuration } from './duration.ts';
import { queryOf } from './query-options.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;

test('a search looks back half an hour, or a day when it is for something', () => {
  const plain = queryOf({ limit: 10 }, NOW);
  assert.deepEqual(plain.ok && [plain.value.from, plain.value.to], [NOW - 30 * MINUTE, NOW + MINUTE]);
  const keyed = queryOf({ limit: 10, callId: ['x'] }, NOW);
  assert.deepEqual(keyed.ok && [keyed.value.from, keyed.value.keys], [
    NOW - 24 * 60 * MINUTE,
    { callId: ['x'] },
  ]);
  const told = queryOf({ limit: 10, last: parseDuration('90s'), to: 1_000_000 }, NOW);
  assert.deepEqual(told.ok && [told.value.from, told.value.to], [910_000, 1_000_000]);
  const none = queryOf({ limit: 10, from: 5, to: 5 }, NOW);
  assert.equal(none.ok ? '' : none.error.code, 'SLP-LOG-0114');
});

test('names that nobody knows are errors that say what was probably meant', () => {
  const provider = queryOf({ limit: 10, provider: ['Sipp'] }, NOW);
  assert.match(provider.ok ? '' : provider.error.message, /provider "Sipp": did you mean Sip\?/);
  const level = queryOf({ limit: 10, level: 'verbos' }, NOW);
  assert.match(level.ok ? '' : level.error.message, /level "verbos": did you mean verbose\?/);
});

test('what the options say is a query that agents take', () => {
  const query = queryOf(
    {
      ...{ limit: 7, all: true, level: 'WARNING', provider: ['sip'], component: ['relay'], service: ['av'] },
      ...{ uri: ['sip:a@b'], text: ['abc'], conference: ['c1'] },
    },
    NOW,
  );
  assert.ok(query.ok);
  const parsed = searchQuery.parse(query.value);
  assert.deepEqual(
    [
      parsed.match,
      parsed.level,
      parsed.providers,
      parsed.components,
      parsed.services,
      parsed.keys,
      parsed.text,
    ],
    ['all', 'warning', ['Sip'], ['relay'], ['av'], { uri: ['sip:a@b'], conference: ['c1'] }, ['abc']],
  );
});

test('a duration has a unit', () => {
  assert.deepEqual(
    ['90s', '30m', '4h', '7d'].map(parseDuration),
    [90_000, 1_800_000, 14_400_000, 604_800_000],
  );
  for (const text of ['', '5', '0m', '-1h', '1w', '1h30m']) assert.throws(() => parseDuration(text), /unit/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateWindow } from './rate-window.ts';

test('the mean growth over the window, and of what there is before it is full', () => {
  const rate = new RateWindow(15);
  assert.equal(rate.perSecond, 0);
  rate.sample(100, 0);
  assert.equal(rate.perSecond, 0, 'one look says nothing');
  rate.sample(130, 1_000);
  assert.equal(rate.perSecond, 30);
  for (let second = 2; second <= 40; second++) rate.sample(130 + (second - 1) * 10, second * 1_000);
  assert.equal(rate.perSecond, 10, 'what is older than the window does not count');
});

test('a burst is in it for as long as the window, then gone', () => {
  const rate = new RateWindow(15);
  for (let second = 0; second <= 20; second++) rate.sample(second < 5 ? 0 : 300, second * 1_000);
  assert.equal(rate.perSecond, 0);
  const early = new RateWindow(15);
  for (let second = 0; second <= 12; second++) early.sample(second < 5 ? 0 : 300, second * 1_000);
  assert.equal(early.perSecond, 25);
});

test('a total that began anew, and times that stand still', () => {
  const rate = new RateWindow(5);
  rate.sample(1_000, 0);
  rate.sample(2_000, 1_000);
  rate.sample(0, 2_000);
  assert.equal(rate.perSecond, 0);
  rate.sample(50, 2_000);
  assert.equal(rate.perSecond, 0);
  rate.sample(50, 3_000);
  assert.equal(rate.perSecond, 50);
});

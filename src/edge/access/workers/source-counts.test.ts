import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceCounts, type SourceNews } from './source-counts.ts';

test('what a source has with other workers is the sum of what they tell, and goes with them', async () => {
  const told: SourceNews[] = [];
  const counts = new SourceCounts((news) => told.push(news));
  const clients = counts.ledger('clients');
  counts.handleNews(1, [
    ['clients 192.0.2.1', 2],
    ['partners 192.0.2.1', 9],
  ]);
  counts.handleNews(2, [['clients 192.0.2.1', 3]]);
  assert.equal(clients.countOf('192.0.2.1'), 5);
  counts.handleNews(1, [['clients 192.0.2.1', 1]]);
  assert.equal(clients.countOf('192.0.2.1'), 4);
  counts.forget(2);
  assert.equal(clients.countOf('192.0.2.1'), 1);
  counts.handleNews(1, [['clients 192.0.2.1', 0]]);
  assert.equal(clients.countOf('192.0.2.1'), 0);
  assert.equal(counts.ledger('partners').countOf('192.0.2.1'), 9);

  clients.tell('192.0.2.7', 1);
  clients.tell('192.0.2.7', 2);
  clients.tell('192.0.2.8', 1);
  assert.deepEqual(told, []);
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(told, [
    [
      ['clients 192.0.2.7', 2],
      ['clients 192.0.2.8', 1],
    ],
  ]);
  clients.tell('192.0.2.8', 0);
  assert.deepEqual([...counts.all()], [[['clients 192.0.2.7', 2]]]);
});

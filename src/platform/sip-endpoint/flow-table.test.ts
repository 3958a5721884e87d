import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flow } from './flow.ts';
import { FlowTable } from './flow-table.ts';
import { OpenRequests } from './open-requests.ts';

test('each flow is found by its id until it is removed, whichever was asked for last', () => {
  const table = new FlowTable();
  const flow = (id: number) => ({ id, requests: new OpenRequests(table.parties) }) as Flow;
  const [one, two] = [flow(1), flow(2)];
  table.add(one);
  table.add(two);
  for (const id of [1, 1, 2, 1, 2, 2]) assert.equal(table.get(id), id === 1 ? one : two);
  table.remove(two);
  assert.equal(table.get(2), undefined);
  assert.equal(table.has(2), false);
  assert.equal(table.get(1), one);
  assert.deepEqual([...table.values()], [one]);
  assert.equal(table.size, 1);
});

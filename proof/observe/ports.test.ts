import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addRange, differences, merged, portsText, targetText, unplanned } from './ports.ts';

function ports(...entries: readonly (readonly [string, ...number[]])[]) {
  return new Map(entries.map(([target, ...numbers]) => [target, new Set(numbers)]));
}

test('ports are told as ranges', () => {
  assert.equal(portsText([5061, 443, 50_002, 50_000, 50_001]), '443, 5061, 50000-50002');
});

test('what arrived and is not planned, and what is planned and did not arrive', () => {
  const web = targetText('192.0.2.1', 'tcp');
  const relay = targetText('192.0.2.1', 'udp');
  const arrived = ports([web, 443, 8443, 8444], [relay, 3478]);
  const planned = ports([web, 443, 5061]);
  assert.deepEqual(differences(arrived, planned), [
    '192.0.2.1 tcp 8443-8444 arrived, and no row of the plan opens it',
    '192.0.2.1 udp 3478 arrived, and no row of the plan opens it',
    '192.0.2.1 tcp 5061 did not arrive, and the plan opens it',
  ]);
  assert.equal(unplanned(arrived, planned).length, 2);
  assert.deepEqual(differences(arrived, arrived), []);
});

test('targets of several are put together', () => {
  const sum = merged([ports(['a tcp', 1]), ports(['a tcp', 2], ['b udp', 3])]);
  assert.deepEqual(sum, ports(['a tcp', 1, 2], ['b udp', 3]));
  const range = new Map<string, Set<number>>();
  addRange(range, 'a tcp', { first: 5, last: 7 });
  assert.deepEqual(range, ports(['a tcp', 5, 6, 7]));
});

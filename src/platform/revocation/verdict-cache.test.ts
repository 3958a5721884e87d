import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseEdgeDocument } from '#platform/topology';
import { revocationPolicy } from './revocation-policy.ts';
import { VerdictCache } from './verdict-cache.ts';

const EXAMPLE = join(import.meta.dirname, '../../../docs/reference/edge.example.yaml');
const at = (ms: number) => ({ wall: ms, now: ms });

test('by default 1000 accepted and 500 rejected certificates are kept, and a fifth goes, those not asked for longest', () => {
  const parsed = parseEdgeDocument(readFileSync(EXAMPLE, 'utf8'), { file: EXAMPLE, files: 'unread' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const policy = revocationPolicy(parsed.value);
  assert.ok(policy.ok);
  const { accepted, rejected, evicted } = policy.value;
  assert.deepEqual([accepted, rejected, evicted], [1000, 500, 0.2]);
  for (const capacity of [accepted, rejected]) {
    const cache = new VerdictCache<number>(capacity, evicted);
    for (let one = 0; one < capacity; one++) cache.keep(`c${one}`, one, at(1000));
    assert.equal(cache.size, capacity);
    // The oldest is asked for again, and so is not the first to go.
    assert.equal(cache.take('c0', at(0)), 0);
    cache.keep('next', -1, at(1000));
    const fifth = capacity / 5;
    assert.equal(cache.size, capacity - fifth + 1);
    assert.equal(cache.take('c0', at(0)), 0);
    assert.equal(cache.take(`c${fifth}`, at(0)), undefined);
    assert.equal(cache.take(`c${fifth + 1}`, at(0)), fifth + 1);
  }
});

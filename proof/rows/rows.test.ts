import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgeDocument, portPlan } from '#platform/topology';
import type { edgeNames } from '../network/addresses.ts';
import { allProfiles, edgeDocument } from '../programs/documents.ts';
import { rowProofs } from './index.ts';

function document(edge: (typeof edgeNames)[number]) {
  const parsed = parseEdgeDocument(edgeDocument(edge, { allowed: [], profiles: allProfiles }), {
    file: 'edge.yaml',
    files: 'unread',
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

test('the documents of the proof switch all 37 rows on, and every row that is on has a file of its own', async () => {
  const proofs = await rowProofs();
  const on = portPlan(document('edge1')).rows.filter((row) => row.on);
  assert.equal(on.filter(({ id }) => !id.startsWith('more-')).length, 37);
  assert.deepEqual([...proofs.keys()].sort(), on.map(({ id }) => id).sort());
});

test('a file says what the plan says: that it is built, the same as which row', async () => {
  const proofs = await rowProofs();
  for (const row of portPlan(document('edge2')).rows.filter(({ on }) => on)) {
    const proof = proofs.get(row.id);
    assert.ok(proof);
    if ('sameFlowAs' in proof) assert.equal(proof.sameFlowAs, row.sameAs, row.id);
  }
});

test('the policy is the same on both edges', () => {
  assert.deepEqual(document('edge1').policy, document('edge2').policy);
});

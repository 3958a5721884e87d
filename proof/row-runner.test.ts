import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlannedRow, portPlan } from '#platform/topology';
import { scenario } from '../src/platform/topology/testing/scenarios.ts';
import { type Counts, RowRunner, type RuledHost } from './row-runner.ts';
import type { Evidence, RowProof } from './rows/row.ts';

const plan = portPlan(scenario('everything')).rows;
const evidence: Evidence = {
  seen: 'it worked',
  passage: { firewall: 'externalFirewall', edges: ['edge1'] },
  connection: 'new',
};

function row(id: string): PlannedRow {
  const found = plan.find((one) => one.id === id);
  assert.ok(found);
  return found;
}

/** A runner whose rules count nothing until `count` says so. */
function runner(...proofs: RowProof<undefined>[]) {
  const counted = new Map<RuledHost, Map<string, number>>();
  const one = new RowRunner<undefined>({
    stage: undefined,
    proofs: new Map(proofs.map((proof) => [proof.id, proof])),
    countsOf: async (host): Promise<Counts> =>
      new Map(
        [...(counted.get(host) ?? [])].map(([id, packets]) => [
          id,
          [{ counter: id.replace('-', '_'), packets }],
        ]),
      ),
  });
  const count = (id: string, ...hosts: RuledHost[]) => {
    for (const host of hosts) {
      const rows = counted.get(host) ?? new Map<string, number>();
      counted.set(host, rows.set(id, (rows.get(id) ?? 0) + 1));
    }
  };
  return { one, count };
}

test('a row is proven when its flow worked and each rule on its way counted it meanwhile', async () => {
  const { one, count } = runner({
    id: 'ext-05',
    run: async () => {
      count('ext-05', 'externalFirewall', 'edge1');
      return evidence;
    },
  });
  const result = await one.prove(row('ext-05'));
  assert.equal(result.outcome, 'proven');
  assert.deepEqual(result.counters, {
    externalFirewall: [{ counter: 'ext_05', packets: 1 }],
    edge1: [{ counter: 'ext_05', packets: 1 }],
  });
});

test('a flow that a rule on its way did not count is no proof, even if it counted something before', async () => {
  const { one, count } = runner({
    id: 'ext-05',
    run: async () => {
      count('ext-05', 'externalFirewall');
      return evidence;
    },
  });
  count('ext-05', 'edge1');
  const { outcome, evidence: why } = await one.prove(row('ext-05'));
  assert.equal(outcome, 'failed');
  assert.match(why, /no rule that carries ext-05 counted it on edge1$/);
});

test('a connection from before counts as what the rules counted then', async () => {
  const { one, count } = runner({ id: 'int-03', run: async () => ({ ...evidence, connection: 'kept' }) });
  assert.equal((await one.prove(row('int-03'))).outcome, 'failed');
  count('int-03', 'externalFirewall', 'edge1');
  assert.equal((await one.prove(row('int-03'))).outcome, 'proven');
});

test('what a flow throws is why it failed', async () => {
  const { one } = runner({ id: 'ext-05', run: () => Promise.reject(new Error('no answer')) });
  assert.deepEqual(await one.prove(row('ext-05')), {
    id: 'ext-05',
    outcome: 'failed',
    evidence: 'no answer',
    counters: {},
  });
});

test('the same flow is proven by the other row, if the same rule carries both', async () => {
  const { one, count } = runner(
    {
      id: 'ext-05',
      run: async () => {
        count('ext-05', 'externalFirewall', 'edge1');
        return evidence;
      },
    },
    { id: 'pic-03', sameFlowAs: 'ext-05' },
  );
  assert.equal((await one.prove(row('pic-03'))).outcome, 'failed', 'the other has not run');
  await one.prove(row('ext-05'));
  assert.match((await one.prove(row('pic-03'))).evidence, /^no rule that carries pic-03 counted/);
  count('pic-03', 'externalFirewall', 'edge1');
  assert.equal((await one.prove(row('pic-03'))).outcome, 'proven');
});

test('a row that nothing counted, whose twin did not run or that has no flow fails; one that is off is off', async () => {
  const { one } = runner({ id: 'ext-08', run: async () => evidence }, { id: 'pic-06', sameFlowAs: 'ext-05' });
  assert.equal((await one.prove(row('ext-08'))).outcome, 'failed');
  assert.equal((await one.prove(row('pic-06'))).outcome, 'failed');
  const without = await one.prove(row('ext-14'));
  assert.equal(without.outcome, 'failed');
  assert.match(without.evidence, /write proof\/rows\/ext-14\.ts/);
  const off = portPlan(scenario('minimal')).rows.find(({ id }) => id === 'ext-01');
  assert.ok(off);
  assert.equal((await one.prove(off)).outcome, 'off');
});

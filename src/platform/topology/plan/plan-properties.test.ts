import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EdgeDocument } from '../schema/edge-schema.ts';
import { scenario, scenarioNames } from '../testing/scenarios.ts';
import { featureKeys } from './features.ts';
import { distinctFlows } from './flows.ts';
import { edgeListeners } from './listeners.ts';
import { hostPortPlan, type PlannedRow, portPlan } from './port-plan.ts';

/** Any scenario with any features and media profiles. */
const documents: fc.Arbitrary<EdgeDocument> = fc
  .record({
    name: fc.constantFrom(...scenarioNames),
    on: fc.subarray([...featureKeys]),
    mediaProfiles: fc.subarray<'edge-tunnel' | 'ice' | 'legacy-ocs2007'>([
      'edge-tunnel',
      'ice',
      'legacy-ocs2007',
    ]),
    shift: fc.integer({ min: 0, max: 900 }),
  })
  .map(({ name, on, mediaProfiles, shift }) => {
    const document = structuredClone(scenario(name));
    for (const feature of featureKeys) document.policy.features[feature] = on.includes(feature);
    document.policy.federation.mediaProfiles = mediaProfiles;
    document.policy.ports.avUdp += shift;
    document.policy.ports.logging += shift;
    return document;
  });

function sockets(row: PlannedRow): string[] {
  return row.flows.flatMap(({ edge, ports }) =>
    edge.flatMap(({ address }) => ports.map(({ first }) => `${row.transport} ${address} ${first}`)),
  );
}

const OURS = new Set(['access', 'av', 'av-authentication', 'supervisor']);

test('every listener stands in the plan, and every row with a service of this version has its listeners', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const rows = hostPortPlan(document).rows.filter(({ on, direction }) => on && direction === 'inbound');
      const listeners = edgeListeners(document);
      const listening = new Set(
        listeners.map(({ transport, address, port }) => `${transport} ${address} ${port}`),
      );
      const planned = new Set(rows.flatMap(sockets));
      for (const socket of listening) assert.ok(planned.has(socket), `${socket} is not in the plan`);
      for (const row of rows) {
        const single = row.flows.every(({ ports }) => ports.every(({ first, last }) => first === last));
        if (!OURS.has(row.service) || !single) continue;
        for (const socket of sockets(row))
          assert.ok(listening.has(socket), `${row.id}: nobody is at ${socket}`);
      }
      for (const { rows: ids } of listeners) {
        for (const id of ids)
          assert.ok(
            rows.some((row) => row.id === id),
            `${id} is off`,
          );
      }
    }),
  );
});

test('the plan is a pure function of the document', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const before = structuredClone(document);
      const plan = portPlan(document);
      assert.deepEqual(document, before, 'it changes nothing');
      assert.deepEqual(portPlan(structuredClone(document)), plan, 'and depends on nothing else');
    }),
  );
});

test('every row that is on is carried by exactly one flow a family, and no row that is off by any', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const plan = portPlan(document);
      const flows = distinctFlows(plan);
      for (const row of plan.rows) {
        for (const family of [4, 6] as const) {
          const carriers = flows.filter((flow) => flow.family === family && flow.rows.includes(row.id));
          assert.ok(carriers.length <= row.flows.length && (row.on || carriers.length === 0), row.id);
        }
        const reachable = row.flows.some(({ edge, peers }) => edge.length > 0 && peers.length > 0);
        if (row.on && reachable)
          assert.ok(
            flows.some(({ rows }) => rows.includes(row.id)),
            row.id,
          );
      }
    }),
  );
});

test('no flow leads from the edge into the internal network but to the next hop', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const members = document.policy.nextHop.members.map(({ address }) => address);
      for (const flow of distinctFlows(portPlan(document))) {
        if (flow.direction !== 'outbound' || flow.service === 'reverse-proxy') continue;
        const internal = flow.interface === 'internal';
        assert.equal(internal, flow.rows.includes('int-03'), flow.rows.join());
        if (!internal || flow.peers === 'any') continue;
        for (const peer of flow.peers) assert.ok(members.includes(peer.replace(/\/\d+$/, '')));
      }
    }),
  );
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type EdgeDocument, portPlan } from '#platform/topology';
import { scenario, scenarioNames } from '../topology/testing/scenarios.ts';
import type { PortSummary, SummaryRow } from './model.ts';
import { missing } from './reasons.ts';
import { formatNames, renderSummary } from './render/render.ts';
import { portSummary } from './summary.ts';
import { languageNames } from './texts/texts.ts';

const registry = join(import.meta.dirname, '../../../spec/registries/port-rows.json');
const { rows: registered } = JSON.parse(readFileSync(registry, 'utf8')) as {
  rows: readonly { readonly id: string; readonly section: string }[];
};

function rowsOf(summary: PortSummary): SummaryRow[] {
  return summary.tables.flatMap(({ rows }) => rows);
}

function rowOf(summary: PortSummary, id: string): SummaryRow {
  const row = rowsOf(summary).find((candidate) => candidate.id === id);
  assert.ok(row, `${id} is not shown`);
  return row;
}

function ids(summary: PortSummary): string[] {
  return rowsOf(summary).map(({ id }) => id);
}

/** Documents that differ in everything that decides which rows are on. */
const documents: fc.Arbitrary<EdgeDocument> = fc
  .record({
    base: fc.constantFrom(...scenarioNames),
    features: fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
    profiles: fc.uniqueArray(fc.constantFrom('edge-tunnel', 'ice', 'legacy-ocs2007'), { minLength: 1 }),
    http: fc.boolean(),
  })
  .map(({ base, features, profiles, http }) => {
    const document = structuredClone(scenario(base));
    const names = Object.keys(document.policy.features) as (keyof typeof document.policy.features)[];
    for (const [index, name] of names.entries()) document.policy.features[name] = features[index] ?? false;
    document.policy.federation.mediaProfiles = profiles;
    document.policy.reverseProxy.http = http;
    return document;
  });

test('with every feature on, the summary holds the 37 rows in the tables of the original, and those beyond', () => {
  const summary = portSummary(scenario('everything'));
  const shown = summary.tables.flatMap(({ section, rows }) => rows.map(({ id }) => ({ id, section })));
  assert.deepEqual(
    shown.filter(({ section }) => section !== 'more'),
    registered.map(({ id, section }) => ({ id, section })),
  );
  assert.equal(shown.length - 37, 10);
  assert.equal(new Set(rowsOf(summary).map(({ state }) => state)).has('off'), false);
});

test('a row that is off is left out, and shown with what would open it when all are asked for', () => {
  const document = scenario('minimal');
  assert.equal(ids(portSummary(document)).includes('ext-06'), false);
  const all = portSummary(document, { all: true });
  assert.deepEqual(
    ids(all),
    portPlan(document).rows.map(({ id }) => id),
  );
  assert.match(
    rowOf(all, 'ext-06').why,
    /^To open it, set policy\.features\.federation to true, or set policy\.features\.publicProviders to true\./,
  );
  assert.match(rowOf(all, 'ext-11').why, /add legacy-ocs2007 to policy\.federation\.mediaProfiles/);
  assert.equal(rowOf(all, 'ext-11').state, 'off');
});

test('media rows follow the union of the profiles, and say which profile asks for what', () => {
  const tunnel = portSummary(scenario('profile-edge-tunnel'));
  assert.equal(tunnel.relayRange.open, 'closed');
  assert.deepEqual(
    ids(tunnel).filter((id) => /^ext-(?:09|1[012])$/.test(id)),
    [],
  );
  const ice = portSummary(scenario('profile-ice'));
  assert.equal(ice.relayRange.open, 'outbound');
  assert.match(rowOf(ice, 'ext-10').why, /: ice \(media leaves from the range, and only answers come back\)/);
  const legacy = portSummary(scenario('profile-legacy'));
  assert.equal(legacy.relayRange.open, 'both');
  assert.deepEqual(rowOf(legacy, 'ext-12').profiles, ['legacy-ocs2007']);
  assert.match(
    legacy.sentences.join(' '),
    /edge-tunnel, legacy-ocs2007\): the range 50000-59999 is open in both/,
  );
});

test('port row ext-09 leaves the A/V Edge, not the Access Edge, and says so', () => {
  const document = scenario('s1-ipv4');
  const summary = portSummary(document);
  const row = rowOf(summary, 'ext-09');
  const [flow] = row.flows;
  assert.ok(flow);
  assert.equal(flow.source.term, 'A/V Edge service');
  assert.deepEqual(
    flow.source.addresses === 'any' ? [] : flow.source.addresses.map(({ address }) => address),
    document.host.addresses.av,
  );
  assert.deepEqual(flow.source.ports, [{ first: 50000, last: 59999 }]);
  assert.ok(summary.notes.some(({ id, number }) => id === 'source-corrected' && row.notes.includes(number)));
});

test('behind NAT every external address stands with its public one, and a pool is told to turn packets round', () => {
  const summary = portSummary(scenario('s4-dns-pool-nat'));
  const [flow] = rowOf(summary, 'ext-05').flows;
  assert.deepEqual(flow?.destination.addresses, [
    { address: '172.16.1.11', node: 'edge1.example.com', publicAddress: '203.0.113.11', virtual: false },
    { address: '172.16.1.12', node: 'edge2.example.com', publicAddress: '203.0.113.12', virtual: false },
  ]);
  assert.ok(summary.notes.some(({ id }) => id === 'hairpin'));
  assert.equal(rowOf(summary, 'ext-05').reach, null);
});

test('behind a hardware load balancer every row says where it goes; four services never through the virtual address', () => {
  const summary = portSummary(scenario('s5-hardware'));
  for (const id of ['int-01', 'int-04', 'int-08', 'int-09', 'int-10', 'int-11']) {
    const row = rowOf(summary, id);
    assert.equal(row.reach, 'node', id);
    assert.match(row.why, /never through the virtual address/);
    for (const { destination } of row.flows) {
      assert.notEqual(destination.addresses, 'any');
      for (const one of destination.addresses)
        assert.equal(typeof one === 'string' || one.virtual, false, id);
    }
  }
  const warning = summary.notes.find(({ id }) => id === 'balancer-node-only');
  assert.match(warning?.text ?? '', /^TCP 23456, 8057, 4443, 50001, 50002, 50003 go to each node/);
  const both = rowOf(summary, 'ext-14').flows[0]?.destination.addresses;
  assert.deepEqual(both === 'any' ? [] : both?.map(({ virtual }) => virtual), [true, false, false]);
});

test('the single address mode is told with its three ports', () => {
  const summary = portSummary(scenario('single-address'));
  assert.match(
    summary.sentences.join(' '),
    /clients on 5061, partners on 5061, web conferencing on 444, A\/V on 443\./,
  );
  assert.ok(summary.notes.some(({ id }) => id === 'single-address'));
});

test('rows are exactly those that are on; every note that is shown is referred to, and the other way round', () => {
  fc.assert(
    fc.property(documents, fc.boolean(), fc.constantFrom(...languageNames), (document, all, language) => {
      const summary = portSummary(document, { all, language });
      const planned = portPlan(document).rows.filter(({ on }) => on || all);
      assert.deepEqual(
        ids(summary),
        planned.map(({ id }) => id),
      );
      const used = new Set([...summary.scenarioNotes, ...rowsOf(summary).flatMap(({ notes }) => notes)]);
      assert.deepEqual(
        [...used].sort((a, b) => a - b),
        summary.notes.map(({ number }) => number),
      );
    }),
    { numRuns: 60 },
  );
});

test('each way that a row names opens it', () => {
  let opened = 0;
  fc.assert(
    fc.property(documents, (document) => {
      for (const { id, feature, on } of portPlan(document).rows) {
        if (on) continue;
        for (const way of missing(feature.name, document)) {
          const after = changed(document, way);
          assert.equal(
            portPlan(after).rows.find((row) => row.id === id)?.on,
            true,
            `${id}: ${JSON.stringify(way)}`,
          );
          opened += 1;
        }
      }
    }),
    { numRuns: 20 },
  );
  assert.ok(opened > 100);
});

/** The document after somebody did what a row says. */
function changed(document: EdgeDocument, way: ReturnType<typeof missing>[number]): EdgeDocument {
  const copy = structuredClone(document);
  const lists: Readonly<Record<string, () => void>> = {
    'policy.pool.members': () => {
      copy.policy.pool.members = scenario('everything').policy.pool.members;
    },
    'host.timeServers': () => copy.host.timeServers.push('198.51.100.123'),
    'host.administration.remote.networks': () => {
      copy.host.administration.remote.networks.push('10.45.99.0/24');
    },
    'policy.reverseProxy.addresses': () => copy.policy.reverseProxy.addresses.push('192.0.2.40'),
    'policy.reverseProxy.officeWebApps': () => copy.policy.reverseProxy.officeWebApps.push('10.45.32.31'),
  };
  for (const change of way) {
    if (change.kind === 'name') {
      const fillIn = lists[change.setting];
      assert.ok(fillIn, change.setting);
      fillIn();
    } else if (change.kind === 'add') {
      assert.equal(change.setting, 'policy.federation.mediaProfiles');
      copy.policy.federation.mediaProfiles.push(change.value as 'ice');
    } else if (change.setting === 'policy.reverseProxy.http') {
      copy.policy.reverseProxy.http = true;
    } else {
      const name = change.setting.replace('policy.features.', '') as keyof typeof copy.policy.features;
      assert.equal(typeof copy.policy.features[name], 'boolean', change.setting);
      copy.policy.features[name] = true;
    }
  }
  return copy;
}

test('a rendering is a pure function of the document, and holds nothing that a terminal would obey', () => {
  fc.assert(
    fc.property(documents, fc.constantFrom(...languageNames), fc.boolean(), (document, language, all) => {
      const before = JSON.stringify(document);
      for (const format of formatNames) {
        const text = renderSummary(portSummary(document, { language, all }), format);
        assert.equal(text, renderSummary(portSummary(structuredClone(document), { language, all }), format));
        assert.doesNotMatch(text.replaceAll(/\r?\n/g, ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }
      assert.equal(JSON.stringify(document), before);
    }),
    { numRuns: 15 },
  );
});

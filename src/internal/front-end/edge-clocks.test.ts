import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryLog } from '#platform/telemetry';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource } from '#protocols/trust-marking';
import { EdgeClocks } from './edge-clocks.ts';
import { mrasUri } from './provisioning.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, EDGE } from './testing/wire.ts';

const MARK: readonly [string, string] = [
  'Sallyport-Asserted-Source',
  formatAssertedSource({ address: 'alice@example.test', source: 'remote-user', edge: EDGE }),
];
const WALL = Date.UTC(2026, 0, 1);
const dateAt = (seconds: number) => new Date(WALL + seconds * 1000).toUTCString();

test('an edge is told of while its clock differs by more than half a minute, and logged once', () => {
  const log = memoryLog();
  const clocks = new EdgeClocks(log);
  clocks.note('edge1', dateAt(29), WALL);
  clocks.note('edge2', undefined, WALL);
  clocks.note('edge2', 'soon', WALL);
  assert.deepEqual(clocks.troubles(), []);
  clocks.note('edge1', dateAt(300), WALL);
  clocks.note('edge2', dateAt(-45), WALL);
  clocks.note('edge1', dateAt(301), WALL);
  assert.deepEqual(clocks.troubles(), [
    "edge1 clock: 301 s ahead of this host's",
    "edge2 clock: 45 s behind this host's",
  ]);
  assert.deepEqual(
    log.lines.map(({ code, edge }) => [code, edge]),
    [
      ['SLP-AV-0401', 'edge1'],
      ['SLP-AV-0401', 'edge2'],
    ],
  );
  clocks.note('edge1', dateAt(0), WALL);
  clocks.keep(new Set(['edge1']));
  assert.deepEqual(clocks.troubles(), []);
});

test('the Date of an answer from the A/V Authentication service shows the edge’s clock', async () => {
  const bench = await Bench.start();
  const wire = bench.edge();
  const ask = request({
    method: 'SERVICE',
    uri: mrasUri(EDGE, 'example.test'),
    from: 'sip:alice@example.test',
    headers: [MARK],
  });
  bench.arrives(wire, branched(ask, 'service'));
  const late = new Date(bench.clock.wall() - 600_000).toUTCString();
  const service = bench.toAuthentication.request('SERVICE');
  bench.arrives(bench.toAuthentication, buildResponse(service, 200, { headers: [['Date', late]] }));
  assert.equal(wire.response(200).header('Date'), late);
  assert.deepEqual(bench.links.troubles(), [`${EDGE} clock: 600 s behind this host's`]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rowDefinitions } from '#platform/topology';
import { type ScenarioName, scenario } from '../../topology/testing/scenarios.ts';
import { portSummary } from '../summary.ts';
import { languageNames } from '../texts/texts.ts';
import { type ExplainOptions, explain } from './explain.ts';
import { parseQuery } from './query.ts';

/** On one line, as paragraphs are read. */
function told(asked: string, options: ExplainOptions = {}): string {
  const outcome = explain(asked, options);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.error);
  return outcome.value.replaceAll(/(?<!\n)\n(?!\n)/g, ' ');
}

function inDocument(name: ScenarioName): ExplainOptions {
  return { document: { file: 'edge.yaml', value: scenario(name) } };
}

/** The rows that an answer is about. */
function rowsTold(asked: string, options: ExplainOptions = {}): string[] {
  return told(asked, options)
    .split('\n\n')
    .map((paragraph) => /^(\w+-\d\d)[:\u00a0]/.exec(paragraph)?.[1])
    .filter((id) => id !== undefined);
}

test('a row is told in a paragraph: who, why, what if closed, what if open', () => {
  assert.match(
    told('ext-05'),
    /^ext-05: SIP \(TLS\), TCP 443, inbound on the external interface; role: Access\. Clients outside .* If it is closed, nobody signs in from outside.* Open, it exposes a TLS and SIP server/,
  );
  assert.match(told('ext-09'), /TCP 50000-59999 to 443, 1024-65535, outbound/);
  assert.match(told('fed-01'), /It is the flow of ext-07, so one rule serves both\./);
  assert.match(told('more-02'), /internal\.yaml/);
});

test('every row is told in every language, with and without a document', () => {
  for (const language of languageNames) {
    for (const options of [{ language }, { language, ...inDocument('s5-hardware') }]) {
      for (const { id } of rowDefinitions) {
        const outcome = explain(id, options);
        assert.ok(outcome.ok && outcome.value.startsWith(id), id);
        assert.ok(outcome.value.split('\n').every((line) => line.length <= 100));
      }
    }
  }
});

test('a port is told with every row that has it', () => {
  assert.deepEqual(rowsTold('3478/udp'), ['ext-13', 'ext-14', 'int-06', 'pic-05', 'pic-06']);
  assert.deepEqual(rowsTold('5062'), ['int-05']);
  assert.deepEqual(rowsTold('50002'), [
    'ext-09',
    'ext-10',
    'ext-11',
    'ext-12',
    'int-10',
    'pic-04',
    'more-05',
    'more-06',
  ]);
  assert.deepEqual(rowsTold('50000-59999/udp'), ['ext-10', 'ext-12', 'more-05', 'more-06']);
  assert.match(told('3478/udp'), /^5 rows have UDP 3478: ext-13, ext-14, int-06, pic-05, pic-06\./);
});

test('the peers of relayed media have nearly every port, which is no answer to a question about one', () => {
  assert.equal(rowsTold('5061').includes('ext-09'), false);
  assert.equal(rowsTold('443').includes('ext-09'), true);
});

test('with a document, ports are its own, and each row says how it stands there', () => {
  const single = inDocument('single-address');
  assert.ok(rowsTold('5061', single).includes('ext-05'));
  assert.match(
    told('ext-05', single),
    /In edge\.yaml it is on\. Asked for by policy\.features\.remoteUsers\. TCP 5061 from any to Access Edge service: 192\.0\.2\.10\.$/,
  );
  assert.match(
    told('ext-11', inDocument('minimal')),
    /In edge\.yaml it is off\. To open it, set policy\.features\.federation to true and add legacy-ocs2007 to/,
  );
  assert.match(told('ext-05', inDocument('s5-hardware')), /Goes to the virtual address\./);
});

test('what is known by no row is an error that names what there is', () => {
  for (const [asked, expected] of [
    ['ext-40', /^ext-40 is no port row\. Rows are ext-01…ext-16, int-01…int-11, fed-01,/],
    ['9999', /^No row has 9999, .*Ports of the plan: 22, 53, 80, /],
    ['3478/tcp', /^No row has 3478\/tcp/],
    ['nonsense', /^nonsense is neither a row nor a port\./],
    ['70000', /neither a row nor a port/],
    ['443-80', /neither a row nor a port/],
    ['0', /neither a row nor a port/],
  ] as const) {
    const outcome = explain(asked);
    assert.equal(outcome.ok, false, asked);
    if (!outcome.ok) assert.match(outcome.error, expected);
  }
});

test('French is told in French, and read as it prints ports', () => {
  const french = told('int-05', { language: 'fr' });
  assert.match(
    french,
    /^int-05\u00a0: SIP \(MTLS\), TCP 5062, sens entrant, interface interne\u00a0; rôle\u00a0: Authentification A\/V\./,
  );
  assert.match(french, /Si elle est fermée, /);
  assert.deepEqual(rowsTold('50\u00a0000-59\u00a0999/udp', { language: 'fr' }), [
    'ext-10',
    'ext-12',
    'more-05',
    'more-06',
  ]);
});

test('a row may be written in any case and without its zero', () => {
  for (const asked of ['ext-09', 'EXT-9', ' ext9 ', 'Ext-09']) {
    assert.deepEqual(parseQuery(asked), { kind: 'row', id: 'ext-09' });
  }
});

test('whatever is asked, there is an answer or an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,6}(-\d{1,6})?(\/(tcp|udp))?$/)), (asked) => {
      const outcome = explain(asked);
      assert.ok((outcome.ok ? outcome.value : outcome.error).length > 0);
    }),
    { numRuns: 50 },
  );
});

test('the answer to a port of a summary row names that row', () => {
  const options = inDocument('everything');
  const document = scenario('everything');
  for (const { id, flows, transport } of portSummary(document).tables.flatMap(({ rows }) => rows)) {
    for (const { source, destination } of flows) {
      const [port] =
        source.ports === 'any' ? (destination.ports === 'any' ? [] : destination.ports) : source.ports;
      assert.ok(port);
      assert.ok(rowsTold(`${port.first}-${port.last}/${transport}`, options).includes(id), id);
    }
  }
});

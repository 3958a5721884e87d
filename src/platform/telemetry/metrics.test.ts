import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MetricsPart, mergeSnapshots, renderSnapshot } from './merge.ts';
import { Metrics } from './metrics.ts';

test('counters and gauges come out in the text format, every label value from the start', async () => {
  const metrics = new Metrics();
  const drops = metrics.counter('sallyport_test_drops_total', 'Drops.', {
    name: 'reason',
    values: ['late', 'long'],
  });
  const calls = metrics.counter('sallyport_test_calls_total', 'Calls.');
  const open = metrics.gauge('sallyport_test_open', 'Open.');
  const by = metrics.gauge('sallyport_test_by_side', 'By side.', { name: 'side', values: ['in', 'out'] });
  metrics.observe('sallyport_test_level', 'Level.', () => 7);
  drops.inc('late');
  drops.inc('late', 2);
  calls.inc();
  open.add(5);
  open.add(-2);
  by.set('out', 4);
  const text = await metrics.text();
  assert.match(text, /# TYPE sallyport_test_drops_total counter/);
  assert.match(text, /sallyport_test_drops_total\{reason="late"\} 3\n/);
  assert.match(text, /sallyport_test_drops_total\{reason="long"\} 0\n/);
  assert.match(text, /sallyport_test_calls_total 1\n/);
  assert.match(text, /sallyport_test_open 3\n/);
  assert.match(text, /sallyport_test_by_side\{side="out"\} 4\n/);
  assert.match(text, /sallyport_test_level 7\n/);
  assert.equal(drops.value('late'), 3);
});

test('an unknown label value is a type error, and a thrown one for who gets past the types', () => {
  const drops = new Metrics().counter('sallyport_test_total', 'Test.', { name: 'reason', values: ['late'] });
  // @ts-expect-error 'early' is not in the closed list
  assert.throws(() => drops.inc('early'), /no label value/);
  // @ts-expect-error a labelled counter needs its label
  assert.throws(() => drops.inc(), /no label value/);
});

test('a name declared again shares its numbers; declared differently it throws', () => {
  const metrics = new Metrics();
  metrics.counter('sallyport_test_total', 'Test.').inc();
  const again = metrics.counter('sallyport_test_total', 'Test.');
  again.inc();
  assert.equal(again.value(), 2);
  assert.throws(() => metrics.gauge('sallyport_test_total', 'Test.'), /declared twice/);
});

test('snapshots of several services merge under a service label, also through JSON', async () => {
  const parts: MetricsPart[] = [];
  for (const [service, count] of [
    ['access', 2],
    ['av', 3],
  ] as const) {
    const metrics = new Metrics();
    metrics.counter('sallyport_test_total', 'Test.', { name: 'kind', values: ['a'] }).inc('a', count);
    metrics.collectProcess();
    parts.push({ labels: { service }, snapshot: JSON.parse(JSON.stringify(await metrics.json())) });
  }
  const text = await renderSnapshot(mergeSnapshots(parts));
  assert.match(text, /sallyport_test_total\{service="access",kind="a"\} 2\n/);
  assert.match(text, /sallyport_test_total\{service="av",kind="a"\} 3\n/);
  assert.equal(text.match(/# HELP sallyport_test_total/g)?.length, 1);
  assert.match(text, /process_resident_memory_bytes\{service="av"\} \d+/);
});

import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AdministrationClient } from './administration-client.ts';
import {
  ADDRESS,
  askTcp,
  askUdp,
  Bench,
  eventually,
  freePort,
  listener,
  listens,
  TcpClient,
} from './testdata/bench.ts';

for (const single of [false, true]) {
  describe(single ? 'in a single process' : 'in processes', () => {
    test('serves, tells its status, routes verbs, joins metrics', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      assert.match(await askTcp(bench.tcp, 'a'), /^one \d+ a$/);
      assert.match(await askUdp(bench.udp, 'b'), /^one \d+ b$/);

      const status = await bench.administration.call('status', {});
      assert.ok(status.ok);
      assert.equal(status.value.healthy, true);
      assert.deepEqual(
        status.value.services.map((service) => [service.name, service.state, service.documentVersion]),
        [
          ['access', 'running', 1],
          ['av', 'running', 1],
        ],
      );
      assert.equal(new Set(status.value.services.map((service) => service.pid)).size, single ? 1 : 2);
      assert.equal(status.value.services[0]?.pid === process.pid, single);
      assert.deepEqual(status.value.services[0]?.verbs, ['emit', 'hang', 'history', 'trace']);
      assert.deepEqual(status.value.listeners[0]?.rows, ['ext-05']);
      assert.equal(statSync(bench.socket).mode & 0o777, 0o600);

      assert.deepEqual(await bench.verb('av', 'history'), ['provision one', 'commit one']);
      const bad = await bench.administration.call('call', {
        service: 'av',
        verb: 'emit',
        arguments: { count: 'x' },
      });
      assert.equal(bad.ok ? '' : bad.error.code, 'SLP-SVC-0010');
      const none = await bench.administration.call('call', { service: 'av', verb: 'constructor' });
      assert.equal(none.ok ? '' : none.error.code, 'SLP-SVC-0011');
      const nobody = await bench.administration.call('call', { service: 'nobody', verb: 'history' });
      assert.equal(nobody.ok ? '' : nobody.error.code, 'SLP-SVC-0011');

      const metrics = await (await fetch(`http://${ADDRESS}:${bench.metrics}/metrics`)).text();
      assert.match(metrics, /sallyport_test_accepted_total\{service="access"\} 1\n/);
      assert.match(metrics, /sallyport_test_datagrams_total\{service="av"\} 1\n/);
      assert.match(metrics, /sallyport_healthy\{service="supervisor"\} 1\n/);
      const health = await fetch(`http://${ADDRESS}:${bench.metrics}/healthz`);
      assert.equal(health.status, 200);
      assert.equal((await fetch(`http://${ADDRESS}:${bench.metrics}/other`)).status, 404);
      assert.equal(running.status().document.version, 1);
    });

    test('a reload keeps connections and unchanged listeners, adds and removes others', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      const client = new TcpClient(bench.tcp);
      assert.match(await client.ask('a'), /^one/);
      const [more, metrics] = [await freePort(), await freePort()];
      const changed = [listener('access', 'tcp', more), listener('av', 'udp', more)];
      const before = running.status().services.map((service) => service.pid);
      bench.write({
        greeting: 'two',
        plan: [listener('access', 'tcp', bench.tcp), ...changed, listener('supervisor', 'tcp', metrics)],
      });
      const report = await bench.administration.call('reload', {});
      assert.deepEqual(report, { ok: true, value: { outcome: 'applied', version: 2, problems: [] } });
      assert.match(await client.ask('b'), /^two/);
      assert.match(await askTcp(more, 'c'), /^two/);
      assert.match(await askUdp(more, 'd'), /^two/);
      assert.equal((await fetch(`http://${ADDRESS}:${metrics}/healthz`)).status, 200);
      assert.equal(await listens(bench.metrics), false);
      client.close();

      bench.write({ greeting: 'three', plan: [listener('av', 'udp', more)] });
      assert.equal((await running.reload('test')).outcome, 'applied');
      assert.equal(await listens(bench.tcp), false);
      assert.equal(await listens(more), false);
      assert.match(await askUdp(more, 'e'), /^three/);
      assert.deepEqual(
        running.status().services.map((service) => service.pid),
        before,
      );
    });

    test('one that refuses a document keeps all at the one before', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      const more = await freePort();
      const plan = [...bench.document.plan, listener('access', 'tcp', more)];
      bench.write({ greeting: 'two', refuse: ['av'], plan });
      const report = await running.reload('test');
      assert.equal(report.outcome, 'refused');
      assert.match(report.problems.join(), /av: SLP-SVC-0008 .*told to refuse/);
      assert.deepEqual(await bench.verb('access', 'history'), [
        'provision one',
        'commit one',
        'provision two',
        'abandon two',
      ]);
      assert.match(await askTcp(bench.tcp, 'a'), /^one/);
      assert.match(await askUdp(bench.udp, 'a'), /^one/);
      assert.equal(await listens(more), false);
      bench.write({ greeting: 'three', refuse: [] });
      assert.equal((await running.reload('test')).outcome, 'applied');
      assert.match(await askTcp(more, 'a'), /^three/);
    });

    test('one that is ill after the swap brings all back, listeners too', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single, { healthyMs: 200 });
      const before = running.status().services.map((service) => service.pid);
      const more = await freePort();
      const original = bench.document.plan;
      bench.write({ greeting: 'two', unhealthy: ['av'], plan: [listener('access', 'tcp', more)] });
      const report = await running.reload('test');
      assert.equal(report.outcome, 'rolled-back');
      assert.match(report.problems.join(), /av: SLP-SVC-0013 .*told to be ill/);
      assert.match(await askTcp(bench.tcp, 'a'), /^one/);
      assert.match(await askUdp(bench.udp, 'a'), /^one/);
      assert.equal(await listens(more), false);
      assert.deepEqual(
        running.status().services.map((service) => [service.pid, service.documentVersion]),
        before.map((pid) => [pid, 1]),
      );
      assert.equal(running.status().healthy, true);
      assert.deepEqual(running.status().listeners, original);
    });

    test('an invalid document is refused with its place, and the old one goes on', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      writeFileSync(bench.file, '{ "oops"');
      const report = await running.reload('test');
      assert.equal(report.outcome, 'refused');
      assert.match(report.problems[0] ?? '', /edge\.json:1:1: .*: write JSON/);
      assert.match(await askTcp(bench.tcp, 'a'), /^one/);
      assert.ok(bench.lines.some((line) => line.event === 'document not applied'));
    });

    test('a changed document or certificate file is noticed', async () => {
      await using bench = await Bench.create();
      const certificate = join(bench.folder, 'edge.pem');
      writeFileSync(certificate, 'first');
      bench.write({ files: [certificate] });
      const running = await bench.start(single, { filesMs: 20 });
      bench.write({ greeting: 'two' });
      await eventually('second version', () => running.status().document.version === 2 || undefined);
      writeFileSync(certificate, 'second');
      await eventually('third version', () => running.status().document.version === 3 || undefined);
      assert.deepEqual(await bench.verb('access', 'history'), [
        ...['provision one', 'commit one', 'provision two', 'commit two'],
        ...['provision two', 'commit two'],
      ]);
    });

    test('draining waits for what is left, stopping leaves nothing', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      const client = new TcpClient(bench.tcp);
      await client.ask('a');
      const drained = await bench.administration.call('drain', { service: 'access' });
      assert.deepEqual(drained, { ok: true, value: { services: [{ name: 'access', remaining: 1 }] } });
      assert.equal((await fetch(`http://${ADDRESS}:${bench.metrics}/healthz`)).status, 503);
      assert.ok((await bench.administration.call('undrain', {})).ok);
      assert.deepEqual(await bench.verb('access', 'history'), [
        'provision one',
        'commit one',
        'drain',
        'undrain',
      ]);

      const stopped = running.stop(60_000, true);
      await eventually('draining', async () => {
        const status = await bench.administration.call('status', {});
        return (
          (status.ok && status.value.services[0]?.draining && status.value.services[0].remaining === 1) ||
          undefined
        );
      });
      assert.match(await client.ask('b'), /^one/);
      client.close();
      await stopped;
      await running.ended;
      assert.equal(existsSync(bench.socket), false);
      assert.equal(await listens(bench.tcp), false);
      assert.equal(await listens(bench.metrics), false);
      const after = await new AdministrationClient(bench.socket).call('status', {});
      assert.equal(after.ok ? '' : after.error.code, 'SLP-SVC-0015');
    });

    test('a flood of events is cut by the ring and counted', async () => {
      await using bench = await Bench.create();
      const running = await bench.start(single);
      await bench.verb('av', 'emit', { count: 100_000 });
      await eventually('all events passed on or counted', () => {
        const { latest, dropped } = running.status().events;
        return (latest + dropped === 100_000 && dropped > 0) || undefined;
      });
      const page = await bench.administration.call('events', { after: 0, limit: 3 });
      assert.ok(page.ok);
      // The ring holds the first of them; the journal behind it has forgotten some of those.
      const [{ sequence } = { sequence: 0 }] = page.value.events;
      assert.deepEqual(
        page.value.events.map((event) => [event.sequence, event.service, event.name, event.fields]),
        [0, 1, 2].map((at) => [sequence + at, 'av', 'test', { n: sequence + at - 1 }]),
      );
    });

    test('a first document that is refused starts nothing', async () => {
      await using bench = await Bench.create();
      bench.write({ refuse: ['access'] });
      const started = await bench.run(single);
      assert.match(started.ok ? '' : (started.error.problems[0]?.message ?? ''), /access: .*told to refuse/);
      assert.equal(await listens(bench.tcp), false);
      assert.equal(existsSync(bench.socket), false);
      bench.write({ refuse: [] });
      assert.ok((await bench.run(single)).ok);
    });
  });
}

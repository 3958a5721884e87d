import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { err, ok } from '#kernel';
import { type Program, type RunningProgram, runProgram } from '#platform/service';
import { edgeProgram, internalProgram } from './programs.ts';
import { sallyport } from './testing/printed.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
const socket = join(folder, 'admin.sock');
const document = join(folder, 'edge.yaml');

let refuse = false;
const program: Program<null> = {
  name: 'edge',
  services: [
    { name: 'access', title: 'quiet', module: new URL('./testdata/quiet-service.ts', import.meta.url).href },
  ],
  load(file) {
    const finding = {
      severity: 'error',
      rule: 'test',
      file,
      line: 4,
      column: 2,
      what: 'wrong',
      instead: 'right',
    } as const;
    return refuse ? err([finding]) : ok(null);
  },
  listeners: () => [],
  host: () => ({ stateDirectory: folder, administration: { socket } }),
  files: () => [],
};

let running: RunningProgram;
before(async () => {
  writeFileSync(document, 'version: 1\nsurprise: yes\n');
  const started = await runProgram({ program, file: document, singleProcess: true, write: () => {} });
  assert.ok(started.ok);
  running = started.value;
});
after(async () => {
  await running.stop(5000, false);
  rmSync(folder, { recursive: true });
});

test('status shows services and health, and nothing that a terminal would obey', async () => {
  const { status, out } = await sallyport('status', '--socket', socket);
  assert.equal(status, 0);
  assert.match(out, /^sallyport edge: healthy, single-process, pid \d+/);
  assert.match(out, /access +running +\d+ +0 +1 +3 +ok: well/);
  assert.equal(out.includes('\u001b'), false);
  const json = JSON.parse((await sallyport('status', '--json', '--socket', socket)).out) as {
    healthy: boolean;
  };
  assert.equal(json.healthy, true);
});

test('reload tells what came of it; a refused document is located and ends with 1', async () => {
  const good = await sallyport('reload', '--socket', socket);
  assert.equal(good.status, 0);
  assert.match(good.out, /^applied: document \d+ runs/);
  refuse = true;
  const bad = await sallyport('reload', '--socket', socket);
  refuse = false;
  assert.equal(bad.status, 1);
  assert.match(bad.out, /^refused: document \d+ runs\n {2}.*edge\.yaml:4:2: wrong: right/);
});

test('drain, undrain, call, events and metrics', async () => {
  assert.match((await sallyport('drain', 'access', '--socket', socket)).out, /access +3/);
  assert.match((await sallyport('status', '--socket', socket)).out, /running, draining/);
  assert.equal((await sallyport('undrain', '--socket', socket)).status, 0);
  const called = await sallyport('call', 'access', 'greet', '{"a":1}', '--socket', socket);
  assert.deepEqual(JSON.parse(called.out), { hello: { a: 1 } });
  const hostile = { a: 'b\u009b31m\u202ec\u{e0041}' };
  const echoed = await sallyport('call', 'access', 'greet', JSON.stringify(hostile), '--socket', socket);
  assert.doesNotMatch(echoed.out, /[\u0080-\u009f\p{Cf}]/u);
  assert.deepEqual(JSON.parse(echoed.out), { hello: hostile });
  let events = '';
  while (!events.includes('greeted')) events = (await sallyport('events', '--socket', socket)).out;
  assert.equal(events.includes('\u001b'), false);
  assert.match(
    (await sallyport('metrics', '--socket', socket)).out,
    /sallyport_healthy\{service="supervisor"\} 1/,
  );
});

test('refusals end with 1 and a remedy, nobody there with 3, a wrong command line with 2', async () => {
  const unknown = await sallyport('call', 'access', 'nothing', '--socket', socket);
  assert.equal(unknown.status, 1);
  assert.match(unknown.error, /^SLP-SVC-0011 .*\n {2}\S/);
  const nobody = await sallyport('status', '--socket', join(folder, 'none.sock'));
  assert.equal(nobody.status, 3);
  assert.match(nobody.error, /SLP-SVC-0015/);
  for (const args of [
    ['bogus'],
    ['edge'],
    ['edge', 'x', '--stop-seconds', '1'],
    ['events', '--after', '-1'],
    ['check'],
  ]) {
    assert.equal((await sallyport(...args)).status, 2, args.join(' '));
  }
  assert.equal((await sallyport('--help')).status, 0);
});

test('check and edge refuse a document with errors and say where they are', async () => {
  const checked = await sallyport('check', document);
  assert.equal(checked.status, 1);
  assert.match(checked.out, /edge\.yaml:2:1: /);
  const script = fileURLToPath(new URL('../../../bin/sallyport', import.meta.url));
  const started = spawnSync(script, ['edge', document], { encoding: 'utf8' });
  assert.equal(started.status, 1);
  assert.match(started.stderr, /edge\.yaml:2:1: /);
  assert.match(started.stderr, /SLP-SVC-0014/);
});

test('every service of both programs is there and has the name that its entry says', async () => {
  for (const { services } of [edgeProgram, internalProgram]) {
    for (const { name, module } of services) {
      const { service } = (await import(module)) as { service: { name: string } };
      assert.equal(service.name, name);
    }
  }
});

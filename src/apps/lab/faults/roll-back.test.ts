import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadVerifiedEdge } from '#platform/replica-store';
import { type RunningProgram, runProgram } from '#platform/service';
import { edgeProgram } from '../../cli/index.ts';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import { realmOf } from './chaos/realm.ts';

/*
 * A pushed version with which a service is not well: everything but that one service is the edge as it is. The time to
 * be well in is shorter than an operator's 30 s.
 */
const NETWORK = 82;
const HEALTHY_MS = 2000;
const STOP_MS = 5000;

let managed: ManagedPerimeter;
let edge: RunningProgram;
before(async () => {
  managed = await ManagedPerimeter.prepare(NETWORK);
  await managed.load();
  const moody = import.meta.resolve('../testing/moody-service.ts');
  const services = edgeProgram.services.map((entry) =>
    entry.name === 'av-authentication' ? { ...entry, module: moody } : entry,
  );
  const started = await runProgram({
    program: { ...edgeProgram, services },
    file: managed.perimeter.files.edgeDocument,
    write: () => {},
    timing: { healthyMs: HEALTHY_MS },
  });
  assert.ok(started.ok, JSON.stringify(started));
  edge = started.value;
  await managed.set('policy.relay.realm', 'well.test');
  await managed.upToDate();
});
after(async () => {
  await edge?.stop(STOP_MS, false);
  await managed.perimeter.stop();
});

test('a version with which a service is not well is rolled back everywhere, and the operator is told which and why', async () => {
  const { there } = await managed.row();
  await managed.set('policy.relay.realm', 'ill.test');
  await managed.perimeter.until('it is told', async () => (await managed.row()).error !== null);
  const row = await managed.row();
  assert.equal(row.there, there);
  assert.match(
    `${row.error?.code} ${row.error?.message}`,
    new RegExp(
      `^SLP-CFG-0031 .*edge1\\S+, version ${row.here}: av-authentication: SLP-SVC-0013 .*realm ill\\.test`,
    ),
  );
  const status = await managed.cli('config', 'status', '--socket', managed.perimeter.files.internalSocket);
  assert.match(status.text, /failing +\d+ of \d+/);
  const loaded = loadVerifiedEdge(managed.perimeter.files.edgeDocument);
  assert.ok(loaded.ok && loaded.value.policy.relay.realm === 'well.test');
  // The relay had taken the new version already; it is back as well.
  assert.equal(await realmOf(managed.perimeter), 'well.test');
  assert.ok(edge.status().healthy);
  await managed.set('policy.relay.realm', 'well-again.test');
  await managed.upToDate();
  assert.equal(await realmOf(managed.perimeter), 'well-again.test');
});

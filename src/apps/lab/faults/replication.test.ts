import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AdministrationClient } from '#platform/service';
import { edgeReport } from '#protocols/replication';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import type { Perimeter } from '../testing/perimeter.ts';
import { change, edit, reload, restore, textOf } from './documents.ts';
import { Person } from './person.ts';

/*
 * An edge that has no policy of its own: the first load by file, pushes, refusals, a roll of keys; and a call that
 * goes on through all of them.
 */
const NETWORK = 78;

let managed: ManagedPerimeter;
let perimeter: Perimeter;
before(async () => {
  managed = await ManagedPerimeter.prepare(NETWORK);
  perimeter = managed.perimeter;
});
after(async () => {
  await perimeter.stop();
});

const manage = (verb: string, args: object = {}) => managed.manage(verb, args);
const cli = (...args: string[]) => managed.cli(...args);
const row = () => managed.row();
const upToDate = () => managed.upToDate();
const set = (path: string, value: unknown) => managed.set(path, value);

test('the first load goes by file, and the edge starts on it', async () => {
  const { edgeDocument } = perimeter.files;
  const before = await cli('check', edgeDocument);
  assert.match(before.text, /nothing was loaded yet/);
  const { exported, imported } = await managed.load();
  const fingerprint = /SHA256:\S+/.exec(exported.text)?.[0] ?? '';
  assert.ok(imported.text.includes(fingerprint));
  assert.match((await cli('check', edgeDocument)).text, /^policy: replicated/m);
  await managed.startEdge();
});

test('a call goes on through ten pushes and a roll of keys', async () => {
  const alice = await Person.arrive(perimeter, 'alice');
  const bob = await Person.arrive(perimeter, 'bob');
  try {
    const call = await alice.call(bob);
    const from = (await row()).there ?? 0;
    for (let push = 1; push <= 10; push++) {
      await set('policy.limits.access.connections', 1000 + push);
      const { there, here } = await upToDate();
      assert.equal(there, here);
    }
    assert.equal((await row()).there, from + 10);
    await manage('keys-roll', { author: 'tester' });
    await perimeter.until('the new keys are used', async () => {
      const { state, there } = await row();
      return (
        state === 'up-to-date' && there === from + 11 && (await managed.status()).store.keys === 'steady'
      );
    });
    const { inUse } = edgeReport.parse(await perimeter.edge.ask('replica', 'report'));
    assert.equal(inUse?.version, from + 11, 'one version, and an activation of its keys');
    await call.flows();
    assert.equal(call.lost, 0);
    await call.hangUp();
  } finally {
    await Promise.all([alice.leave(), bob.leave()]);
  }
});

test('between two rounds it waits as long as it is told [setting management.pollSeconds] [setting management.database]', async () => {
  assert.ok(existsSync(join(perimeter.plan.folder, 'store.sqlite')));
  const requests = async () =>
    Number(/requests_total\{.*outcome="report".*\} (\d+)/.exec(await metrics())?.[1] ?? 0);
  await change(perimeter, 'internal', { 'management.pollSeconds': 1 });
  const from = await requests();
  // The change itself is one reason to ask; the others come from the time.
  await perimeter.until('the edge is asked again and again', async () => (await requests()) >= from + 3);
});

test('a site has its own policy [setting management.edges[].site]', async () => {
  await manage('replace', {
    scope: 'site/South',
    text: 'relay: { allocationsPerUser: 3 }',
    author: 'tester',
  });
  const { there } = await upToDate();
  await change(perimeter, 'internal', { 'management.edges.0.site': 'South' });
  await perimeter.until(
    'the edge runs the policy of its site',
    async () => (await row()).there === (there ?? 0) + 1,
  );
  const shown = await cli(
    'config',
    'show',
    '--edge',
    perimeter.plan.names.edge,
    '--socket',
    perimeter.files.internalSocket,
  );
  assert.match(shown.text, /allocationsPerUser: 3 +# site\/South, revision \d+$/m);
  assert.match(shown.text, /connections: 1010 +# global, revision \d+$/m);
});

test('a user has a policy of her own: scope user, and the edge keeps to it', async () => {
  const { internalSocket } = perimeter.files;
  const setting = (path: string, value: string) =>
    cli('config', 'set', path, value, '--scope', 'user/alice@lab.test', '--socket', internalSocket);
  const wrong = await setting('policy.relay.realm', 'x.test');
  assert.equal(wrong.status, 1);
  assert.match(wrong.text, /user\/alice@lab\.test: relay does not differ by user/);
  const odd = await setting('policy.externalAccess.remote', '7');
  assert.match(odd.text, /SLP-CFG-0022 .*user\/alice@lab\.test: policy\.externalAccess\.users\[0\]\.remote/);
  const set = await setting('policy.externalAccess.remote', 'false');
  assert.equal(set.status, 0, set.text);
  await upToDate();
  await assert.rejects(Person.arrive(perimeter, 'alice'), /403/);
  const carol = await Person.arrive(perimeter, 'carol');
  await carol.leave();
  assert.equal((await setting('policy.externalAccess.remote', 'true')).status, 0);
  await upToDate();
  const alice = await Person.arrive(perimeter, 'alice');
  await alice.leave();
});

test('a policy in the form of the version before counts, until it is migrated [setting policy.remoteAccess.onlyUsers]', async () => {
  const { internalSocket } = perimeter.files;
  await set('policy.remoteAccess.onlyUsers', ['carol@lab.test']);
  await upToDate();
  for (const form of ['as it was', 'migrated']) {
    // What the user's own scope says counts more; its last word was that alice may.
    const bob = new Person(perimeter, 'phone');
    await assert.rejects(bob.connect(), /403/, form);
    const carol = await Person.arrive(perimeter, 'carol');
    await carol.leave();
    if (form === 'migrated') break;
    const socket = ['--socket', internalSocket];
    const dry = await cli('config', 'migrate', '--dry-run', '--document', perimeter.files.internalDocument);
    assert.match(dry.text, /global: remoteAccess\.onlyUsers becomes externalAccess[\s\S]*\+ externalAccess:/);
    assert.match(dry.text, /nothing was changed$/);
    const done = await cli('config', 'migrate', ...socket);
    assert.match(done.text, /published for edge1/);
    await upToDate();
  }
  await manage('set', { path: 'policy.externalAccess', author: 'tester' });
  await upToDate();
});

test('status says why an edge is not reached, and what to do [setting management.edges[].address] [setting management.edges[].port] [setting management.edges[].name]', async () => {
  const { names, internal, frontEnd } = perimeter.plan;
  const cases: [string, unknown, unknown, RegExp][] = [
    ['port', 4444, 4443, /^SLP-CFG-0029 .*port 4444 \(port row int-08\)/],
    ['address', frontEnd.address, internal.address, /^SLP-CFG-0029 .*127\.78\.4\.10/],
    [
      'address',
      '192.0.2.99',
      internal.address,
      /^SLP-CFG-0030 .*192\.0\.2\.99 port 4443 \(port row int-08\)/,
    ],
    ['name', 'other.int.lab.test', names.edge, /^SLP-NET-0014 .*expected other\.int\.lab\.test, found edge1/],
  ];
  for (const [key, wrong, right, expected] of cases) {
    await change(perimeter, 'internal', { [`management.edges.0.${key}`]: wrong });
    await perimeter.until(`${key} is told`, async () => {
      const { error } = await row();
      return error !== null && expected.test(`${error.code} ${error.message}`);
    });
    const status = await cli('config', 'status', '--socket', perimeter.files.internalSocket);
    assert.equal(status.status, 1);
    assert.ok(status.text.includes(`SLP-`));
    await change(perimeter, 'internal', { [`management.edges.0.${key}`]: right });
    await upToDate();
  }
  const steps = await cli('config', 'test', names.edge, '--socket', perimeter.files.internalSocket);
  assert.equal(steps.status, 0, steps.text);
});

test('only the stores that the edge names may push [setting host.replication.stores]', async () => {
  await change(perimeter, 'edge', { 'host.replication.stores': ['somebody.else.test'] });
  await manage('replicate', { author: 'tester' });
  await perimeter.until('the store is turned away', async () => (await row()).error?.code === 'SLP-CFG-0027');
  await change(perimeter, 'edge', { 'host.replication.stores': [perimeter.plan.names.frontEnd] });
  await manage('replicate', { author: 'tester' });
  await upToDate();
});

test('what another key signed is not run, pushed or stored [setting host.replication.signers]', async () => {
  const good = textOf(perimeter, 'edge');
  edit(perimeter, 'edge', { 'host.replication.signers': [`SHA256:${'A'.repeat(43)}`] });
  const report = await reload(perimeter, 'edge');
  assert.equal(report.outcome, 'refused');
  assert.match(report.problems.join(), /SLP-CFG-0004/);
  const { there } = await row();
  await set('policy.limits.access.connections', 2000);
  await perimeter.until('the push is refused', async () => (await row()).error?.code === 'SLP-CFG-0031');
  assert.match((await row()).error?.message ?? '', /SLP-CFG-0004/);
  assert.equal((await row()).there, there);
  restore(perimeter, 'edge', good);
  await manage('replicate', { author: 'tester' });
  await upToDate();
});

test('a policy that no edge can run is not stored; one that this edge cannot run is rolled back, with its line', async () => {
  await assert.rejects(
    set('policy.limits.access.connections', 0),
    /SLP-CFG-0022.*global: .*out of|SLP-CFG-0022.*global: policy.limits.access.connections/,
  );
  await assert.rejects(set('policy.features.replication', false), /SLP-CFG-0022.*would close the port/);
  const { there } = await upToDate();
  // Only the edge can know that the file is not there.
  await set('policy.mediaCredentials.staticSecretFiles', ['secrets/absent.secret']);
  await perimeter.until('it is told', async () => (await row()).error?.code === 'SLP-CFG-0031');
  const { error, there: still } = await row();
  assert.match(
    error?.message ?? '',
    /policy\.yaml:\d+:\d+: .*staticSecretFiles.*does not exist.*\(global, revision \d+\)/,
  );
  assert.equal(still, there);
  const { revisions } = (await manage('log', {})) as { revisions: { id: number; scope: string }[] };
  const before = revisions.filter((one) => one.scope === 'global')[1] ?? assert.fail('no revision before');
  await manage('revert', { id: before.id, author: 'tester' });
  await upToDate();
});

test('changes are listed with author, time and reason, compared, and taken back as changes of their own', async () => {
  const socket = ['--socket', perimeter.files.internalSocket];
  const setting = 'policy.limits.access.connections';
  const say = async (...args: string[]) => (await managed.good('config', ...args, ...socket)).text;
  const revision = (text: string) =>
    /^revision (\d+): published for edge1\.int\.lab\.test/.exec(text)?.[1] ?? '';
  const first = revision(await say('set', setting, '1500', '--reason', 'fewer people'));
  const second = revision(await say('set', setting, '1600', '--reason', 'more people'));
  const [, newest, older] = (await say('log', '--scope', 'global')).split('\n');
  const line = (id: string, reason: string) =>
    new RegExp(`^${id} +\\d{4}-\\d\\d-\\d\\dT\\S+Z +\\S.* +global +${reason}$`);
  assert.match(newest ?? '', line(second, 'more people'));
  assert.match(older ?? '', line(first, 'fewer people'));
  const compared = await say('diff', first, second);
  assert.match(compared, /^- +connections: 1500$/m);
  assert.match(compared, /^\+ +connections: 1600$/m);
  assert.match(await say('diff', first), /^\+ +connections: 1600$/m);
  const third = revision(await say('revert', first));
  assert.ok(Number(third) > Number(second));
  assert.match((await say('log')).split('\n')[1] ?? '', line(third, `back to revision ${first}`));
  assert.equal(await say('get', setting), '1500');
  await upToDate();
  const unknown = await cli('config', 'revert', '99999', ...socket);
  assert.equal(unknown.status, 1);
  assert.match(unknown.text, /SLP-CFG-0035 .*99999/);
});

test('a store that was restored from a backup is told so, and takes over when it is asked to', async () => {
  const saved = join(perimeter.plan.folder, 'backup');
  const file = join(perimeter.plan.folder, 'store.sqlite');
  await perimeter.internal.stop();
  cpSync(file, saved);
  await perimeter.internal.start();
  await set('policy.limits.access.connections', 3000);
  const { there } = await upToDate();
  await perimeter.internal.stop();
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
  cpSync(saved, file);
  await perimeter.internal.start();
  await perimeter.until('it is told', async () => (await row()).error?.code === 'SLP-CFG-0017');
  await set('policy.limits.access.connections', 3001);
  await manage('replicate', { full: true, author: 'tester' });
  await perimeter.until('it is still told', async () => (await row()).error?.code === 'SLP-CFG-0017');
  assert.equal((await row()).there, there);
  await manage('replicate', { adopt: true, author: 'tester' });
  assert.ok(((await upToDate()).there ?? 0) > (there ?? 0));
});

async function metrics(): Promise<string> {
  const answer = await new AdministrationClient(perimeter.files.edgeSocket).call('metrics', {});
  return answer.ok ? answer.value.text : '';
}

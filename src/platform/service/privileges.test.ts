import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AdministrationClient } from './administration-client.ts';
import { lookUpAccount, startedAsRoot } from './privileges.ts';
import { askTcp, Bench, Outside } from './testdata/bench.ts';

/** User ids (real, effective, saved, file system), groups and capabilities of every thread of a process. */
function identity(pid: number) {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
    return { uids: field('Uid'), gids: field('Gid'), groups: field('Groups'), effective: field('CapEff') };
  });
}

test('an account is found by name; an unknown or odd one is an error', () => {
  const root = lookUpAccount('root');
  assert.deepEqual(root.ok ? root.value : undefined, { name: 'root', uid: 0, gid: 0 });
  for (const name of ['no-such-account-here', '--help', 'a b', '']) {
    const found = lookUpAccount(name);
    assert.equal(found.ok ? '' : found.error.code, 'SLP-SVC-0006');
  }
});

test('started as root, every thread of every process becomes the account; otherwise nothing changes [setting host.runAs]', async () => {
  await using bench = await Bench.create();
  chmodSync(bench.folder, 0o755);
  bench.write({ host: { ...bench.document.host, runAs: 'nobody' } });
  const nobody = lookUpAccount('nobody');
  assert.ok(nobody.ok);
  const { uid, gid } = startedAsRoot() ? nobody.value : { uid: process.getuid?.(), gid: process.getgid?.() };
  const outside = new Outside(bench.file);
  await outside.said('running');
  assert.match(await askTcp(bench.tcp, 'a'), /^one/);
  const status = await bench.administration.call('status', {});
  assert.ok(status.ok);
  for (const pid of [status.value.pid, ...status.value.services.map((service) => service.pid ?? 0)]) {
    for (const thread of identity(pid)) {
      assert.equal(thread.uids, [uid, uid, uid, uid].join('\t'));
      assert.equal(thread.gids, [gid, gid, gid, gid].join('\t'));
      if (startedAsRoot()) assert.equal(thread.effective, '0000000000000000');
      if (startedAsRoot()) assert.equal(thread.groups.split(' ').includes('0'), false);
    }
  }
  assert.equal(statSync(bench.socket).uid, uid);
  assert.equal(statSync(bench.socket).mode & 0o777, 0o600);
  assert.equal(statSync(bench.document.host.stateDirectory).mode & 0o777, 0o700);
  outside.process.kill('SIGINT');
  assert.equal(await outside.ended(), 0);
});

test('folders made on the way to a runtime file let the account through', async () => {
  await using bench = await Bench.create();
  chmodSync(bench.folder, 0o755);
  const stateDirectory = join(bench.folder, 'var', 'lib', 'state');
  const administration = { socket: join(bench.folder, 'run', 'deep', 'admin.sock') };
  bench.write({ host: { stateDirectory, administration, runAs: 'nobody' } });
  const outside = new Outside(bench.file);
  await outside.said('running');
  const status = await new AdministrationClient(administration.socket).call('status', {});
  assert.equal(status.ok, true);
  assert.equal(statSync(join(bench.folder, 'var')).mode & 0o777, 0o700);
  assert.equal(statSync(join(bench.folder, 'var')).uid, statSync(stateDirectory).uid);
  outside.process.kill('SIGINT');
  assert.equal(await outside.ended(), 0);
});

test('an account that cannot be taken stops the start of who is root; nobody else takes one', async () => {
  for (const runAs of ['no-such-account-here', 'root']) {
    await using bench = await Bench.create();
    bench.write({ host: { ...bench.document.host, runAs } });
    const outside = new Outside(bench.file);
    if (!startedAsRoot()) {
      await outside.said('running');
      outside.process.kill('SIGINT');
    }
    assert.equal(await outside.ended(), startedAsRoot() ? 1 : 0);
    if (startedAsRoot()) assert.match(JSON.stringify(await outside.said('not started')), /SLP-SVC-0006/);
  }
});

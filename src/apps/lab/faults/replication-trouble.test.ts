import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseDocument } from 'yaml';
import { loadVerifiedEdge } from '#platform/replica-store';
import { NameServer } from '../name-server.ts';
import { LabProgram } from '../program.ts';
import { endedWithUs } from '../testing/end-with-us.ts';
import { ManagedPerimeter } from '../testing/managed-perimeter.ts';
import { realmOf } from './chaos/realm.ts';
import { change } from './documents.ts';

/*
 * What goes wrong without anybody's ill will: a full disk, clocks that differ, two stores at once. Refused or settled, and
 * `config status` says why and what to do.
 */
const NETWORK = 81;

let managed: ManagedPerimeter;
before(async () => {
  managed = await ManagedPerimeter.start(NETWORK);
});
after(async () => {
  await managed.perimeter.stop();
});

const store = () => ['--socket', managed.perimeter.files.internalSocket];
async function shows(pattern: RegExp): Promise<void> {
  await managed.perimeter.until(`${pattern} is shown`, async () => {
    await managed.manage('replicate', { author: 'tester' });
    return pattern.test((await managed.cli('config', 'status', ...store())).text);
  });
}

test('a disk of the edge that fills: the push is refused, what ran runs, and it comes right when there is space', async () => {
  const { edge, plan, files } = managed.perimeter;
  const state = join(plan.folder, 'edge-state');
  const saved = join(plan.folder, 'edge-state.saved');
  await edge.stop();
  renameSync(state, saved);
  mkdirSync(state);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'none', state]);
  assert.equal(mounted.status, 0, `${mounted.stderr}`);
  try {
    cpSync(saved, state, { recursive: true, verbatimSymlinks: true });
    await edge.start();
    const { there } = await managed.upToDate();
    const ballast = join(state, 'ballast');
    const { bavail, bsize } = statfsSync(state);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail - 2) * bsize));
    await managed.set('policy.relay.realm', 'too-much.test');
    await shows(
      /edge1\S+: SLP-CFG-0031 .*SLP-CFG-0011 .*ENOSPC.*Free space on the disk of host\.stateDirectory/,
    );
    assert.equal((await managed.row()).there, there);
    const loaded = loadVerifiedEdge(files.edgeDocument);
    assert.ok(loaded.ok, JSON.stringify(loaded));
    // A start with a full disk is the worst moment of all; what was taken before is enough for it.
    await edge.stop();
    await edge.start();
    rmSync(ballast);
    const after = await managed.upToDate();
    assert.equal(after.there, after.here);
  } finally {
    await edge.stop();
    assert.equal(spawnSync('umount', [state]).status, 0);
    rmSync(state, { recursive: true });
    renameSync(saved, state);
  }
  await edge.start();
  await managed.upToDate();
});

for (const [direction, minutes] of [
  ['ahead', 10],
  ['behind', -10],
] as const) {
  test(`a clock of the edge that is ten minutes ${direction} is told, and pushes arrive all the same`, async () => {
    const { edge } = managed.perimeter;
    await edge.stop();
    const shift = `Date.now=(now=>()=>now()+${minutes * 60_000})(Date.now)`;
    await edge.start({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` });
    await managed.set('policy.relay.realm', `clock-${direction}.test`);
    const row = await managed.upToDate();
    assert.equal(row.here, row.there);
    await shows(
      new RegExp(
        `SLP-CFG-0032 [^\\n]*edge1\\S+ is (600|599|601) s ${direction}\\n {2}Let both follow a time server`,
      ),
    );
    const steps = await managed.cli('config', 'test', managed.perimeter.plan.names.edge, ...store());
    assert.equal(steps.status, 1);
    assert.match(steps.text, new RegExp(`FAIL {2}clock: .* s ${direction}`));
    await edge.stop();
    await edge.start();
    await managed.manage('replicate', { author: 'tester' });
    await managed.perimeter.until(
      'the notice is gone',
      async () => (await managed.row()).notices.length === 0,
    );
  });
}

test('an edge without an address is found by its name, and told when that does not resolve [setting management.resolvers]', async () => {
  const { plan } = managed.perimeter;
  const hosts = new Map<string, string>();
  const names = await NameServer.start(plan.clients.carol, hosts, 53);
  try {
    await change(managed.perimeter, 'internal', {
      'management.edges.0.address': undefined,
      'management.resolvers': [plan.clients.carol],
    });
    await shows(/edge1\S+: SLP-CFG-0049 .*SLP-DNS-0001[^\n]*\n {2}Give it an A or AAAA record/);
    const steps = await managed.cli('config', 'test', plan.names.edge, ...store());
    assert.match(steps.text, /^FAIL {2}address: SLP-CFG-0049/);
    hosts.set(plan.names.edge, plan.internal.address);
    // Another list of servers, so that nobody remembers that the name was not there.
    await change(managed.perimeter, 'internal', {
      'management.resolvers': [plan.clients.carol, plan.clients.alice],
    });
    await managed.upToDate();
    const found = await managed.good('config', 'test', plan.names.edge, ...store());
    assert.match(found.text, /^ok {4}address: 127\.81\.2\.10, from the DNS$/m);
  } finally {
    names.stop();
    await change(managed.perimeter, 'internal', {
      'management.edges.0.address': plan.internal.address,
      'management.resolvers': undefined,
    });
  }
  await managed.upToDate();
});

/** A second internal program with a copy of the store, at another address of this machine. */
async function twin(): Promise<LabProgram> {
  const { plan, files, internal } = managed.perimeter;
  await internal.stop();
  const folder = join(plan.folder, 'twin');
  mkdirSync(folder);
  for (const file of ['ca.pem', 'front-end.pem', 'front-end.key', 'front-end.sqlite', 'store.sqlite'])
    cpSync(join(plan.folder, file), join(folder, file));
  cpSync(join(plan.folder, 'internal-state'), join(folder, 'internal-state'), { recursive: true });
  const document = parseDocument(readFileSync(files.internalDocument, 'utf8'));
  document.setIn(['host', 'addresses', 'internal'], [plan.clients.bob]);
  document.setIn(['host', 'administration', 'metrics', 'port'], plan.metrics.internal + 10);
  const file = join(folder, 'internal.yaml');
  writeFileSync(file, document.toString());
  await internal.start();
  return new LabProgram({
    name: 'internal',
    document: file,
    socket: join(folder, 'internal.sock'),
    log: join(folder, 'internal.log'),
    launcher: endedWithUs('INT'),
  });
}

test('two stores that both believe they are master: the edge follows one, the other is told, and can take over', async () => {
  const other = await twin();
  await managed.set('policy.relay.realm', 'first-master.test');
  const { there } = await managed.upToDate();
  await other.start();
  try {
    const rowThere = async () => {
      const { edges } = (await other.ask('management', 'status')) as {
        edges: { state: string; there: number; error: { code: string; message: string } | null }[];
      };
      return edges[0] ?? assert.fail('no edge');
    };
    await other.ask('management', 'set', {
      path: 'policy.relay.realm',
      value: 'second-master.test',
      author: 'somebody else',
    });
    await managed.perimeter.until('the second one is told', async () => {
      const { state, error } = await rowThere();
      return state === 'failing' && error?.code === 'SLP-CFG-0017';
    });
    assert.equal((await rowThere()).there, there);
    const shown = await managed.cli('config', 'status', '--socket', other.options.socket);
    assert.match(shown.text, /SLP-CFG-0017 .*runs version \d+\n {2}Another store publishes/);
    assert.equal((await managed.upToDate()).there, there);

    await other.ask('management', 'replicate', { adopt: true, author: 'somebody else' });
    await managed.perimeter.until('it took over', async () => (await rowThere()).state === 'up-to-date');
    await shows(/edge1\S+: SLP-CFG-0017 .*runs version \d+\n {2}Another store publishes/);
    const loaded = loadVerifiedEdge(managed.perimeter.files.edgeDocument);
    assert.ok(loaded.ok && loaded.value.policy.relay.realm === 'second-master.test');
  } finally {
    await other.stop();
  }
  await managed.manage('replicate', { adopt: true, author: 'tester' });
  await managed.upToDate();
});

test('an organisation that lost everything inside is restored from one file, and goes on publishing', async () => {
  const { plan, files, internal } = managed.perimeter;
  const [file, passphrase] = [join(plan.folder, 'inside.backup'), join(plan.folder, 'passphrase')];
  writeFileSync(passphrase, 'five words that nobody guesses\n');
  const words = ['--passphrase-file', passphrase];
  await managed.good('backup', file, '--document', files.internalDocument, ...words);
  const running = await managed.cli('restore', file, '--replace', ...words);
  assert.match(running.text, /SLP-CFG-0048/);
  await internal.stop();
  const lost = [
    'internal.yaml',
    'front-end.pem',
    'front-end.key',
    'front-end.sqlite',
    'store.sqlite',
    'internal-state',
  ];
  for (const name of lost) rmSync(join(plan.folder, name), { recursive: true });
  for (const end of ['-wal', '-shm']) rmSync(join(plan.folder, `store.sqlite${end}`), { force: true });
  const wrong = join(plan.folder, 'wrong');
  writeFileSync(wrong, 'five words that somebody guessed\n');
  assert.match((await managed.cli('restore', file, '--passphrase-file', wrong)).text, /SLP-CFG-0042/);
  assert.match(
    (await managed.good('restore', file, '--list', ...words)).text,
    /database +\d+ +\S+store\.sqlite$/,
  );
  const inTheWay = await managed.cli('restore', file, ...words);
  assert.match(
    inTheWay.text,
    /SLP-CFG-0046 .*ca\.pem/,
    'what was not lost stays unless it is told otherwise',
  );
  await managed.good('restore', file, '--replace', ...words);
  await internal.start();
  await managed.set('policy.relay.realm', 'restored-inside.test');
  const row = await managed.upToDate();
  assert.equal(row.here, row.there);
  assert.equal(await realmOf(managed.perimeter), 'restored-inside.test');
});

test('an edge that lost its disk is restored for the holder of a key, and the store knows it again', async () => {
  const { plan, files, edge } = managed.perimeter;
  const [file, key] = [join(plan.folder, 'edge.backup'), join(plan.folder, 'backup.key')];
  const made = await managed.good('backup-key', key);
  const recipient = /recipient (\S+)/.exec(made.text)?.[1] ?? assert.fail(made.text);
  await managed.good('backup', file, '--document', files.edgeDocument, '--recipient', recipient);
  await edge.stop();
  for (const name of ['edge.yaml', 'edge.key', 'edge-state'])
    rmSync(join(plan.folder, name), { recursive: true });
  await managed.set('policy.relay.realm', 'restored-edge.test');
  await managed.good('restore', file, '--replace', '--key', key);
  await edge.start();
  const row = await managed.upToDate();
  assert.equal(row.here, row.there);
  assert.equal(await realmOf(managed.perimeter), 'restored-edge.test');
});

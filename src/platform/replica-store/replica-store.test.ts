import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import type { ReplicaSettings } from '#platform/topology';
import { encodePush, type Push, readSigningKey, seal } from '#protocols/replication';
import { EDGE, TestStore } from '../../protocols/replication/testing/chain.ts';
import { ReplicaFolder } from './folder.ts';
import { stage } from './stage.ts';
import { verifyCurrent } from './verify-current.ts';

const SECRET = 'secrets/media-0123456789ab.media';

interface Edge {
  readonly folder: ReplicaFolder;
  readonly settings: ReplicaSettings;
  readonly store: TestStore;
}

function edgeOf(t: TestContext, store = new TestStore()): Edge {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'replica-'));
  t.after(() => rmSync(stateDirectory, { recursive: true }));
  const settings = { edge: EDGE, stateDirectory, signers: [store.key.fingerprint] };
  return { folder: new ReplicaFolder(stateDirectory), settings, store };
}
function publish({ folder, store }: Edge, policy: string): void {
  const key = folder.sealingKey();
  assert.ok(key.ok);
  const box = seal(Buffer.from('a secret'), key.value.publicKey, { edge: EDGE, name: SECRET });
  assert.ok(box);
  store.publish(policy, { [SECRET]: box });
}
function encoded(push: Push): Buffer {
  const bytes = encodePush(push);
  assert.ok(bytes.ok);
  return bytes.value;
}
function take(edge: Edge, push = edge.store.push()) {
  const staged = stage(edge.folder, edge.settings, encoded(push));
  assert.ok(staged.ok, JSON.stringify(staged));
  return staged.value;
}
/** An edge that runs the first version of its store. */
function running(t: TestContext): Edge {
  const edge = edgeOf(t);
  publish(edge, 'policy: 1\n');
  take(edge).commit();
  return edge;
}
function currentCode({ folder, settings }: Edge): string {
  const verdict = verifyCurrent(folder, settings);
  return verdict.ok ? 'ok' : verdict.error.code;
}

suite('a version takes its place', () => {
  test('beside the one that runs, and instead of it only when it is told to', (t) => {
    const edge = running(t);
    publish(edge, 'policy: 2\n');
    const staged = take(edge);
    assert.equal(edge.folder.current()?.head.version, 1);
    assert.equal(readFileSync(staged.policyFile, 'utf8'), 'policy: 2\n');
    staged.commit();
    assert.equal(edge.folder.current()?.head.version, 2);
    assert.equal(currentCode(edge), 'ok');
    assert.equal(readdirSync(edge.folder.versions).length, 2, 'until somebody sweeps');
    edge.folder.sweepVersions();
    assert.equal(readdirSync(edge.folder.versions).length, 1);
    assert.equal(currentCode(edge), 'ok');
  });
  test('secrets lie opened, and everything is its owner’s alone', (t) => {
    const edge = running(t);
    const folder = edge.folder.currentFolder ?? '';
    assert.equal(readFileSync(join(folder, SECRET), 'utf8'), 'a secret');
    for (const name of ['push.json', 'policy.yaml', SECRET])
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    for (const place of [folder, join(folder, 'secrets'), edge.folder.path])
      assert.equal(statSync(place).mode & 0o777, 0o700, place);
    assert.doesNotMatch(readFileSync(join(folder, 'push.json'), 'utf8'), /a secret/);
  });
  test('what is sent again is unchanged, and what was not taken leaves nothing', (t) => {
    const edge = running(t);
    assert.equal(take(edge).unchanged, true);
    publish(edge, 'policy: 2\n');
    take(edge).discard();
    assert.equal(readdirSync(edge.folder.versions).length, 1);
    assert.equal(edge.folder.current()?.head.version, 1);
  });
  test('an entry that the edge has need not be sent', (t) => {
    const edge = running(t);
    const [held] = edge.folder.current()?.push.entries.keys() ?? [];
    assert.ok(held !== undefined);
    publish(edge, 'policy: 1\n');
    const { links, manifest, entries } = edge.store.push();
    const lacking = new Map([...entries].filter(([hash]) => hash !== held));
    assert.equal(lacking.size, entries.size - 1);
    take(edge, { links, manifest, entries: lacking }).commit();
    assert.equal(currentCode(edge), 'ok');
  });
  test('another history takes over only where an administrator says so', (t) => {
    const edge = running(t);
    const other = new TestStore(EDGE, edge.store.key);
    const key = edge.folder.sealingKey();
    assert.ok(key.ok);
    other.publish('policy: other\n', {}, 9);
    const refused = stage(edge.folder, edge.settings, encoded(other.push()));
    assert.ok(!refused.ok && refused.error.reason === 'fork');
    const imported = stage(edge.folder, edge.settings, encoded(other.push()), { anyHistory: true });
    assert.ok(imported.ok);
  });
});

suite('what a crash leaves behind', () => {
  test('half a draft, half a link and half a note are no obstacle, and go', (t) => {
    const edge = running(t);
    publish(edge, 'policy: 2\n');
    const { links } = edge.store.push();
    const draft = join(edge.folder.versions, '2-0000000000000000.draft');
    mkdirSync(draft);
    writeFileSync(join(draft, 'push.json'), '{"lin');
    symlinkSync('versions/nowhere', `${edge.folder.currentLink}.new`);
    writeFileSync(join(edge.folder.path, 'last.json.new'), '{"out');
    assert.equal(currentCode(edge), 'ok');
    take(edge).commit();
    edge.folder.note({ head: null, outcome: 'applied', at: 1, problems: [] });
    edge.folder.sweepVersions();
    assert.equal(links.length, 2);
    assert.equal(edge.folder.current()?.head.version, 2);
    assert.equal(readdirSync(edge.folder.versions).length, 1);
    assert.deepEqual(
      readdirSync(edge.folder.path).filter((name) => name.endsWith('.new')),
      [],
    );
  });
  test('a version that was stored and never became current is stored again', (t) => {
    const edge = running(t);
    publish(edge, 'policy: 2\n');
    const first = take(edge);
    writeFileSync(first.policyFile, 'somebody was here');
    const second = take(edge);
    assert.equal(second.folder, first.folder);
    assert.equal(readFileSync(second.policyFile, 'utf8'), 'policy: 2\n');
  });
  test('a note that nobody can read is none', (t) => {
    const { folder } = running(t);
    writeFileSync(join(folder.path, 'last.json'), '{"out');
    assert.equal(folder.last, null);
  });
});

suite('what is stored is judged before anything runs on it', () => {
  const cases: [string, (edge: Edge, folder: string) => void, string][] = [
    [
      'a changed policy',
      (_, folder) => writeFileSync(join(folder, 'policy.yaml'), 'policy: 7\n'),
      'SLP-CFG-0012',
    ],
    ['a policy that is gone', (_, folder) => rmSync(join(folder, 'policy.yaml')), 'SLP-CFG-0012'],
    ['a changed secret', (_, folder) => writeFileSync(join(folder, SECRET), 'A secret'), 'SLP-CFG-0012'],
    ['a secret that is gone', (_, folder) => rmSync(join(folder, SECRET)), 'SLP-CFG-0012'],
    ['a changed snapshot', (_, folder) => damage(join(folder, 'push.json')), 'SLP-CFG-0005'],
    ['a snapshot that is gone', (_, folder) => rmSync(join(folder, 'push.json')), 'SLP-CFG-0012'],
    ['a link that is gone', ({ folder }) => rmSync(folder.currentLink), 'SLP-CFG-0012'],
    ['another sealing key', ({ folder }) => rmSync(join(folder.path, 'sealing.key')), 'SLP-CFG-0010'],
    [
      'a damaged sealing key',
      ({ folder }) => writeFileSync(join(folder.path, 'sealing.key'), 'x'),
      'SLP-CFG-0037',
    ],
  ];
  for (const [what, change, code] of cases) {
    test(`${what}: ${code}`, (t) => {
      const edge = running(t);
      assert.equal(currentCode(edge), 'ok');
      change(edge, edge.folder.currentFolder ?? '');
      assert.equal(currentCode(edge), code);
    });
  }
  test('a signer that the document no longer trusts, and the name of another edge', (t) => {
    const edge = running(t);
    const { settings } = edge;
    assert.equal(currentCode({ ...edge, settings: { ...settings, signers: [] } }), 'SLP-CFG-0004');
    assert.equal(
      currentCode({ ...edge, settings: { ...settings, edge: 'edge9.example.com' } }),
      'SLP-CFG-0006',
    );
  });
});

/** A digit in the text of the signed link. */
function damage(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/created\\":1/, 'created\\":2'));
}

test('the sealing key is made once, and a damaged one is never replaced in silence', (t) => {
  const { folder } = edgeOf(t);
  const [first, second] = [folder.sealingKey(), folder.sealingKey()];
  assert.ok(first.ok && second.ok);
  assert.equal(first.value.publicKey, second.value.publicKey);
  const file = join(folder.path, 'sealing.key');
  writeFileSync(file, 'not a key');
  const damaged = folder.sealingKey();
  assert.ok(!damaged.ok && damaged.error.code === 'SLP-CFG-0037');
  assert.equal(readFileSync(file, 'utf8'), 'not a key');
});

test('what the first release stored is read, believed, and followed by a version of today', (t) => {
  const before = join(import.meta.dirname, 'testdata', 'replica-1');
  const key = readSigningKey(readFileSync(join(before, 'store.key'), 'utf8'));
  assert.ok(key);
  const edge = edgeOf(t, new TestStore(EDGE, key));
  cpSync(join(before, 'replica'), edge.folder.path, { recursive: true, verbatimSymlinks: true });
  assert.equal(currentCode(edge), 'ok');
  const current = edge.folder.current();
  assert.ok(current);
  assert.equal(readFileSync(join(current.folder, SECRET), 'utf8'), 'the media key of a test\n');
  assert.equal(edge.folder.last?.outcome, 'applied');
  const [link] = current.push.links;
  assert.ok(link);
  edge.store.links.push(link);
  edge.store.manifests.push(current.push.manifest);
  edge.store.publish('policy: 2\n', {}, 2);
  take(edge, edge.store.push(1)).commit();
  assert.equal(edge.folder.current()?.head.version, 2);
  assert.ok(
    existsSync(join(edge.folder.versions, `${current.head.version}-${current.head.hash.slice(0, 16)}`)),
  );
});

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type Activation,
  encodeActivation,
  encodePush,
  makeActivation,
  makeSigningKey,
  seal,
} from '#protocols/replication';
import { EDGE, TestStore } from '../../protocols/replication/testing/chain.ts';
import { keptActivation, stageActivation } from './activation.ts';
import { ReplicaFolder } from './folder.ts';
import { stage } from './stage.ts';
import { verifyCurrent } from './verify-current.ts';

const key = (kind: 'media' | 'flow', number: number) => `secrets/${kind}-${number}`;
/** Both keys of one roll. */
const rolled = (number: number) => ({ media: key('media', number), flow: key('flow', number) });

/** An edge that runs versions of its store, each with the keys of some rolls. */
class Edge {
  readonly folder: ReplicaFolder;
  readonly store = new TestStore();
  readonly #state: string;
  constructor(t: TestContext) {
    this.#state = mkdtempSync(join(tmpdir(), 'activation-'));
    t.after(() => rmSync(this.#state, { recursive: true }));
    this.folder = new ReplicaFolder(this.#state);
  }
  get settings() {
    return { edge: EDGE, stateDirectory: this.#state, signers: [this.store.key.fingerprint] };
  }
  run(...rolls: number[]): void {
    const sealing = this.folder.sealingKey();
    assert.ok(sealing.ok);
    const boxes: Record<string, Uint8Array> = {};
    for (const name of rolls.flatMap((roll) => Object.values(rolled(roll)))) {
      boxes[name] = seal(Buffer.from(name), sealing.value.publicKey, { edge: EDGE, name }) ?? assert.fail();
    }
    this.store.publish(`policy: ${rolls}\n`, boxes);
    const bytes = encodePush(this.store.push());
    assert.ok(bytes.ok);
    const staged = stage(this.folder, this.settings, bytes.value);
    assert.ok(staged.ok, JSON.stringify(staged));
    staged.value.commit();
    this.folder.sweepVersions();
  }
  get version() {
    const verdict = verifyCurrent(this.folder, this.settings);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    return verdict.value;
  }
  kept(): Activation | undefined {
    return keptActivation(this.folder, this.settings, this.version);
  }
  /** @param at which published version, counted from 1 */
  signed(roll: number, at: number, by = this.store.key): Buffer {
    const { version, hash: link } = this.store.head(at - 1);
    return encodeActivation(makeActivation(by, { edge: EDGE, version, link, keys: rolled(roll) }));
  }
  stage(bytes: Uint8Array) {
    return stageActivation(this.folder, this.settings, this.version, bytes);
  }
  take(bytes: Uint8Array): void {
    const staged = this.stage(bytes);
    assert.ok(staged.ok, JSON.stringify(staged));
    staged.value.commit();
  }
  code(bytes: Uint8Array): string {
    const staged = this.stage(bytes);
    return staged.ok ? (staged.value.unchanged ? 'unchanged' : 'taken') : staged.error.code;
  }
}

test('an activation is kept beside the versions, whole and for its owner alone, and outlives the next ones', (t) => {
  const edge = new Edge(t);
  edge.run(1, 2);
  assert.equal(edge.kept(), undefined);
  const staged = edge.stage(edge.signed(2, 1));
  assert.ok(staged.ok);
  assert.equal(edge.kept(), undefined, 'nothing is kept before it is told to');
  staged.value.commit();
  assert.deepEqual(edge.kept()?.keys, rolled(2));
  assert.equal(statSync(edge.folder.activationFile).mode & 0o777, 0o600);
  edge.run(3, 2, 1);
  assert.deepEqual(edge.kept()?.keys, rolled(2), 'a later version has these keys too');
  assert.deepEqual(
    readdirSync(edge.folder.path).filter((name) => name.endsWith('.new')),
    [],
  );
});

test('what was kept before is older, and refused; the same again is nothing new', (t) => {
  const edge = new Edge(t);
  edge.run(1, 2);
  const first = edge.signed(2, 1);
  edge.take(first);
  edge.run(3, 2, 1);
  edge.take(edge.signed(3, 2));
  assert.equal(edge.code(edge.signed(3, 2)), 'unchanged');
  assert.equal(edge.code(first), 'SLP-CFG-0007');
  // Other keys by the same version can come from another store alone.
  assert.equal(edge.code(edge.signed(1, 2)), 'SLP-CFG-0008');
  assert.deepEqual(edge.kept()?.keys, rolled(3));
});

test('it names a version that runs or ran, of this history, and keys that came with what runs', (t) => {
  const edge = new Edge(t);
  edge.run(1, 2);
  const { version, hash: link } = edge.store.head();
  const { key: by } = edge.store;
  const made = (change: object) =>
    edge.code(
      encodeActivation(makeActivation(by, { edge: EDGE, version, link, keys: rolled(2), ...change })),
    );
  assert.equal(made({}), 'taken');
  assert.equal(made({ version: 2 }), 'SLP-CFG-0050');
  assert.equal(made({ link: '0'.repeat(64) }), 'SLP-CFG-0008');
  assert.equal(made({ keys: rolled(3) }), 'SLP-CFG-0051');
  assert.equal(made({ keys: { ...rolled(2), media: 'policy.yaml' } }), 'SLP-CFG-0051', 'no secret');
  assert.equal(made({ keys: { ...rolled(2), media: '../../etc/passwd' } }), 'SLP-CFG-0002');
  assert.equal(made({ edge: 'edge9.example.com' }), 'SLP-CFG-0006');
  assert.equal(made({ more: 'than there is' }), 'SLP-CFG-0002');
  assert.equal(edge.code(edge.signed(2, 1, makeSigningKey())), 'SLP-CFG-0004');
});

test('every byte of it counts, and there is one spelling of it', (t) => {
  const edge = new Edge(t);
  edge.run(1, 2);
  const whole = edge.signed(2, 1);
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.match(edge.code(changed), /^SLP-CFG-000[1-6]$/, `byte ${at}`);
    assert.equal(edge.code(whole.subarray(0, at)), 'SLP-CFG-0002');
  }
  assert.equal(edge.code(Buffer.from(` ${whole}`)), 'SLP-CFG-0002');
  assert.equal(edge.code(Buffer.alloc(5000, 0x20)), 'SLP-CFG-0001');
});

test('one that is damaged on the disk, or counts no more, is none, and bars no other', (t) => {
  const edge = new Edge(t);
  edge.run(1, 2);
  edge.take(edge.signed(2, 1));
  const { activationFile } = edge.folder;
  const good = readFileSync(activationFile);
  for (const bad of [
    '',
    '{"text":',
    '{}',
    `${good}\n`,
    'x'.repeat(9999),
    `${good}`.replace('media-2', 'media-1'),
  ]) {
    writeFileSync(activationFile, bad);
    assert.equal(edge.kept(), undefined, bad.slice(0, 20));
    assert.equal(edge.code(good), 'taken');
  }
  writeFileSync(activationFile, good);
  writeFileSync(`${activationFile}.new`, '{"te');
  assert.deepEqual(edge.kept()?.keys, rolled(2), 'half of the next one is no obstacle');
  const { settings } = edge;
  assert.equal(keptActivation(edge.folder, { ...settings, signers: [] }, edge.version), undefined);
  assert.equal(
    keptActivation(edge.folder, { ...settings, edge: 'edge9.example.com' }, edge.version),
    undefined,
  );
  edge.run(1);
  assert.equal(edge.kept(), undefined, 'its keys are in the version no more');
});

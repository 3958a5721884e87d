import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import {
  type ActivatedKeys,
  type EdgeReport,
  makeSealingKey,
  makeSigningKey,
  type SigningKey,
} from '#protocols/replication';
import { Database } from './database.ts';
import { type ManagedEdge, Policies, textOf } from './policies.ts';
import { Publisher } from './publisher.ts';
import { StoreKeys } from './store-keys.ts';

const POLICY = `
site: Head office
sipDomains: [example.com]
names: { access: sip.example.com, webConferencing: conf.example.com, av: av.example.com }
internalNetworks: [10.0.0.0/8]
nextHop: { name: fe1.example.com, members: [{ name: fe1.example.com, address: 10.45.1.10 }] }
features: { replication: true }
`;
const edgeOf = (number: number): ManagedEdge => ({
  name: `edge${number}.example.com`,
  address: `10.45.2.${number}`,
  port: 4443,
  site: 'Head office',
});

/** A store with two edges of which one reads what they report, and nothing between them. */
class Inside {
  readonly edges = [edgeOf(1), edgeOf(2)];
  readonly database: Database;
  readonly publisher: Publisher;
  readonly policies: Policies;
  readonly keys: StoreKeys;
  readonly sealing = makeSealingKey().publicKey;

  /** @param file of a store that has published already */
  constructor(t: TestContext, key: SigningKey = makeSigningKey(), file?: string) {
    const opened = Database.open(file ?? ':memory:');
    assert.ok(opened.ok);
    this.database = opened.value;
    t.after(() => this.database.close());
    const parts = {
      database: this.database,
      edges: () => this.edges,
      clock: new ManualClock({ wall: 1_700_000_000_000 }),
      key,
    };
    this.policies = new Policies(this.database, parts.edges);
    this.publisher = new Publisher({ policies: this.policies, ...parts });
    this.keys = new StoreKeys({ random: new SeededRandom(1), ...parts });
    if (file !== undefined) return;
    this.keys.prepare();
    this.database.revise({ scope: 'global', text: POLICY, author: 'tester', at: 1, reason: '' });
    for (const { name } of this.edges) this.database.noteEdge(name, { sealingKey: this.sealing });
    this.publish();
  }
  publish(): readonly string[] {
    const published = this.publisher.publish('tester', 'a test');
    assert.ok(published.ok, JSON.stringify(published));
    return published.value;
  }
  roll(...kinds: ('media' | 'flow')[]): void {
    const made = this.keys.roll(kinds);
    assert.ok(made.ok, JSON.stringify(made));
    assert.equal(this.publish().length, this.edges.length);
  }
  /** What an edge says that runs the newest version, or another one. */
  hears(edge: ManagedEdge, inUse: EdgeReport['inUse'], version?: number): EdgeReport {
    const all = this.database.since(edge.name, 0);
    const running = version === undefined ? all.at(-1) : all.find((one) => one.version === version);
    const report: EdgeReport = {
      ...{ edge: edge.name, product: '0.1.0', formats: { oldest: 1, newest: 1 }, now: 1, held: [] },
      ...{ sealingKey: this.sealing, policy: 'replicated', appliedAt: 1, last: null, settings: [] },
      head: running === undefined ? null : { version: running.version, hash: running.hash },
      healthy: true,
      ...(inUse === undefined ? {} : { inUse }),
    };
    this.database.noteEdge(edge.name, { report: JSON.stringify(report), reported: 1 });
    return report;
  }
  get used(): ActivatedKeys {
    return this.keys.inUse() ?? assert.fail('no keys');
  }
  saidBy(version: number | null, keys = this.used): EdgeReport['inUse'] {
    return { version, ...keys };
  }
  text(): string {
    const [edge] = this.edges;
    const lines = this.policies.compile(edge);
    assert.ok(lines.ok);
    return textOf(lines.value);
  }
  newest(): number {
    return this.database.newest(this.edges[0]?.name ?? '')?.version ?? 0;
  }
}

function claimsIn(activation: { readonly text: string } | undefined) {
  assert.ok(activation);
  return JSON.parse(activation.text) as { edge: string; version: number; keys: ActivatedKeys };
}

test('one roll is one version: what is published is the same before and after the new keys are used', (t) => {
  const inside = new Inside(t);
  const [first, second] = inside.edges;
  assert.ok(first && second);
  const before = inside.used;
  inside.roll('media', 'flow');
  const text = inside.text();
  const version = inside.newest();
  assert.deepEqual(inside.used, before);
  inside.hears(first, inside.saidBy(null));
  assert.equal(inside.keys.advance(), false, 'the other edge does not know them');
  inside.hears(second, inside.saidBy(null), version - 1);
  assert.equal(inside.keys.advance(), false);
  assert.match(
    inside.keys
      .waits()
      .map(({ message }) => message)
      .join('\n'),
    /media-\w+\.media waits for edge2\.example\.com, which ran version 1 /,
  );
  inside.hears(second, inside.saidBy(null));
  assert.equal(inside.keys.advance(), true);
  assert.notDeepEqual(inside.used, before);
  assert.deepEqual(inside.publish(), [], 'nothing else is published');
  assert.equal(inside.text(), text);
  const report = inside.hears(first, inside.saidBy(null, before));
  assert.ok(inside.keys.differs(report));
  const claims = claimsIn(inside.keys.activationFor(first.name, report));
  assert.deepEqual([claims.edge, claims.version, claims.keys], [first.name, version, inside.used]);
  const done = inside.hears(first, inside.saidBy(version));
  assert.equal(inside.keys.activationFor(first.name, done), undefined);
  assert.equal(inside.keys.differs(done), false);
});

test('a later version does not make a key known that an edge lacks, and an edge on a later one knows it', (t) => {
  const inside = new Inside(t);
  const [first, second] = inside.edges;
  assert.ok(first && second);
  inside.roll('flow');
  const text = inside.database.latest()[0]?.text ?? '';
  const change = { scope: 'global', author: 'tester', at: 2, reason: '' } as const;
  inside.database.revise({ ...change, text: `${text}relay: { realm: x.test }\n` });
  inside.publish();
  inside.hears(first, inside.saidBy(null));
  inside.hears(second, inside.saidBy(null), inside.newest() - 1);
  assert.equal(inside.keys.advance(), true, 'both have the version of the roll or a later one');
  const report = inside.hears(second, inside.saidBy(null, { media: 'x', flow: 'y' }), inside.newest() - 1);
  assert.equal(claimsIn(inside.keys.activationFor(second.name, report)).version, inside.newest() - 1);
});

test('an edge of the version before is waited for, and the operator is told that it is to be upgraded', (t) => {
  const inside = new Inside(t);
  const [first, second] = inside.edges;
  assert.ok(first && second);
  inside.roll('media');
  inside.hears(first, inside.saidBy(null));
  const old = inside.hears(second, undefined);
  assert.equal(inside.keys.advance(), false);
  const [wait, ...more] = inside.keys.waits();
  assert.deepEqual([wait?.code, more.length], ['SLP-CFG-0052', 0]);
  assert.match(wait?.message ?? '', /edge2\.example\.com, whose product 0\.1\.0 .* upgrade/);
  assert.equal(inside.keys.activationFor(second.name, old), undefined);
  const again = inside.keys.roll(['media']);
  assert.ok(!again.ok && again.error.code === 'SLP-CFG-0024');
  inside.hears(second, inside.saidBy(null));
  assert.equal(inside.keys.advance(), true);
});

test('kinds are rolled one during the other: every activation has a greater version than the one before', (t) => {
  const inside = new Inside(t);
  const [first, second] = inside.edges;
  assert.ok(first && second);
  inside.roll('media');
  const media = inside.newest();
  inside.roll('flow');
  const flow = inside.newest();
  inside.hears(first, inside.saidBy(null));
  inside.hears(second, inside.saidBy(null), media);
  const before = inside.used;
  assert.equal(inside.keys.advance(), true);
  assert.equal(inside.used.flow, before.flow, 'the second edge does not know it yet');
  const one = claimsIn(
    inside.keys.activationFor(first.name, inside.hears(first, inside.saidBy(null, before))),
  );
  assert.equal(one.version, media);
  inside.hears(second, inside.saidBy(media));
  assert.equal(inside.keys.advance(), true);
  const other = claimsIn(
    inside.keys.activationFor(first.name, inside.hears(first, inside.saidBy(media, one.keys))),
  );
  assert.equal(other.version, flow);
  assert.notEqual(other.keys.flow, one.keys.flow);
});

test('a copy of a store signs the same, and does not gainsay what the other one was first to say', (t) => {
  const key = makeSigningKey();
  const one = new Inside(t, key);
  one.roll('media', 'flow');
  const folder = mkdtempSync(join(tmpdir(), 'store-copy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'store.sqlite');
  one.database.store.command('VACUUM INTO ?').run(file);
  const copy = new Inside(t, key, file);
  const [edge, second] = one.edges;
  assert.ok(edge && second);
  const before = one.saidBy(null);
  for (const each of one.edges) one.hears(each, before);
  assert.ok(one.keys.advance());
  const made = one.keys.activationFor(edge.name, one.hears(edge, before));
  const claims = claimsIn(made);
  // The copy has not heard the second edge yet; the first one uses the new keys already.
  const said = copy.hears(edge, { version: claims.version, ...claims.keys });
  assert.equal(copy.keys.activationFor(edge.name, said), undefined);
  copy.hears(second, before);
  assert.ok(copy.keys.advance());
  assert.equal(copy.keys.activationFor(edge.name, said), undefined);
  assert.deepEqual(copy.keys.activationFor(edge.name, copy.hears(edge, before)), made);
});

test('a store that takes an edge over has the last word on its keys, by the version that it publishes then', (t) => {
  const inside = new Inside(t);
  const [edge] = inside.edges;
  assert.ok(edge);
  inside.roll('flow');
  for (const each of inside.edges) inside.hears(each, inside.saidBy(null));
  assert.ok(inside.keys.advance());
  const theirs = { version: 40, media: inside.used.media, flow: 'secrets/flow-ofanother.secret' };
  inside.publisher.adopt(edge.name, { version: 41, hash: 'a'.repeat(64) });
  inside.publish();
  const claims = claimsIn(inside.keys.activationFor(edge.name, inside.hears(edge, theirs)));
  assert.deepEqual([claims.version, claims.keys], [42, inside.used]);
});

test('a file says which keys are used once they are other than the policy names', (t) => {
  const inside = new Inside(t);
  const [edge] = inside.edges;
  assert.ok(edge);
  assert.equal(inside.keys.activationForFile(edge.name), undefined);
  inside.roll('media');
  assert.equal(inside.keys.activationForFile(edge.name), undefined, 'known, and not used');
  for (const each of inside.edges) inside.hears(each, inside.saidBy(null));
  assert.ok(inside.keys.advance());
  assert.deepEqual(claimsIn(inside.keys.activationForFile(edge.name)).keys, inside.used);
});

test('keys of before stay listed: three media keys and five flow keys, the last ones', (t) => {
  const inside = new Inside(t);
  for (let roll = 1; roll <= 8; roll++) {
    inside.roll('media', 'flow');
    for (const each of inside.edges) inside.hears(each, inside.saidBy(null));
    assert.ok(inside.keys.advance());
  }
  const names = inside.database.secrets().map(({ name }) => name);
  assert.equal(names.filter((name) => name.startsWith('secrets/media-')).length, 1 + 3);
  assert.equal(names.filter((name) => name.startsWith('secrets/flow-')).length, 1 + 5);
});

test('a store of the version before, in the middle of its roll, goes on with it and publishes nothing for that', (t) => {
  const inside = new Inside(t);
  inside.roll('media');
  for (const kind of ['media', 'flow']) inside.database.dropFact(`written ${kind}`);
  const text = inside.text();
  for (const each of inside.edges) inside.hears(each, inside.saidBy(null));
  assert.ok(inside.keys.advance());
  assert.equal(inside.text(), text);
  assert.deepEqual(inside.publish(), []);
});

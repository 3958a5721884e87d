import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { ManualClock, SeededRandom } from '#kernel';
import { settings } from '#platform/topology';
import { type EdgeReport, edgeReport, makeSealingKey, makeSigningKey } from '#protocols/replication';
import { Database } from './database.ts';
import { migrate, tryMigration } from './migration.ts';
import { type ManagedEdge, Policies } from './policies.ts';
import { Publisher } from './publisher.ts';
import { StoreKeys } from './store-keys.ts';

const EDGE: ManagedEdge = {
  name: 'edge1.example.com',
  address: '10.45.2.10',
  port: 4443,
  site: 'Head office',
};
const NOW = 1_700_000_000_000;

/** A store that the first release left behind, in a file. */
function storeOfBefore(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-of-before-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'store.sqlite');
  const database = new DatabaseSync(file);
  database.exec(readFileSync(join(import.meta.dirname, 'testdata', 'store-1.sql'), 'utf8'));
  database.close();
  return file;
}

function open(t: TestContext, file: string) {
  const opened = Database.open(file);
  assert.ok(opened.ok, JSON.stringify(opened));
  const database = opened.value;
  t.after(() => database.close());
  const edges = () => [EDGE];
  const policies = new Policies(database, edges);
  const parts = { database, edges, clock: new ManualClock({ wall: NOW }), key: makeSigningKey() };
  const publisher = new Publisher({ policies, ...parts });
  const keys = new StoreKeys({ random: new SeededRandom(1), ...parts });
  keys.prepare();
  database.noteEdge(EDGE.name, { sealingKey: makeSealingKey().publicKey });
  return { database, policies, publisher, keys };
}

const known = settings('edge')
  .map(({ name }) => name)
  .filter((name) => name.startsWith('policy.'));

function report(change: Partial<EdgeReport> = {}): EdgeReport {
  return {
    edge: EDGE.name,
    product: '0.1.0',
    formats: { oldest: 1, newest: 1 },
    now: NOW,
    sealingKey: makeSealingKey().publicKey,
    policy: 'replicated',
    head: null,
    held: [],
    appliedAt: null,
    last: null,
    settings: known,
    healthy: true,
    ...change,
  };
}

test('a store of the version before opens, publishes what it has, and its versions go on growing', (t) => {
  const { database, publisher } = open(t, storeOfBefore(t));
  const published = publisher.publish('tester', 'after the upgrade');
  assert.deepEqual(published, { ok: true, value: [EDGE.name] });
  assert.equal(database.newest(EDGE.name)?.version, 8);
  // The edge may be of the version before as well: what it knows is all that is sent.
  const older = known.filter((name) => !name.startsWith('policy.externalAccess.'));
  const push = publisher.pushFor(EDGE.name, report({ settings: older }), false);
  assert.ok(push.ok && push.value !== 'up-to-date', JSON.stringify(push));
});

test('a dry run tells what a migration would do, and does nothing', (t) => {
  const file = storeOfBefore(t);
  const before = statSync(file).mtimeMs;
  const tried = tryMigration(file, [EDGE]);
  assert.ok(tried.ok, JSON.stringify(tried));
  assert.deepEqual(tried.value.schema, { from: 1, to: Database.NEWEST_SCHEMA });
  assert.deepEqual(
    tried.value.scopes.map(({ scope, done }) => [scope, done]),
    [['global', ['remoteAccess.onlyUsers becomes externalAccess']]],
  );
  assert.deepEqual(tried.value.problems, []);
  assert.equal(statSync(file).mtimeMs, before);
  const { policies } = open(t, file);
  assert.match(policies.text('global'), /onlyUsers/);
});

test('a migration is a revision like any other, keeps comments, and means the same', (t) => {
  const { database, policies } = open(t, storeOfBefore(t));
  const { scopes, problems } = migrate(database, policies, { author: 'tester', at: NOW });
  assert.equal(scopes.length, 1);
  assert.deepEqual(problems, []);
  const text = policies.text('global');
  assert.match(text, /^# What the first release wrote\.$/m);
  assert.doesNotMatch(text, /onlyUsers|remoteAccess/);
  assert.match(
    text,
    /externalAccess:\n {2}remote: false\n {2}users:\n {4}- user: alice@example\.com\n {6}remote: true/,
  );
  const [newest] = database.history('global', 1);
  assert.deepEqual([newest?.author, newest?.reason.startsWith('migrated: ')], ['tester', true]);
  assert.deepEqual(migrate(database, policies, { author: 'tester', at: NOW }).scopes, [], 'once is enough');
});

test('an edge of the version before is sent nothing that it would refuse, and the operator is told what and from where', (t) => {
  const { database, policies, publisher } = open(t, storeOfBefore(t));
  migrate(database, policies, { author: 'tester', at: NOW });
  assert.ok(publisher.publish('tester', 'migrated').ok);
  const head = { version: 7, hash: '1'.repeat(64) };
  const older = known.filter((name) => !name.startsWith('policy.externalAccess.'));
  const push = publisher.pushFor(EDGE.name, report({ head, settings: older, product: '0.0.9' }), false);
  assert.ok(!push.ok && push.error.code === 'SLP-CFG-0039', JSON.stringify(push));
  assert.match(
    push.error.message,
    /edge1\.example\.com, product 0\.0\.9: policy\.externalAccess\.remote \(global, revision 2\), policy\.externalAccess\.users/,
  );
});

test('an edge of the version after may say more than this store knows', (t) => {
  const { publisher } = open(t, storeOfBefore(t));
  assert.ok(publisher.publish('tester', '').ok);
  const newer = {
    ...report({ settings: [...known, 'policy.weather.forecast'], formats: { oldest: 1, newest: 2 } }),
    weather: 'fine',
    formats: { oldest: 1, newest: 2, preferred: 2 },
    last: { head: null, outcome: 'applied', at: NOW, problems: [], seconds: 3 },
  };
  const read = edgeReport.safeParse(JSON.parse(JSON.stringify(newer)));
  assert.ok(read.success, JSON.stringify(read));
  const push = publisher.pushFor(EDGE.name, read.data, false);
  assert.ok(push.ok && push.value !== 'up-to-date');
});

test('two versions apart there may be no common format, and that is said', (t) => {
  const { publisher } = open(t, storeOfBefore(t));
  assert.ok(publisher.publish('tester', '').ok);
  const head = { version: 7, hash: '1'.repeat(64) };
  const push = publisher.pushFor(EDGE.name, report({ head, formats: { oldest: 2, newest: 3 } }), false);
  assert.ok(!push.ok && push.error.code === 'SLP-CFG-0040');
  assert.match(push.error.message, /reads formats 2 to 3; this store writes 1/);
});

test('a policy that this version cannot read is not published, and nothing else is', (t) => {
  const { database, publisher } = open(t, storeOfBefore(t));
  assert.ok(publisher.publish('tester', '').ok);
  const version = database.newest(EDGE.name)?.version;
  const text = 'weather: { forecast: true }';
  database.revise({ scope: `service/${EDGE.name}`, text, author: 'a later version', at: NOW, reason: '' });
  const published = publisher.publish('tester', '');
  assert.ok(!published.ok && published.error.code === 'SLP-CFG-0022');
  assert.match(published.error.message, /service\/edge1\.example\.com: "weather" in policy is not a setting/);
  assert.equal(database.newest(EDGE.name)?.version, version);
});

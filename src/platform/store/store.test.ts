import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Store } from './store.ts';

const first = 'CREATE TABLE user (name TEXT PRIMARY KEY, age INTEGER NOT NULL) STRICT, WITHOUT ROWID';
const second = `CREATE TABLE device (user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE, id TEXT NOT NULL) STRICT;
  ALTER TABLE user ADD COLUMN site TEXT NOT NULL DEFAULT ''`;

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'below', 'front-end.db');
}

function open(t: TestContext, file = ':memory:', migrations: readonly string[] = [first, second]): Store {
  const store = Store.open({ file, migrations });
  assert.ok(store.ok, JSON.stringify(store));
  t.after(() => store.value.close());
  return store.value;
}

test('rows come back decoded, from prepared statements', (t) => {
  const store = open(t);
  const add = store.command('INSERT INTO user (name, age) VALUES (?, ?)');
  assert.equal(add.run('alice', 30), 1);
  assert.equal(add.run('bob', 40), 1);
  const ages = store.query('SELECT name, age FROM user WHERE age > ? ORDER BY name', (row) => ({
    name: String(row.name),
    age: Number(row.age),
  }));
  assert.deepEqual(ages.all(0), [
    { name: 'alice', age: 30 },
    { name: 'bob', age: 40 },
  ]);
  assert.deepEqual(ages.one(35), { name: 'bob', age: 40 });
  assert.equal(ages.one(50), undefined);
  assert.equal(store.command('DELETE FROM user').run(), 2);
});

test('more statements than the cache holds still work', (t) => {
  const opened = Store.open({ file: ':memory:', migrations: [first], statements: 2 });
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  const queries = [1, 2, 3, 4].map((n) => opened.value.query(`SELECT ${n} AS n`, (row) => Number(row.n)));
  for (let round = 0; round < 2; round++)
    assert.deepEqual(
      queries.map((query) => query.one()),
      [1, 2, 3, 4],
    );
});

test('a transaction is all or nothing', (t) => {
  const store = open(t);
  const add = store.command('INSERT INTO user (name, age) VALUES (?, ?)');
  const count = store.query('SELECT count(*) AS n FROM user', (row) => Number(row.n));
  assert.equal(
    store.transaction(() => add.run('alice', 1) + add.run('bob', 2)),
    2,
  );
  assert.throws(() =>
    store.transaction(() => {
      add.run('carol', 3);
      add.run('alice', 4);
    }),
  );
  assert.throws(() => store.transaction(() => store.transaction(() => 1)), /open already/);
  assert.throws(() => store.transaction(async () => add.run('dave', 5)), TypeError);
  assert.equal(count.one(), 2);
});

test('foreign keys and strict types hold', (t) => {
  const store = open(t);
  assert.throws(() => store.command("INSERT INTO device VALUES ('nobody', 'x')").run(), /FOREIGN KEY/);
  assert.throws(() => store.command("INSERT INTO user (name, age) VALUES ('x', 'old')").run(), /INTEGER/);
});

test('the file and its companions belong to their owner alone', (t) => {
  const file = place(t);
  const store = open(t, file);
  store.command("INSERT INTO user (name, age) VALUES ('alice', 1)").run();
  for (const suffix of ['', '-wal', '-shm'])
    assert.equal(statSync(file + suffix).mode & 0o777, 0o600, suffix);
});

test('an older database is brought up to date and keeps its rows', (t) => {
  const file = place(t);
  const old = open(t, file, [first]);
  old.command("INSERT INTO user VALUES ('alice', 1)").run();
  old.close();
  const store = open(t, file);
  assert.equal(store.query('SELECT site FROM user', (row) => row.site).one(), '');
  store.close();
  assert.equal(
    open(t, file)
      .query('SELECT count(*) AS n FROM user', (row) => row.n)
      .one(),
    1,
  );
});

test('a migration that fails changes nothing', (t) => {
  const file = place(t);
  open(t, file, [first]).close();
  const broken = Store.open({ file, migrations: [first, 'CREATE TABLE half (x TEXT)', 'NO SQL'] });
  assert.equal(broken.ok ? 'ok' : broken.error.code, 'SLP-NET-0020');
  const store = open(t, file, [first, second]);
  assert.deepEqual(store.query("SELECT name FROM sqlite_schema WHERE name = 'half'", (row) => row).all(), []);
});

test('a database of a newer version is left alone', (t) => {
  const file = place(t);
  open(t, file).close();
  const opened = Store.open({ file, migrations: [first] });
  assert.equal(opened.ok ? 'ok' : opened.error.code, 'SLP-NET-0022');
  assert.match(opened.ok ? '' : opened.error.message, /schema 2, this version knows 1/);
});

test('damage and impossible places are failures that name the file', (t) => {
  const file = place(t);
  const store = open(t, file);
  for (let i = 0; i < 2000; i++) store.command('INSERT INTO user (name, age) VALUES (?, 1)').run(`user${i}`);
  store.close();
  truncateSync(file, 8192);
  const cut = Store.open({ file, migrations: [first, second] });
  assert.equal(cut.ok ? 'ok' : cut.error.code, 'SLP-NET-0021');
  writeFileSync(file, 'This is a letter and no database. '.repeat(100));
  const letter = Store.open({ file, migrations: [first] });
  assert.equal(letter.ok ? 'ok' : letter.error.code, 'SLP-NET-0021');
  assert.ok(!letter.ok && letter.error.message.includes(file));
  const folder = Store.open({ file: join(file, 'below.db'), migrations: [] });
  assert.equal(folder.ok ? 'ok' : folder.error.code, 'SLP-NET-0020');
});

test('a store that others rely on has the disk confirm every transaction, and takes no other word for it', (t) => {
  for (const [durability, synchronous] of [
    ['commit', 2],
    ['restart', 1],
  ] as const) {
    const opened = Store.open({ file: place(t), migrations: [first], durability });
    assert.ok(opened.ok);
    t.after(() => opened.value.close());
    const level = opened.value.query('PRAGMA synchronous', (row) => Number(row.synchronous)).one();
    assert.equal(level, synchronous, durability);
  }
});

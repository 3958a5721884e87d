import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { FileStore } from './store/file-store.ts';
import { ALICE, type Client, Table, until } from './testing/table.ts';

function source(bytes: Uint8Array) {
  return {
    length: bytes.length,
    read: async (from: number, many: number) => bytes.subarray(from, from + many),
  };
}

test('a disk that lets nothing go stops nobody, and is asked again', async () => {
  await using table = new Table({ settings: { keptMs: 0 } });
  const alice = await table.join(ALICE);
  const other = table.meetings.create({
    ...{ title: 'Over', organizer: ALICE, presenters: [], guests: false, federated: false },
    lifeMs: 1000,
  });
  assert.ok(other.ok);
  const forget = table.store.delete.bind(table.store);
  table.store.delete = () => {
    throw new Error('database or disk is full');
  };
  table.clock.advance(2000);
  table.meetings.handleTime();
  assert.ok(table.log.lines.some(({ event }) => event === 'what is over could not be deleted'));
  await table.guest('Bob');
  await until(() => alice.seen.users.length === 2);
  table.store.delete = forget;
  table.clock.advance(10_000);
  table.meetings.handleTime();
  assert.equal(table.meetings.recordOf(other.value.id), undefined);
});

test('a meeting that the disk does not take is not made, and its operator is told why', async () => {
  await using table = new Table();
  table.store.create = () => {
    throw new Error('database or disk is full');
  };
  const about = { title: 'More', organizer: ALICE, presenters: [], guests: false, federated: false };
  const made = table.meetings.create(about);
  assert.equal(made.ok ? 'made' : made.error.code, 'SLP-WEB-0056');
});

test('signalling, too, hears of nobody who has left what the disk does not take', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  const gone: unknown[] = [];
  table.meetings.onDeparture((_, number, why) => void gone.push([number, why]));
  const commit = table.store.commit.bind(table.store);
  table.store.commit = () => {
    throw new Error('database or disk is full');
  };
  alice.view.commands.removeUser(bob.number);
  await until(() => bob.view.phase === 'dropped' && alice.view.phase === 'dropped');
  assert.deepEqual(gone, []);
  table.store.commit = commit;
  table.clock.advance(5000);
  await alice.resume();
  await bob.resume();
  alice.view.commands.removeUser(bob.number);
  await until(() => bob.view.phase === 'dropped');
  assert.deepEqual(gone, [[bob.number, 'removed']]);
});

test('a file is on the disk by name, too, before anybody is told of it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const bytes = Buffer.from('a file');
  const hash = createHash('sha256').update(bytes).digest('hex');
  const synced: string[] = [];
  const opened = FileStore.open(folder, undefined, (one) => {
    // Of a shelf, once the file is there.
    if (one === folder || existsSync(join(one, hash))) synced.push(one);
  });
  assert.ok(opened.ok);
  const draft = opened.value.begin(bytes.length) ?? assert.fail();
  draft.write(bytes, () => undefined);
  const stored = await new Promise<boolean>((resolve) => draft.finish(({ ok }) => resolve(ok)));
  assert.ok(stored);
  assert.deepEqual(synced, [folder, dirname(opened.value.pathOf(hash) ?? '')]);
});

test('files under way are counted over all meetings', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'files-'));
  t.after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  const opened = FileStore.open(folder, () => 1e12);
  assert.ok(opened.ok);
  const drafts = Array.from({ length: 500 }, () => opened.value.begin(1)).filter((one) => one !== undefined);
  assert.ok(drafts.length < 500, `${drafts.length} at a time`);
  drafts.pop()?.abandon();
  const another = opened.value.begin(1);
  assert.ok(another, 'one went, one comes');
  for (const draft of [...drafts, another]) draft.abandon();
});

test('files that nobody names go one shelf at a time, all of them in the end', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const shelves = () => readdirSync(join(table.folder, 'files')).filter((name) => name !== 'incoming');
  for (let n = 0; n < 5; n++) {
    assert.equal(await alice.view.commands.uploadFile(`file ${n}`, source(Buffer.from(`${n}`))), undefined);
  }
  await until(() => alice.seen.contents.length === 5);
  for (const { id } of alice.seen.contents) alice.view.commands.deleteContent(id);
  await until(() => alice.seen.contents.length === 0);
  const later = Date.now() + 7_200_000;
  const sweep = () => table.files.sweepNext((hash) => table.store.namesFile(hash), later);
  const swept = shelves().map(() => sweep());
  assert.equal(shelves().length, 5);
  assert.deepEqual(swept, [1, 1, 1, 1, 1]);
});

test('an upload takes as long as it takes, its title with it; one of which nothing comes is over', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bytes = Buffer.alloc(600_000, 7);
  const slow = {
    length: bytes.length,
    read: async (from: number, many: number) => {
      // What was read before has arrived; then a minute passes.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      table.clock.advance(60_000);
      table.meetings.handleTime();
      return bytes.subarray(from, from + many);
    },
  };
  assert.equal(await alice.view.commands.uploadFile('film', slow), undefined);
  const never = { length: 10, read: () => new Promise<Uint8Array>(() => undefined) };
  const idle = alice.view.commands.uploadFile('nothing', never);
  await until(() => alice.seen.uploads[0]?.state === 'sending');
  table.clock.advance(120_000);
  table.meetings.handleTime();
  assert.equal(await idle, 'cancelled');
  assert.equal(table.meetings.inMemory(table.id)?.contents.uploads.underWay, 0);
});

test('one participant does not take all downloads for itself', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const bytes = Buffer.alloc(300_000, 3);
  assert.equal(await alice.view.commands.uploadFile('film', source(bytes)), undefined);
  await until(() => bob.content('film')?.file !== undefined);
  const hash = bob.content('film')?.file?.hash ?? '';
  const ask = ({ seen }: Client) => table.downloads.serve({ token: seen.contentToken, hash });
  const asked = await Promise.all(Array.from({ length: 100 }, () => ask(bob)));
  const given = asked.filter((one) => one.ok);
  assert.ok(given.length >= 6 && given.length < 100, `${given.length} at a time`);
  const other = await ask(alice);
  assert.ok(other.ok);
  const closed = given.map((one) => one.ok && once(one.value.body, 'close'));
  for (const one of [...given, other]) if (one.ok) one.value.body.destroy();
  await Promise.all(closed);
  const again = await ask(bob);
  assert.ok(again.ok);
  again.value.body.destroy();
});

test('who is a presenter no more uploads no more, and what was under way makes room', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  alice.view.commands.setPresenter(bob.number, true);
  await until(() => bob.seen.self.presenter);
  const never = { length: 10, read: () => new Promise<Uint8Array>(() => undefined) };
  const upload = bob.view.commands.uploadFile('film', never);
  await until(() => bob.seen.uploads[0]?.state === 'sending');
  alice.view.commands.setPresenter(bob.number, false);
  assert.equal(await upload, 'not-allowed');
  assert.equal(table.meetings.inMemory(table.id)?.contents.uploads.underWay, 0);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
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

/** Another disk at this folder, for as long as the function runs. */
async function onDisk(folder: string, size: string, use: () => Promise<void>): Promise<void> {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'none', folder]);
  assert.equal(mounted.status, 0, `${mounted.stderr}`);
  try {
    await use();
  } finally {
    assert.equal(spawnSync('umount', [folder]).status, 0);
  }
}
function fill(folder: string, file: string, leave: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, Buffer.alloc((bavail - leave) * bsize));
}

test('a disk that is full in the middle of a file: that one is refused for want of space, and nothing else suffers', async () => {
  await using table = new Table();
  const files = join(table.folder, 'files');
  // Free of what the service leaves to the database: a little over one file.
  await onDisk(files, '66m', async () => {
    table.restart();
    const alice = await table.join(ALICE);
    const bob = await table.guest('Bob');
    const upload = (title: string, bytes: Uint8Array) => alice.view.commands.uploadFile(title, source(bytes));
    const small = Buffer.from('not much');
    assert.equal(await upload('before', small), undefined);
    const board = await alice.create('board', 'Content.Whiteboard');
    await until(() => alice.seen.availableSpace !== undefined && bob.content('board') !== undefined);
    const space = alice.seen.availableSpace;
    const incoming = () => readdirSync(join(files, 'incoming'));
    const ballast = join(files, 'ballast');
    const large = Buffer.alloc(900_000, 7);
    const filling = {
      length: large.length,
      read: async (from: number, many: number) => {
        // Some of it is on the disk when somebody else takes the rest.
        if (from > 0 && !existsSync(ballast)) {
          await until(() => incoming().length === 1);
          fill(files, ballast, 8);
        }
        return large.subarray(from, from + many);
      },
    };
    assert.equal(await alice.view.commands.uploadFile('film', filling), 'no-space');
    await until(() => incoming().length === 0, 'what was written of it is gone');
    await until(() => alice.seen.availableSpace === space, 'its room in the meeting is given back');
    assert.equal(table.meetings.inMemory(table.id)?.contents.uploads.underWay, 0);
    assert.equal(await upload('while it is full', small), 'no-space', 'what is left is for the database');
    alice.view.commands.draw(board, { page: 1, kind: 'pen', colour: 1, width: 2, points: [1, 2, 3, 4] });
    await until(() => bob.content('board')?.annotations?.all.length === 1, 'the meeting goes on');
    const hash = bob.content('before')?.file?.hash ?? '';
    const given = await table.downloads.serve({ token: bob.seen.contentToken, hash });
    assert.ok(given.ok);
    assert.deepEqual(Buffer.concat(await given.value.body.toArray()), small);
    assert.deepEqual(
      bob.seen.contents.map(({ title }) => title).sort(),
      ['before', 'board'],
      'nothing of the file that failed is shown',
    );
    rmSync(ballast);
    assert.equal(await upload('film', small), undefined, 'its title is free, too');
    await until(() => bob.content('film')?.file !== undefined);
  });
});

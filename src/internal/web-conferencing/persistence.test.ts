import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ConferenceStore } from './store/conference-store.ts';
import { ALICE, Client, Table, until } from './testing/table.ts';

function source(bytes: Uint8Array) {
  return {
    length: bytes.length,
    read: async (from: number, many: number) => bytes.subarray(from, from + many),
  };
}
test('the disk confirms each commit before anybody is told, so that power may fail', (t) => {
  const exec = t.mock.method(DatabaseSync.prototype, 'exec');
  const folder = mkdtempSync(join(tmpdir(), 'meetings-'));
  const opened = ConferenceStore.open(join(folder, 'meetings.sqlite'));
  t.after(() => {
    if (opened.ok) opened.value.close();
    rmSync(folder, { recursive: true });
  });
  const said = exec.mock.calls.map(({ arguments: [sql] }) => sql).join(';');
  assert.deepEqual(said.match(/PRAGMA synchronous = \w+/g), ['PRAGMA synchronous = FULL']);
});

/** What everyone can see of a meeting. */
function shown({ seen }: Client) {
  const { contents, users, activeContent, activePresenter, title, locked } = seen;
  return { contents, users, activeContent, activePresenter, title, locked };
}

test('nothing that anybody was told is lost when the process is killed, and everyone comes back with their role', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  const carol = await table.guest('Carol');
  alice.view.commands.setPresenter(bob.number, true);
  const board = await alice.create('Board', 'Content.Whiteboard');
  const lunch = await alice.create('Lunch', 'Content.Poll');
  assert.equal(await alice.view.commands.uploadFile('notes.txt', source(Buffer.from('notes'))), undefined);
  alice.view.commands.setQuestion(lunch, 'What?', ['Soup', 'Salad'], true);
  alice.view.commands.setPollOpen(lunch, true);
  alice.view.commands.setResultsShown(lunch, true);
  await until(() => carol.content('Lunch')?.poll?.open === true);
  carol.view.commands.vote(lunch, [1, 0]);
  const shape = { page: 2, colour: 255, width: 3 };
  const pen = carol.view.commands.draw(board, { ...shape, kind: 'pen', points: [1, 2] });
  assert.ok(pen);
  for (let n = 0; n < 20; n++) carol.view.commands.extend(board, pen, [n, n]);
  bob.view.commands.draw(board, { ...shape, kind: 'text', points: [3, 4], text: 'Größe' });
  alice.view.commands.present(board);
  const points = (client: Client) => client.content('Board')?.annotations?.all[0]?.points.length;
  await until(() => points(bob) === 42 && bob.content('Board')?.annotations?.all.length === 2);
  await until(() => bob.content('Lunch')?.poll?.results?.voters === 1 && bob.seen.activeContent === board);
  await until(() => alice.content('Board')?.annotations?.all.length === 2);
  const before = shown(bob);
  table.restart([alice, bob, carol]);
  for (const client of [alice, bob, carol]) {
    client.view.handleClosed();
    await client.resume();
  }
  await until(() => bob.content('Lunch')?.poll?.results?.voters === 1);
  assert.deepEqual(shown(bob), before);
  assert.deepEqual(carol.content('Lunch')?.poll?.ownVote, [1, 0]);
  assert.deepEqual(
    bob.seen.users.map(({ presenter }) => presenter),
    [true, true, false],
  );
  const more = carol.view.commands.draw(board, { ...shape, kind: 'pen', points: [9, 9] });
  assert.ok(more);
  await until(() => alice.content('Board')?.annotations?.all.length === 3);
});

test('a token that was used before the process was killed stays used', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  table.restart([alice]);
  const again = new Client(table, alice.admission);
  await until(() => again.view.phase === 'refused');
  assert.equal(again.seen.refusal?.reason, 'used');
});

test('what the disk does not take is told to nobody, and the meeting goes on from what it has', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const id = await alice.create('Board', 'Content.Whiteboard');
  await until(() => bob.seen.contents.length === 1);
  const commit = table.store.commit.bind(table.store);
  table.store.commit = () => {
    throw new Error('database or disk is full');
  };
  const stroke = { page: 1, colour: 0, width: 1, kind: 'pen', points: [1, 1] } as const;
  alice.view.commands.draw(id, stroke);
  await until(() => bob.wire.closed && alice.wire.closed);
  assert.equal(bob.content('Board')?.annotations?.all.length, 0);
  const who = {
    address: 'dave@example.com',
    displayName: '',
    kind: 'user',
    outside: false,
    device: '',
  } as const;
  assert.deepEqual(table.meetings.admit(table.id, who), { ok: false, error: 'unavailable' });
  bob.reconnect();
  await until(() => bob.view.phase === 'refused');
  assert.deepEqual(bob.seen.refusal, { reason: 'no-service', retrySeconds: 5 });
  table.store.commit = commit;
  table.clock.advance(6000);
  await bob.resume();
  assert.equal(bob.content('Board')?.annotations?.all.length, 0);
  // Who drew it has it still, and draws it again.
  await alice.resume();
  await until(() => bob.content('Board')?.annotations?.all.length === 1);
  alice.view.commands.draw(id, stroke);
  await until(() => bob.content('Board')?.annotations?.all.length === 2);
});

test('files that no meeting names go, and those that are named stay', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  await alice.view.commands.uploadFile('kept', source(Buffer.from('kept')));
  await alice.view.commands.uploadFile('gone', source(Buffer.from('gone')));
  await until(() => alice.content('gone') !== undefined);
  const files = () =>
    readdirSync(join(table.folder, 'files'))
      .filter((name) => /^[0-9a-f]{2}$/.test(name))
      .flatMap((name) =>
        readdirSync(join(table.folder, 'files', name)).map((file) => join(table.folder, 'files', name, file)),
      );
  assert.equal(files().length, 2);
  alice.view.commands.deleteContent(alice.content('gone')?.id ?? 0);
  await until(() => alice.seen.contents.length === 1);
  const sweep = () => table.files.sweep((hash) => table.store.namesFile(hash), Date.now());
  assert.equal(sweep(), 0, 'a young file may be about to be named');
  const old = new Date(Date.now() - 7_200_000);
  for (const file of files()) utimesSync(file, old, old);
  assert.equal(sweep(), 1);
  assert.equal(files().length, 1);
});

test('a file that is not there any more is not found, and nothing breaks', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  await alice.view.commands.uploadFile('notes', source(Buffer.from('notes')));
  await until(() => alice.content('notes')?.file !== undefined);
  rmSync(join(table.folder, 'files'), { recursive: true });
  const hash = alice.content('notes')?.file?.hash ?? '';
  const answer = await table.downloads.serve({ token: alice.seen.contentToken, hash });
  assert.deepEqual(answer, { ok: false, error: 'not-found' });
});

test('a second connection of a participant takes over the seat of the first', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const first = alice.wire;
  const refreshed = table.meetings.refresh(table.id, alice.number);
  assert.ok(refreshed);
  const again = new Client(table, refreshed);
  await again.live();
  await until(() => first.closed);
  assert.equal(again.seen.users.length, 1);
  assert.equal(table.meetings.roster(table.id).entries[0]?.connected, true);
});

test('two hundred participants come back at once after their edge is gone: all of them, with their roles', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const id = await alice.create('Board', 'Content.Whiteboard');
  for (let n = 0; n < 50; n++)
    alice.view.commands.draw(id, { page: 1, kind: 'pen', colour: 0, width: 1, points: [n, n] });
  const addresses = Array.from({ length: 200 }, (_, n) => `user${n}@example.com`);
  const clients = addresses.map((address) => new Client(table, table.admit({ address })));
  await until(() => clients.every(({ view }) => view.phase === 'live'), 'all are there');
  for (const one of clients.slice(0, 10)) alice.view.commands.setPresenter(one.number, true);
  await until(
    () => table.meetings.roster(table.id).entries.filter(({ role }) => role === 'presenter').length === 11,
  );
  for (const client of clients) client.wire.cut();
  await until(() => table.meetings.connections === 1);
  for (const client of clients) client.reconnect();
  await until(() => clients.every(({ view }) => view.phase === 'live'), 'all are back');
  assert.ok(clients.every((one) => one.content('Board')?.annotations?.all.length === 50));
  assert.equal(table.meetings.connections, 201);
  assert.equal(clients.filter(({ seen }) => seen.self.presenter).length, 10);
});

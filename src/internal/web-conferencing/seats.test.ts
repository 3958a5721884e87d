import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  annotationContainer,
  content,
  contentManager,
  encodeOperation,
  meeting,
  PsomPeer,
  whiteboard,
} from '#protocols/psom';
import { ALICE, Client, Table, until, Wire } from './testing/table.ts';

test('a connection that was taken over, removed or left behind by an end is forgotten', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com', { device: 'laptop' });
  // The connection before is not known to be gone.
  for (let n = 0; n < 3; n++) {
    const again = new Client(table, table.admit({ address: 'bob@example.com', device: 'laptop' }));
    await again.live();
    assert.equal(again.number, bob.number);
  }
  await until(() => table.meetings.connections === 2, 'two are connected');
  const carol = await table.guest('Carol');
  alice.view.commands.removeUser(carol.number);
  await until(() => table.meetings.connections === 2, 'who was removed is not');
  alice.view.commands.endMeeting();
  await until(() => table.meetings.connections === 0, 'nobody is');
});

test('who is called something else when they come again is called so on every screen', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com', { displayName: 'Bob', device: 'laptop' });
  const named = { address: 'bob@example.com', displayName: 'Robert', device: 'laptop', outside: true };
  assert.equal(table.admit(named).participant, bob.number);
  const late = await table.guest('Carol');
  const bobIn = ({ seen }: Client) => seen.users.find(({ userId }) => userId === bob.number);
  await until(() => bobIn(alice)?.displayName === 'Robert' && bobIn(alice)?.outside === true);
  assert.deepEqual(bobIn(alice), bobIn(late));
});

test('a participant that reads nothing has no state told to it over and over', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const board = await alice.create('Board', 'Content.Whiteboard');
  const points = Array.from({ length: 10_000 }, (_, index) => index);
  for (let n = 0; n < 20; n++)
    alice.view.commands.draw(board, { page: 1, kind: 'pen', colour: 0, width: 1, points });
  await until(() => table.store.load(table.id)?.annotations.length === 20);
  const wire = new Wire();
  const limits = { frameBytes: 65_535, frameMs: 10_000, objects: 100, depth: 5, nameLength: 64 };
  const peer = new PsomPeer({ side: 'client', root: meeting, interfaces: [], limits });
  table.reception.receive(wire);
  const { token } = table.admit({ address: 'mallory@example.com' });
  wire.arrive(Buffer.from(encodeOperation({ kind: 'join', version: 1, show: 'conference', token })));
  await until(() => wire.bytesSent > 0);
  wire.stalled = true;
  const manager = peer.connect(peer.root, 'ContentManager', contentManager);
  assert.ok(manager);
  const shown = peer.connect(manager, `content.${board}`, content);
  assert.ok(shown);
  const extended = peer.connect(shown, 'extendedContent', whiteboard);
  assert.ok(extended);
  for (let n = 0; n < 40; n++) {
    const drawings = peer.connect(extended, 'annotationContainer', annotationContainer);
    assert.ok(drawings);
    peer.call(drawings, 'sPoint', [1, 1, 1]);
    peer.disconnect(drawings);
  }
  wire.arrive(Buffer.concat(peer.takeOutput()));
  // A stroke of somebody else comes behind whatever was said before.
  alice.view.commands.draw(board, { page: 1, kind: 'pen', colour: 0, width: 1, points: [1, 1] });
  await until(() => table.store.load(table.id)?.annotations.length === 21);
  await until(() => table.meetings.inMemory(table.id) !== undefined && wire.paused, 'it is heard no more');
  assert.ok(wire.queued < 2_000_000, `${wire.queued} bytes wait`);
});

test('an operator cannot lock the organizer out of the meeting', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  table.meetings.open(table.id)?.ban(ALICE);
  table.meetings.flush();
  assert.equal(alice.view.phase, 'live');
  table.meetings.leave(table.id, alice.number);
  const again = await table.join(ALICE);
  assert.equal(again.seen.self.presenter, true);
});

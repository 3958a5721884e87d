import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  annotationContainer,
  content,
  contentManager,
  encodeOperation,
  type PsomEvent,
  whiteboard,
} from '#protocols/psom';
import { ALICE, type Client, Table, until } from './testing/table.ts';

/** As a document has it when it says nothing. */
const session = { callsPerSecond: 200 };
const pen = { page: 1, kind: 'pen', colour: 0, width: 1 } as const;

/** So many calls of the server were heard, by method. */
function counted(client: Client): Map<string, number> {
  const heard = new Map<string, number>();
  client.observe = (event: PsomEvent) => {
    if (event.kind === 'called') heard.set(event.method, (heard.get(event.method) ?? 0) + 1);
  };
  return heard;
}
/** Alice, a hostile attendee, 50 others of whom the last reads nothing, and a whiteboard that all have open. */
async function meeting() {
  const table = new Table({ session });
  const alice = await table.join(ALICE);
  const board = await alice.create('Board', 'Content.Whiteboard');
  const mallory = await table.guest('Mallory');
  const others = await Promise.all(Array.from({ length: 50 }, (_, index) => table.guest(`Guest ${index}`)));
  const slow = others.at(-1)!;
  slow.wire.stalled = true;
  return { table, alice, board, mallory, others, slow };
}
/** Alice draws, and all but the slow one see it before any time has passed. */
async function othersAreServed({ alice, board, others }: Awaited<ReturnType<typeof meeting>>): Promise<void> {
  const number = alice.view.commands.draw(board, { ...pen, points: [7, 7] });
  assert.ok(number);
  const sees = (client: Client) =>
    client.content('Board')?.annotations?.all.some((one) => one.userId === alice.number) === true;
  await until(() => others.slice(0, -1).every(sees), 'everybody sees what others draw');
}

/** Whatever may be heard before time goes on has been heard. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('an attendee that points without end: others hear some of it and the last of it, who is slow the last alone, and nobody waits', async () => {
  const room = await meeting();
  await using _ = room.table;
  const { table, board, mallory, others, slow } = room;
  const heard = counted(others[0]!);
  for (let n = 1; n <= 900; n++) {
    mallory.view.commands.point(board, 1, n, n);
    // One at a time, so that no two are told as one.
    if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await othersAreServed(room);
  await settle();
  await until(() => {
    table.clock.advance(100);
    return others[0]?.content('Board')?.annotations?.pointers[0]?.x === 900;
  }, 'the last place is told');
  const told = heard.get('cPointed') ?? 0;
  assert.ok(told > 1 && told < 160, `${told} of 900 were told`);
  const [waits] = [slow.wire.queued];
  assert.ok(waits < 32_768, `${waits} bytes wait for who is slow`);
  const late = counted(slow);
  slow.wire.stalled = false;
  slow.wire.resume();
  await until(() => slow.content('Board')?.annotations?.pointers[0]?.x === 900, 'who was slow hears it, too');
  assert.equal(slow.wire.closed, false);
  assert.ok((late.get('cPointed') ?? 0) <= told);
});

test('an attendee that draws without end, as large as a frame takes: others hear its share, and one another at once', async () => {
  const room = await meeting();
  await using _ = room.table;
  const { table, board, mallory, others } = room;
  const heard = counted(others[0]!);
  const points = Array.from({ length: 8000 }, (_, index) => index % 1000);
  for (let n = 0; n < 200; n++) {
    mallory.view.commands.draw(board, { ...pen, points });
    mallory.view.commands.undo(board);
  }
  await othersAreServed(room);
  await settle();
  const told = (heard.get('cAdded') ?? 0) + (heard.get('cErased') ?? 0);
  // 1000 calls at once are a thousand small ones; one of these counts as 31.
  assert.ok(told <= 80, `${told} of 400 were told at once`);
  await othersAreServed(room);
  table.clock.advance(1000);
  await settle();
  const later = (heard.get('cAdded') ?? 0) + (heard.get('cErased') ?? 0) - told;
  assert.ok(later > 0 && later <= 20, `${later} a second later`);
});

test('an attendee that asks for changes without end is heard ten times less than one who draws', async () => {
  const room = await meeting();
  await using _ = room.table;
  const { table, alice, mallory } = room;
  const poll = await alice.create('Lunch', 'Content.Poll');
  alice.view.commands.setQuestion(poll, 'What?', ['Soup', 'Salad'], false);
  alice.view.commands.setPollOpen(poll, true);
  await until(() => mallory.content('Lunch')?.poll?.open === true);
  const heard = counted(alice);
  for (let n = 0; n < 900; n++) mallory.view.commands.vote(poll, [n % 2]);
  await othersAreServed(room);
  await settle();
  assert.ok((heard.get('cSetResults') ?? 0) <= 102, `${heard.get('cSetResults')} votes were told at once`);
  const before = heard.get('cSetResults') ?? 0;
  table.clock.advance(1000);
  await othersAreServed(room);
  await settle();
  assert.ok((heard.get('cSetResults') ?? 0) - before <= 22);
});

test('an attendee that connects and disconnects a full whiteboard again and again gets its state more and more slowly', async () => {
  await using table = new Table({ session });
  const alice = await table.join(ALICE);
  const board = await alice.create('Board', 'Content.Whiteboard');
  const points = Array.from({ length: 9000 }, (_, index) => index % 1000);
  for (let n = 0; n < 5; n++) alice.view.commands.draw(board, { ...pen, points });
  await until(() => alice.content('Board')?.annotations?.all.length === 5);
  const mallory = await table.guest('Mallory');
  let bytes = 0;
  mallory.wire.onSent = (sent) => {
    bytes += sent.length;
  };
  const connect = (parent: number, proxy: number, name: string, declared: typeof content) => {
    const { name: of, version, serverHash, clientHash } = declared;
    const about = { interface: of, version, serverHash, clientHash };
    mallory.raw(encodeOperation({ kind: 'connect', parent, proxy, name, ...about }));
  };
  mallory.raw(encodeOperation({ kind: 'disconnect', proxy: 1, reason: 'closed' }));
  const any = (declared: unknown) => declared as typeof content;
  for (let round = 0; round < 100; round++) {
    const first = 1001 + round * 10;
    connect(0, first, 'ContentManager', any(contentManager));
    connect(first, first + 2, `content.${board}`, content);
    connect(first + 2, first + 4, 'extendedContent', any(whiteboard));
    connect(first + 4, first + 6, 'annotationContainer', any(annotationContainer));
    // Its state is on its way before it is disconnected.
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    mallory.raw(encodeOperation({ kind: 'disconnect', proxy: first, reason: 'closed' }));
  }
  await settle();
  assert.ok(
    bytes > 300_000 && bytes < 3_000_000,
    `${bytes} bytes for one who asks a hundred times for 180 kB`,
  );
});

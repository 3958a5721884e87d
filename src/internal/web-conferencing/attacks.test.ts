import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { encodeOperation } from '#protocols/psom';
import { ALICE, Client, Table, until, Wire } from './testing/table.ts';

/** PNG of so many pixels, as far as its head tells. */
function png(width: number, height: number, bytes = 64): Buffer {
  const head = Buffer.alloc(bytes);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(head);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}
/** A source that claims `length` and gives `bytes`. */
function source(bytes: Uint8Array, length = bytes.length) {
  return { length, read: async (from: number, many: number) => bytes.subarray(from, from + many) };
}
/** A CALL as it stands on the wire. */
function call(proxy: number, method: number, parameters: Uint8Array = new Uint8Array()): Buffer {
  const frame = Buffer.alloc(9 + parameters.length);
  frame.writeUInt16BE(7 + parameters.length, 0);
  frame[2] = 3;
  frame.writeUInt32BE(proxy, 3);
  frame.writeUInt16BE(method, 7);
  frame.set(parameters, 9);
  return frame;
}
function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('identifiers lead nowhere but to objects of the own connection: forged ones end it, and nobody else notices', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const board = await alice.create('Board', 'Content.Whiteboard');
  assert.ok(board > 0);
  for (const proxy of [2, 4, 99, 1001, 0xffff_ffff]) {
    const mallory = await table.guest('Mallory');
    mallory.raw(call(proxy, 0, int64(1)));
    await until(() => mallory.wire.closed);
    assert.equal(mallory.wire.reason, 'protocol', `${proxy}`);
  }
  assert.equal(alice.view.phase, 'live');
  assert.equal(alice.seen.contents.length, 1);
});

test('a content of another meeting has the same number and is another content', async () => {
  await using table = new Table();
  const about = { title: 'Other', organizer: 'mallory@example.com', presenters: [] };
  const other = table.meetings.create({ ...about, guests: true, federated: true });
  assert.ok(other.ok);
  const alice = await table.join(ALICE);
  const mallory = await table.join('mallory@example.com', {}, other.value.id);
  const mine = await alice.create('Board', 'Content.Whiteboard');
  const theirs = await mallory.create('Theirs', 'Content.Whiteboard');
  assert.equal(mine, theirs);
  mallory.view.commands.deleteContent(mine);
  await until(() => mallory.seen.contents.length === 0);
  assert.deepEqual(
    alice.seen.contents.map(({ title }) => title),
    ['Board'],
  );
});

test('a method that is not there, or parameters of other types, end the connection', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  for (const frame of [
    call(0, 99),
    call(0, 0),
    call(0, 0, Buffer.from([2])),
    call(0, 1, Buffer.alloc(3)),
    call(0, 3, Buffer.alloc(1)),
  ]) {
    const mallory = await table.guest('Mallory');
    mallory.raw(frame);
    await until(() => mallory.wire.closed);
    assert.equal(mallory.wire.reason, 'protocol');
  }
  assert.equal(alice.view.phase, 'live');
});

test('a child of another interface than it is, of a name that is none, or a second time, is refused', async () => {
  await using table = new Table();
  const mallory = await table.guest('Mallory');
  const refused: number[] = [];
  mallory.wire.onSent = (bytes) => {
    const frame = Buffer.from(bytes);
    for (let at = 0; at < frame.length; at += 2 + frame.readUInt16BE(at))
      if (frame[at + 2] === 2) refused.push(frame[at + 7] ?? 0);
  };
  const { contentManager, poll } = await import('#protocols/psom');
  const connect = (name: string, declared: typeof contentManager | typeof poll, proxy: number) => {
    const { name: of, version, serverHash, clientHash } = declared;
    mallory.raw(
      encodeOperation({
        kind: 'connect',
        parent: 0,
        proxy,
        name,
        interface: of,
        version,
        serverHash,
        clientHash,
      }),
    );
  };
  connect('ContentManager', poll, 901);
  connect('content.1', contentManager, 903);
  connect('../ContentManager', contentManager, 905);
  connect('ContentManager', contentManager, 907);
  await until(() => refused.length === 4);
  assert.deepEqual(refused, [4, 2, 2, 6]);
  assert.equal(mallory.wire.closed, false);
});

test('a conference token is good once, a resume token until a newer one was heard of', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const again = new Client(table, alice.admission);
  await until(() => again.view.phase === 'refused');
  assert.equal(again.seen.refusal?.reason, 'used');
  await alice.resume();
  await until(() => alice.wire.closed === false && alice.view.phase === 'live');
  // JOINED was lost: the client still has the token from before, and must not be stuck.
  const wire = new Wire();
  const heard: Buffer[] = [];
  wire.onSent = (bytes) => void heard.push(Buffer.from(bytes));
  alice.wire.cut();
  const { tokens } = table;
  const participant = table.meetings.open(table.id)?.roster.find(alice.number);
  assert.ok(participant);
  const { generation } = participant.record;
  const show = (one: number) => {
    const token = tokens.resume(table.id, participant, one, table.clock.wall());
    const connection = new Wire();
    const answers: number[] = [];
    connection.onSent = (bytes) =>
      void answers.push(...(answers.length === 0 ? [bytes[2] ?? 0, bytes[3] ?? 0] : []));
    table.reception.receive(connection);
    connection.arrive(Buffer.from(encodeOperation({ kind: 'join', version: 1, show: 'resume', token })));
    return { answers, connection };
  };
  const JOINED = 17;
  const REFUSED = 18;
  const first = show(generation);
  await until(() => first.answers.length > 0);
  assert.equal(first.answers[0], JOINED);
  const second = show(generation);
  await until(() => second.answers.length > 0);
  assert.equal(second.answers[0], JOINED, 'nothing was heard of the newer one');
  assert.equal(participant.record.generation, generation + 1);
  second.connection.arrive(Buffer.from(encodeOperation({ kind: 'ping', cookie: 1 })));
  second.connection.arrive(call(0, 0, Buffer.from([0])));
  await until(() => participant.confirmed);
  const third = show(generation);
  await until(() => third.answers.length > 0);
  assert.deepEqual(third.answers, [REFUSED, 3]);
});

test('forged, foreign, expired and swapped tokens let nobody in', async () => {
  await using table = new Table();
  const alice = table.admit({ address: ALICE });
  const flipped = alice.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  const participant = table.meetings.open(table.id)?.roster.find(alice.participant);
  assert.ok(participant);
  const content = table.tokens.content(table.id, participant, table.clock.wall());
  const elsewhere = table.tokens.join('aaaaaaaaaaaaaaaa', participant, table.clock.wall());
  for (const [token, reason] of [
    [flipped, 'token'],
    [content, 'token'],
    [elsewhere, 'token'],
    ['', 'token'],
  ] as const) {
    const client = new Client(table, { ...alice, token });
    await until(() => client.view.phase === 'refused');
    assert.equal(client.seen.refusal?.reason, reason);
  }
  table.clock.advance(61_000);
  const late = new Client(table, alice);
  await until(() => late.view.phase === 'refused');
  assert.equal(late.seen.refusal?.reason, 'expired');
});

test('a name leads to no path, and a file is what its bytes are, not what it is called', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const html = Buffer.from('<html><script>alert(1)</script></html>');
  for (const title of [
    '../../etc/passwd',
    '..\\..\\x.html',
    '/root/.ssh/id.png',
    'con.txt',
    '. ',
    '\u202Egnp.exe',
  ])
    await alice.view.commands.uploadFile(title, source(html));
  await until(() => alice.seen.contents.filter(({ file }) => file !== undefined).length === 6);
  const names = alice.seen.contents.map(({ file }) => file?.name ?? '');
  for (const name of names) assert.doesNotMatch(name, /[/\\]|^\.|^con\.|\u202E/);
  const hash = sha256(html);
  const { contentToken: token } = alice.seen;
  const answer = await table.downloads.serve({ token, hash });
  assert.ok(answer.ok);
  assert.equal(answer.value.type, 'application/octet-stream');
  assert.equal(await text(answer.value.body), html.toString());
  assert.deepEqual(
    readdirSync(table.folder)
      .sort()
      .filter((name) => !name.startsWith('meetings.sqlite')),
    ['files', 'tokens.key'],
  );
  for (const wrong of ['../meetings.sqlite', `${hash.slice(0, 62)}..`, hash.toUpperCase()])
    assert.deepEqual(await table.downloads.serve({ token, hash: wrong }), { ok: false, error: 'not-found' });
});

test('slides are pictures: SVG, HTML and pictures of monstrous size are not taken', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const id = await alice.create('Slides', 'Content.Ppt');
  const upload = (slide: number, bytes: Buffer) =>
    alice.view.commands.uploadSlide(id, slide, 'slide.png', source(bytes));
  assert.equal(
    await upload(1, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>')),
    'wrong-content',
  );
  assert.equal(await upload(1, Buffer.from('<!doctype html><script>x()</script>')), 'wrong-content');
  assert.equal(await upload(1, png(100_000, 100_000)), 'wrong-content');
  assert.equal(await upload(1, png(0, 10)), 'wrong-content');
  assert.equal(await upload(1, png(1600, 900)), undefined);
  assert.equal(await upload(0, png(16, 9)), 'not-allowed');
  assert.equal(await upload(501, png(16, 9)), 'not-allowed');
  await until(() => alice.content('Slides')?.slides?.slides.length === 1);
  const answer = await table.downloads.serve({
    token: alice.seen.contentToken,
    hash: sha256(png(1600, 900)),
  });
  assert.ok(answer.ok);
  assert.equal(answer.value.type, 'image/png');
  answer.value.body.destroy();
});

test('a file of another length than it claims is not taken, and nothing of it stays', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const { commands } = alice.view;
  const short = { length: 1000, read: async () => new Uint8Array(10) };
  const long = { length: 1000, read: async (_: number, many: number) => new Uint8Array(many + 500) };
  assert.ok(['wrong-length', 'unreadable'].includes(String(await commands.uploadFile('short', short))));
  assert.ok(['wrong-length', 'unreadable'].includes(String(await commands.uploadFile('long', long))));
  assert.equal(await commands.uploadFile('huge', source(new Uint8Array(1), 10_000_000_000)), 'too-large');
  await until(() => readdirSync(join(table.folder, 'files', 'incoming')).length === 0);
  assert.equal(alice.seen.contents.length, 0);
  assert.equal(
    await commands.uploadFile('short', source(new Uint8Array(10))),
    undefined,
    'the title is free again',
  );
});

test('whoever is not in, or may not see it, gets no file', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.guest('Bob');
  const bytes = Buffer.from('the budget');
  assert.equal(await alice.view.commands.uploadFile('budget.txt', source(bytes)), undefined);
  const serve = (token: string) => table.downloads.serve({ token, hash: sha256(bytes) });
  const token = bob.seen.contentToken;
  const seen = await serve(token);
  assert.ok(seen.ok);
  seen.value.body.destroy();
  const { id } = alice.seen.contents[0] ?? { id: 0 };
  alice.view.commands.setVisibility(id, 'presenters');
  await until(() => bob.seen.contents.length === 0);
  assert.deepEqual(await serve(token), { ok: false, error: 'not-found' });
  alice.view.commands.setVisibility(id, 'everyone');
  await until(() => bob.seen.contents.length === 1);
  table.meetings.leave(table.id, bob.number);
  assert.deepEqual(await serve(token), { ok: false, error: 'not-allowed' });
  assert.deepEqual(await serve(bob.admission.token), { ok: false, error: 'not-allowed' });
});

test('titles cannot be hoarded: a few each, for a while, and only while one is there', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  const bob = await table.join('bob@example.com');
  alice.view.commands.setPresenter(bob.number, true);
  await until(() => bob.seen.users.find((one) => one.userId === bob.number)?.presenter === true);
  const contents = table.meetings.open(table.id)?.contents;
  assert.ok(contents);
  const uploads = Array.from({ length: 12 }, (_, n) =>
    bob.view.commands.uploadFile(`title ${n}`, {
      length: 100,
      read: () => new Promise<Uint8Array>(() => {}),
    }),
  );
  const failed = await Promise.race(uploads);
  assert.ok(failed !== undefined);
  assert.ok(contents.uploads.underWay <= 4);
  assert.deepEqual(await alice.view.commands.create('title 0', 'Content.Poll'), {
    ok: false,
    error: 'title-taken',
  });
  await bob.resume();
  assert.ok((await alice.view.commands.create('title 0', 'Content.Poll')).ok);
});

test('names are shown as they are written, without what cannot be seen', async () => {
  await using table = new Table();
  const alice = await table.join(ALICE);
  await table.guest('<img src=x onerror=alert(1)>');
  await table.guest('\u202EBob\u0000\n');
  await until(() => alice.seen.users.length === 3);
  const names = alice.seen.users.map(({ displayName }) => displayName);
  assert.deepEqual(names, ['alice', '<img src=x onerror=alert(1)>', 'Bob']);
});

test('a disk that is full refuses an upload at its begin and in the middle, and nothing half-done stays', async () => {
  let free = 0;
  await using table = new Table({ free: () => free });
  const alice = await table.join(ALICE);
  const bytes = Buffer.alloc(1000, 1);
  assert.equal(await alice.view.commands.uploadFile('file', source(bytes)), 'no-space');
  free = 1e12;
  assert.equal(await alice.view.commands.uploadFile('file', source(bytes)), undefined);
  const incoming = join(table.folder, 'files', 'incoming');
  assert.deepEqual(readdirSync(incoming), []);
  assert.ok(existsSync(join(table.folder, 'files', sha256(bytes).slice(0, 2), sha256(bytes))));
});

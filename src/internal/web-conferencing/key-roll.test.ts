import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { EdgeLinkState } from '#platform/psom-link';
import { encodeOperation } from '#protocols/psom';
import { KeyRoll } from './key-roll.ts';
import { SigningKeys } from './signing-keys.ts';
import { unwrap } from './testing/stage.ts';
import { ALICE, Client, Table, until } from './testing/table.ts';

const JOIN_MS = 65_000;

/** A table with edges of which a test says what they have heard, and the roll of its keys. */
class Rolling {
  readonly table: Table;
  roll: KeyRoll;
  /** What the edges were told, newest last. */
  readonly told: string[][] = [];
  readonly edges = new Map<string, readonly string[] | 'silent' | 'away'>();

  constructor(table: Table) {
    this.table = table;
    this.roll = this.#make();
  }
  #make(): KeyRoll {
    const { clock, log } = this.table;
    return new KeyRoll({
      ...{ clock, log, keys: this.table.keys, meetings: this.table.meetings },
      links: () => [...this.edges].map(([edge, heard]) => this.#link(edge, heard)),
      announce: () => void this.told.push(this.known),
    });
  }
  #link(edge: string, heard: readonly string[] | 'silent' | 'away'): EdgeLinkState {
    const place = { host: 'conf.example.com', port: 443 };
    const keys = typeof heard === 'string' ? undefined : heard;
    return {
      edge,
      address: '10.0.0.1',
      state: heard === 'away' ? undefined : 'ready',
      place,
      keys,
      participants: 0,
    };
  }
  get known(): string[] {
    return this.table.keys.all.map(({ publicBytes }) => publicBytes.toString('base64'));
  }
  hears(...edges: string[]): void {
    for (const edge of edges) this.edges.set(edge, this.known);
    this.roll.advance();
  }
  /** The process is killed, and the next one has what the disk has. */
  restart(clients: readonly Client[] = []): void {
    this.table.restart(clients);
    this.roll = this.#make();
  }
  later(ms: number): void {
    this.table.clock.advance(ms);
    this.table.meetings.handleTime();
    this.roll.advance();
  }
  /** Everybody who is connected has answered. */
  async renewed(left: number): Promise<void> {
    await until(() => this.table.meetings.tokensToRenew() === left, `${left} hold old tokens`);
  }
}

test('the next key signs when every edge that is linked has said that it knows it, and not before', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  for (const edge of ['edge1', 'edge2']) rolling.edges.set(edge, rolling.known);
  rolling.edges.set('edge3', 'away');
  const { signing } = rolling.roll.show();
  const begun = rolling.roll.begin();
  assert.ok(begun.ok);
  const { next } = begun.value;
  assert.notEqual(next, null);
  assert.deepEqual(rolling.told.at(-1), rolling.known, 'all are told at once');
  assert.equal(rolling.known.length, 2);
  assert.deepEqual(begun.value.waits, [
    'edge1 has not said that it knows the next key',
    'edge2 has not said that it knows the next key',
  ]);
  rolling.hears('edge1');
  assert.equal(rolling.roll.show().signing, signing);
  const again = rolling.roll.begin();
  assert.ok(!again.ok && again.error.code === 'SLP-WEB-0060');
  assert.match(again.error.message, /edge2 has not said/);
  rolling.edges.set('edge2', 'silent');
  assert.match(rolling.roll.show().waits.join(), /edge2 does not say which keys it knows: upgrade it/);
  rolling.hears('edge2');
  const { signing: now, previous, next: none } = rolling.roll.show();
  assert.deepEqual([now, previous, none], [next, signing, null]);
  assert.deepEqual(rolling.told.at(-1), rolling.known, 'the one that signs is said first');
  // The edge that was away hears both of them when it comes.
  assert.equal(rolling.known.length, 2);
});

test('participants stay, get tokens by the new key, and the one of before counts until they have said that they have them', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const [alice, bob, carol] = [
    await table.join(ALICE),
    await table.join('bob@example.com'),
    await table.guest('Carol'),
  ];
  assert.ok(alice && bob && carol);
  const before = table.admit({ address: 'dave@example.com' });
  bob.wire.stalled = true;
  carol.wire.cut();
  carol.view.handleClosed();
  const old = rolling.known;
  assert.ok(rolling.roll.begin().ok);
  assert.equal(table.keys.next, undefined, 'without edges there is nobody to wait for');
  rolling.roll.advance();
  await rolling.renewed(2);
  assert.equal(alice.view.phase, 'live');
  // A join token of before is good for its minute, and whoever comes by it has tokens of the new key at once.
  const dave = new Client(table, before);
  await dave.live();
  await rolling.renewed(3);
  rolling.roll.advance();
  await rolling.renewed(2);
  rolling.later(JOIN_MS);
  assert.deepEqual(rolling.roll.show().waits, ['2 participants may hold tokens of the key of before']);
  assert.deepEqual(rolling.known.slice(1), old);
  carol.reconnect();
  await carol.live();
  rolling.roll.advance();
  await rolling.renewed(1);
  bob.wire.stalled = false;
  bob.wire.resume();
  rolling.roll.advance();
  await rolling.renewed(0);
  rolling.roll.advance();
  assert.equal(rolling.known.includes(old[0] ?? ''), false);
  for (const each of [alice, bob, carol, dave]) {
    await each.resume();
    assert.equal(each.view.phase, 'live', 'by a token of the new key');
  }
});

test('whoever has left needs no key any more; who says nothing keeps the old one', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const [alice, bob] = [await table.join(ALICE), await table.join('bob@example.com')];
  assert.ok(rolling.roll.begin().ok);
  await rolling.renewed(0);
  rolling.restart([alice, bob]);
  alice.view.handleClosed();
  await alice.resume();
  rolling.roll.advance();
  await rolling.renewed(1);
  rolling.later(JOIN_MS);
  assert.equal(rolling.known.length, 2, 'what bob holds is not known to this process');
  rolling.later(120_000);
  await until(() => alice.seen.users.length === 1);
  rolling.roll.advance();
  assert.equal(rolling.known.length, 1);
});

test('a participant who never answers keeps the key of before for a while, not for ever', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const [alice, silent] = [await table.join(ALICE), await table.guest('Silent')];
  silent.wire.stalled = true;
  assert.ok(rolling.roll.begin().ok);
  rolling.roll.advance();
  await rolling.renewed(1);
  rolling.later(15 * 60_000);
  assert.deepEqual(rolling.roll.show().waits, ['1 participants may hold tokens of the key of before']);
  rolling.later(120_000);
  assert.deepEqual([rolling.roll.show().previous, rolling.known.length], [null, 1]);
  assert.equal(alice.seen.users.length, 2, 'nobody is sent away for it');
  await alice.resume();
  assert.ok(rolling.roll.begin().ok, 'the next roll may begin');
});

test('an answer to another question proves nothing', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const alice = await table.join(ALICE);
  alice.wire.stalled = true;
  alice.raw(encodeOperation({ kind: 'pong', cookie: 7 }));
  assert.ok(rolling.roll.begin().ok);
  alice.raw(encodeOperation({ kind: 'pong', cookie: 7 }));
  alice.raw(encodeOperation({ kind: 'ping', cookie: 7 }));
  await until(() => alice.wire.queued > 0);
  assert.equal(table.meetings.tokensToRenew(), 1);
});

test('an answer that nobody asked for takes back nothing that was shown', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const alice = await table.join(ALICE);
  assert.ok(rolling.roll.begin().ok);
  await rolling.renewed(0);
  await alice.resume();
  alice.wire.stalled = true;
  alice.raw(encodeOperation({ kind: 'pong', cookie: 0 }));
  alice.raw(encodeOperation({ kind: 'ping', cookie: 7 }));
  await until(() => alice.wire.queued > 0, 'what was said is read');
  assert.equal(table.meetings.tokensToRenew(), 0);
});

test('a token of a forgotten key opens nothing', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const alice = await table.join(ALICE);
  const { tokens, clock } = table;
  const participant = table.meetings.open(table.id)?.roster.find(alice.number) ?? assert.fail();
  const held = tokens.resume(table.id, participant, participant.record.generation, clock.wall());
  assert.ok(rolling.roll.begin().ok);
  assert.ok(tokens.open('resume', held, clock.wall()).ok);
  await rolling.renewed(0);
  rolling.later(JOIN_MS);
  assert.deepEqual(tokens.open('resume', held, clock.wall()), { ok: false, error: 'unknown-key' });
});

test('a kill at any step of a roll loses neither a key nor a participant, and the roll goes on', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  const alice = await table.join(ALICE);
  const back = async () => {
    alice.view.handleClosed();
    await alice.resume();
  };
  const { signing } = rolling.roll.show();
  rolling.edges.set('edge1', rolling.known);
  const begun = rolling.roll.begin();
  assert.ok(begun.ok);
  rolling.restart([alice]);
  assert.deepEqual(rolling.roll.show(), { ...begun.value });
  await back();
  rolling.hears('edge1');
  assert.deepEqual([rolling.roll.show().signing, rolling.roll.show().previous], [begun.value.next, signing]);
  rolling.restart([alice]);
  assert.deepEqual([rolling.roll.show().signing, rolling.roll.show().previous], [begun.value.next, signing]);
  await back();
  rolling.roll.advance();
  await rolling.renewed(0);
  rolling.later(JOIN_MS);
  rolling.restart([alice]);
  assert.deepEqual(rolling.roll.show(), { signing: begun.value.next, next: null, previous: null, waits: [] });
  await back();
});

test('the disk takes no step: nothing is changed, it is said once, and it is tried again', async () => {
  await using table = new Table();
  const rolling = new Rolling(table);
  rolling.edges.set('edge1', rolling.known);
  assert.ok(rolling.roll.begin().ok);
  const obstacle = join(table.folder, 'tokens.key.new');
  mkdirSync(join(obstacle, 'in'), { recursive: true });
  const { signing } = rolling.roll.show();
  for (let look = 0; look < 3; look++) rolling.hears('edge1');
  assert.equal(rolling.roll.show().signing, signing);
  assert.equal(table.log.lines.filter(({ event }) => event === 'signing key not changed').length, 1);
  rmSync(obstacle, { recursive: true });
  rolling.hears('edge1');
  assert.notEqual(rolling.roll.show().signing, signing);
});

test('what is kept is for its owner alone; the version before reads the key that signs; another text is no key', (t: TestContext) => {
  const table = new Table();
  t.after(() => table[Symbol.asyncDispose]());
  const file = join(table.folder, 'tokens.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(table.keys.begin());
  assert.equal(table.keys.begin(), false);
  table.keys.turn(5);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^[0-9a-f]{64}\nprevious [0-9a-f]{64} 5\n$/);
  assert.equal(Buffer.from(text.trim(), 'hex').length, 32);
  // What the version before wrote has no line feed.
  const [first = ''] = text.split('\n');
  writeFileSync(file, first);
  assert.deepEqual(unwrap(SigningKeys.load(file)).all.length, 1);
  for (const bad of [
    '',
    'x',
    `${first}\nnext`,
    `${first}\nprevious ${first}`,
    `${first}\nnext ${first}\nnext ${first}`,
  ]) {
    writeFileSync(file, bad);
    const loaded = SigningKeys.load(file);
    assert.ok(!loaded.ok && loaded.error.code === 'SLP-WEB-0051', bad);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCall, encodeOperation } from '../framing/operations.ts';
import { contentManager } from '../meeting/content.ts';
import { meeting } from '../meeting/meeting.ts';
import { poll } from '../meeting/poll.ts';
import { LIMITS, Pair } from '../testing/pair.ts';
import { dispatch } from './dispatch.ts';
import { declareInterface, type Handlers } from './interface.ts';
import type { DistributedObject } from './object-table.ts';
import type { PsomEvent } from './peer.ts';

const pair = () => new Pair(meeting, [contentManager, poll]);

function connected(events: readonly PsomEvent[]): DistributedObject {
  const event = events.find(({ kind }) => kind === 'connected');
  assert.equal(event?.kind, 'connected');
  return event.object;
}
function faultOf(events: readonly PsomEvent[]): string | undefined {
  const event = events.at(-1);
  return event?.kind === 'failed' ? event.fault : undefined;
}

test('a client connects a child and calls it; the server tells its state and closes with cConnectCompleted', () => {
  const play = pair();
  const mine = play.client.connect(play.client.root, 'contents', contentManager);
  assert.ok(mine);
  const theirs = connected(play.deliver('client'));
  assert.equal(theirs.name, 'contents');
  assert.equal(theirs.parent, play.server.root);
  const toClient = play.server.stub(theirs, contentManager.client);
  toClient.cContentAdded(7, 'Content.Poll');
  toClient.cSetActiveContent(7);
  toClient.cConnectCompleted();
  const told: unknown[] = [];
  for (const event of play.deliver('server')) {
    assert.equal(event.kind, 'called');
    assert.equal(event.object, mine);
    told.push([event.method, ...event.parameters]);
  }
  assert.deepEqual(told, [
    ['cContentAdded', 7, 'Content.Poll'],
    ['cSetActiveContent', 7],
    ['cConnectCompleted'],
  ]);
  play.client.stub(mine, contentManager.server).sReserveTitle('Größe', -3);
  const [call] = play.deliver('client');
  assert.equal(call?.kind, 'called');
  const heard: unknown[] = [];
  const ignore = () => undefined;
  const handlers: Handlers<typeof contentManager.server> = {
    sDeleteContent: ignore,
    sPresent: ignore,
    sReleaseTitle: ignore,
    sReserveTitle: (title, cookie) => void heard.push(title, cookie),
    sStopPresenting: ignore,
    sCreateContent: ignore,
  };
  dispatch(handlers, call);
  assert.deepEqual(heard, ['Größe', -3]);
});

test('the server connects an object and hands it over as a parameter', () => {
  const play = pair();
  const mine = play.server.connect(play.server.root, 'poll', poll);
  assert.ok(mine);
  assert.equal(mine.proxy % 2, 0);
  const theirs = connected(play.deliver('server'));
  assert.equal(theirs.proxy, mine.proxy);
  play.client.stub(theirs, poll.server).sVote([2, 0]);
  assert.deepEqual(play.deliver('client'), [
    { kind: 'called', object: mine, method: 'sVote', parameters: [[2, 0]], bytes: 10 },
  ]);
});

test('a child of another interface, version or method set is refused, and the connection goes on', () => {
  const other = declareInterface({
    name: 'Poll',
    version: 1,
    server: { sVote: ['Int32 choice'] },
    client: {},
  });
  const unknown = declareInterface({ name: 'Chat', version: 1, server: {}, client: {} });
  const newer = declareInterface({ ...poll, version: 2 });
  for (const [declared, reason] of [
    [other, 'other-interface'],
    [newer, 'other-interface'],
    [unknown, 'unknown-interface'],
  ] as const) {
    const play = pair();
    const mine = play.client.connect(play.client.root, 'x', declared);
    play.deliver('client');
    assert.deepEqual(play.deliver('server'), [{ kind: 'disconnected', object: mine, reason }]);
    play.settle();
    assert.equal(play.client.objectCount, 1);
    assert.equal(play.server.objectCount, 1);
    assert.ok(play.client.connect(play.client.root, 'poll', poll));
    connected(play.deliver('client'));
  }
});

test('what is deeper than the tree may be is refused', () => {
  const play = pair();
  let parent: DistributedObject = play.client.root;
  for (let depth = 1; depth <= LIMITS.depth; depth++) {
    const child = play.client.connect(parent, `${depth}`, poll);
    assert.ok(child);
    connected(play.deliver('client'));
    parent = child;
  }
  const child = play.client.connect(parent, 'too deep', poll);
  assert.deepEqual(play.deliver('client'), []);
  assert.deepEqual(play.deliver('server'), [{ kind: 'disconnected', object: child, reason: 'too-deep' }]);
});

test('disconnecting takes everything below with it, on both sides, and frees every identifier', () => {
  const play = pair();
  const top = play.client.connect(play.client.root, 'top', poll) ?? assert.fail();
  const below = play.client.connect(top, 'below', poll) ?? assert.fail();
  play.settle();
  play.client.disconnect(top);
  assert.ok(!top.open && !below.open);
  assert.equal(play.client.call(below, 'sSetOpen', [true]), false);
  assert.equal(play.client.connect(top, 'again', poll), undefined);
  const gone = play
    .deliver('client')
    .map((event) => (event.kind === 'disconnected' ? event.object.name : event.kind));
  assert.deepEqual(gone, ['below', 'top']);
  assert.equal(play.client.objectCount, 3, 'taken until the other side has confirmed');
  assert.deepEqual(play.deliver('server'), []);
  assert.equal(play.client.objectCount, 1);
  assert.equal(play.server.objectCount, 1);
});

test('calls and children that were under way when an object was disconnected are dropped', () => {
  const play = pair();
  const mine = play.client.connect(play.client.root, 'poll', poll) ?? assert.fail();
  const theirs = connected(play.deliver('client'));
  play.client.call(mine, 'sSetOpen', [true]);
  play.client.connect(mine, 'below', poll);
  play.client.disconnect(mine);
  play.server.disconnect(theirs);
  const { client, server } = play.settle();
  assert.deepEqual([client, server], [[], []]);
  assert.equal(play.client.objectCount, 1);
  assert.equal(play.server.objectCount, 1);
});

test('no identifier but a known one is taken, and none that the other side gives out', () => {
  const { name: declared, version, serverHash, clientHash } = poll;
  const about = { kind: 'connect', name: 'x', interface: declared, version, serverHash, clientHash } as const;
  const forged: readonly [string, Uint8Array][] = [
    ['unknown-object', encodeCall(99, 0, () => undefined)],
    ['unknown-object', encodeOperation({ kind: 'disconnect', proxy: 99, reason: 'closed' })],
    ['unknown-object', encodeOperation({ kind: 'disconnect', proxy: 0, reason: 'closed' })],
    ['unknown-object', encodeOperation({ ...about, parent: 98, proxy: 5 })],
    ['identifier-of-other-side', encodeOperation({ ...about, parent: 0, proxy: 4 })],
    ['identifier-of-other-side', encodeOperation({ ...about, parent: 0, proxy: 0 })],
    ['identifier-taken', encodeOperation({ ...about, parent: 0, proxy: 1 })],
    ['unexpected-operation', encodeOperation({ kind: 'disconnect', proxy: 1, reason: 'confirmed' })],
    ['unexpected-operation', encodeOperation({ kind: 'joined', resumeToken: 'x' })],
    ['unknown-method', encodeCall(1, 77, () => undefined)],
    ['wrong-parameters', encodeCall(1, 1, () => undefined)],
    ['wrong-parameters', encodeCall(1, 1, (writer) => writer.uint16(1))],
    ['wrong-parameters', encodeCall(1, 1, (writer) => writer.uint8(2))],
    ['name-too-long', encodeOperation({ ...about, name: 'x'.repeat(33), parent: 0, proxy: 5 })],
    ['malformed', Uint8Array.of(0, 1, 99)],
  ];
  for (const [fault, bytes] of forged) {
    const play = pair();
    play.client.connect(play.client.root, 'poll', poll);
    play.deliver('client');
    const events = [...play.server.handleBytes(bytes, 0)];
    assert.equal(faultOf(events), fault);
    assert.equal(events[0]?.kind === 'disconnected' && events[0].object.name, 'poll', 'everything is closed');
    assert.deepEqual([...play.server.handleBytes(encodeOperation({ kind: 'ping', cookie: 1 }), 0)], []);
    assert.equal(play.server.connect(play.server.root, 'more', poll), undefined);
  }
});

test('a peer that connects without end is cut off at the bound', () => {
  const play = pair();
  const greedy = new Pair(meeting, [], { ...LIMITS, objects: 1000 });
  const chat = declareInterface({ name: 'Chat', version: 1, server: {}, client: {} });
  for (let count = 0; count < 20; count++) greedy.client.connect(greedy.client.root, 'x', chat);
  const events = greedy.client.takeOutput().flatMap((frame) => [...play.server.handleBytes(frame, 0)]);
  assert.equal(faultOf(events), 'too-many-objects');
  assert.ok(play.server.objectCount <= LIMITS.objects);
});

test('an object of another connection is nobody here', () => {
  const one = pair();
  const two = pair();
  const mine = one.client.connect(one.client.root, 'poll', poll) ?? assert.fail();
  two.client.connect(two.client.root, 'poll', poll);
  assert.equal(two.client.call(mine, 'sSetOpen', [true]), false);
  assert.equal(two.client.connect(mine, 'below', poll), undefined);
});

test('pings are answered', () => {
  const play = pair();
  play.client.ping(0xfeed_beef);
  assert.deepEqual(play.deliver('client'), []);
  assert.deepEqual(play.deliver('server'), [{ kind: 'pong', cookie: 0xfeed_beef }]);
});

test('both sides agree whatever they do at the same time', () => {
  const step = fc.record({
    side: fc.constantFrom('client' as const, 'server' as const),
    what: fc.constantFrom('connect' as const, 'disconnect' as const, 'call' as const, 'deliver' as const),
    pick: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const play = new Pair(meeting, [poll], { ...LIMITS, objects: 200, depth: 100 });
      const known = { client: [play.client.root], server: [play.server.root] };
      const learn = (side: 'client' | 'server', events: readonly PsomEvent[]) => {
        for (const event of events) {
          assert.notEqual(event.kind, 'failed', event.kind === 'failed' ? event.fault : '');
          if (event.kind === 'connected') known[side].push(event.object);
        }
      };
      for (const { side, what, pick } of steps) {
        const object = known[side][pick % known[side].length] ?? play[side].root;
        if (what === 'deliver') learn(side === 'client' ? 'server' : 'client', play.deliver(side));
        else if (what === 'connect') {
          const child = play[side].connect(object, 'x', poll);
          if (child !== undefined) known[side].push(child);
        } else if (object.parent !== undefined) {
          if (what === 'disconnect') play[side].disconnect(object);
          else play[side].call(object, side === 'client' ? 'sSetOpen' : 'cSetOpen', [true]);
        }
      }
      const rest = play.settle();
      learn('client', rest.client);
      learn('server', rest.server);
      const open = (side: 'client' | 'server') =>
        known[side]
          .filter((object) => object.open)
          .map(({ proxy }) => proxy)
          .sort();
      assert.deepEqual(open('client'), open('server'));
      assert.equal(play.client.objectCount, open('client').length);
      assert.equal(play.server.objectCount, open('server').length);
    }),
    { numRuns: 1000 },
  );
});

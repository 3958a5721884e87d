import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actor, pidf } from './testing/presence-play.ts';
import { Bench } from './testing/wire.ts';

const CAROL = 'carol@example.test';

async function stage() {
  const bench = await Bench.start();
  const carol = Actor.arrives(bench, 'carol');
  const alice = Actor.arrives(bench, 'alice');
  const watch = alice.watches(CAROL, { expires: 36_000 });
  watch.hears();
  bench.passes(10);
  return { bench, carol, alice, watch };
}
const notesOf = ({ presence }: { presence: { tuples: readonly { notes: readonly { text: string }[] }[] } }) =>
  presence.tuples.map(({ notes }) => notes[0]?.text);

test('RFC 3903 §14: publish, refresh, modify, remove; each answer brings the entity tag for the next', async () => {
  const { bench, carol, watch, alice } = await stage();
  const first = carol.publishes(pidf('Hello'), [['Expires', '600']]);
  assert.deepEqual([first.status, first.header('Expires')], [200, '600']);
  const tag = first.header('SIP-ETag') ?? '';
  assert.notEqual(tag, '');
  assert.deepEqual(notesOf(watch.hears()), ['Hello']);

  bench.passes(500);
  const refreshed = carol.publishes('', [
    ['SIP-If-Match', tag],
    ['Expires', '600'],
  ]);
  assert.equal(refreshed.status, 200);
  const next = refreshed.header('SIP-ETag') ?? '';
  assert.notEqual(next, tag);
  bench.passes(500);
  alice.wire.isSilent();

  const modified = carol.publishes(pidf('Lunch'), [['SIP-If-Match', next]]);
  assert.equal(modified.status, 200);
  assert.deepEqual(notesOf(watch.hears()), ['Lunch']);
  bench.passes(10);

  const removed = carol.publishes('', [
    ['SIP-If-Match', modified.header('SIP-ETag') ?? ''],
    ['Expires', '0'],
  ]);
  assert.deepEqual([removed.status, removed.header('Expires')], [200, '0']);
  const heard = watch.hears();
  assert.deepEqual([heard.basics, notesOf(heard)], ['open', [undefined]]);
});

test('RFC 3903 §6 step 3: a tag that is not known, or of a publication that has expired, is answered 412', async () => {
  const { bench, carol, watch } = await stage();
  assert.equal(carol.publishes(pidf('x'), [['SIP-If-Match', 'nothing']]).status, 412);
  const published = carol.publishes(pidf('x'), [['Expires', '60']]);
  watch.hears();
  bench.passes(61);
  assert.deepEqual(notesOf(watch.hears()), [undefined]);
  const late = [['SIP-If-Match', published.header('SIP-ETag') ?? '']] as const;
  assert.equal(carol.publishes(pidf('y'), late).status, 412);
});

test('several devices are one presence, the newest first, each for its own time', async () => {
  const { bench, carol, watch } = await stage();
  carol.publishes(pidf('Desk'), [['Expires', '600']]);
  watch.hears();
  bench.passes(10);
  carol.publishes(pidf('Mobile'), [['Expires', '100']]);
  const both = watch.hears();
  assert.deepEqual(notesOf(both), ['Mobile', 'Desk']);
  assert.equal(new Set(both.presence.tuples.map(({ id }) => id)).size, 2);
  bench.passes(100);
  assert.deepEqual(notesOf(watch.hears()), ['Desk']);
});

test('what cannot be published: RFC 3903 §6 steps 2 to 5', async () => {
  const { carol, alice } = await stage();
  const other = carol.publishes(pidf('x'), [], 'application/pidf+xml', 'dialog');
  assert.deepEqual([other.status, other.header('Allow-Events')], [489, 'presence, presence.winfo']);
  const short = carol.publishes(pidf('x'), [['Expires', '59']]);
  assert.deepEqual([short.status, short.header('Min-Expires')], [423, '60']);
  assert.equal(carol.publishes('').status, 400);
  const type = carol.publishes('hello', [], 'text/plain');
  assert.deepEqual([type.status, type.header('Accept')], [415, 'application/pidf+xml']);
  assert.equal(carol.publishes(pidf('x'), [['Content-Encoding', 'gzip']]).status, 415);
  assert.equal(carol.publishes('<presence/>').status, 400);
  const third = new Actor(alice.bench, alice.wire, 'nobody@example.test');
  assert.equal(third.publishes(pidf('x')).status, 407, 'another sender has to show who it is');
  alice.wire.isSilent();
});

test('what a device wrote is written anew: comments, unknown extensions and prefixes do not reach watchers', async () => {
  const { carol, watch } = await stage();
  const extended = pidf('n', { inside: '<x:secret xmlns:x="urn:x">42</x:secret>' });
  assert.equal(carol.publishes(extended).status, 200);
  const text = watch.hears().notify.body.toString();
  assert.ok(!text.includes('42'), text);
  assert.match(text, /entity="sip:carol@example.test"/);
  assert.equal(carol.publishes(`<!DOCTYPE x>${extended}`).status, 400);
});

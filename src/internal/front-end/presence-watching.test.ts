import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource } from '#protocols/trust-marking';
import { Actor, pidf } from './testing/presence-play.ts';
import { Bench, EDGE, PEER_DOMAIN } from './testing/wire.ts';

const ALICE = 'alice@example.test';
const CAROL = 'carol@example.test';

async function stage() {
  const bench = await Bench.start();
  return { bench, alice: Actor.arrives(bench, 'alice'), carol: Actor.arrives(bench, 'carol') };
}

test('RFC 3856 §8: SUBSCRIBE, 200, NOTIFY with the state; a change is notified; un-SUBSCRIBE ends it', async () => {
  const { bench, alice, carol } = await stage();
  const answer = alice.subscribes(CAROL, { expires: 600, callId: 'fetch-1', event: 'presence;id=a7' });
  assert.deepEqual([answer.status, answer.header('Expires')], [200, '600']);
  assert.equal(answer.header('Contact'), '<sip:presence@127.0.11.2:5061;transport=tls>');
  const notify = alice.wire.request('NOTIFY');
  assert.equal(notify.uri, 'sip:watcher@192.0.2.7:5070;transport=tls');
  assert.deepEqual(
    [notify.header('Event'), notify.header('Subscription-State'), notify.header('Content-Type')],
    ['presence;id=a7', 'active;expires=600', 'application/pidf+xml'],
  );
  assert.equal(notify.header('Contact'), answer.header('Contact'));
  assert.deepEqual([notify.from.uri, notify.from.tag], [`sip:${CAROL}`, answer.to.tag]);
  assert.deepEqual([notify.to.uri, notify.to.tag, notify.callId], [`sip:${ALICE}`, 'f1', 'fetch-1']);
  alice.answers(notify);

  bench.passes(60);
  assert.equal(carol.publishes(pidf('In a meeting')).status, 200);
  const changed = alice.wire.request('NOTIFY');
  assert.equal(changed.cseq.number, notify.cseq.number + 1);
  assert.equal(changed.header('Subscription-State'), 'active;expires=540');
  assert.match(changed.body.toString(), /In a meeting/);
  alice.answers(changed);

  const again = { callId: 'fetch-1', tag: answer.to.tag ?? '', cseq: 2, event: 'presence;id=a7' };
  assert.equal(alice.subscribes(CAROL, { ...again, expires: 0 }).header('Expires'), '0');
  const last = alice.wire.request('NOTIFY');
  assert.equal(last.header('Subscription-State'), 'terminated;reason=timeout');
  alice.answers(last);
  assert.equal(alice.subscribes(CAROL, { ...again, cseq: 3 }).status, 481);
  bench.passes(4000);
  alice.wire.isSilent();
});

test('RFC 6665 §4.4.3: who asks with Expires 0 is told once', async () => {
  const { bench, alice, carol } = await stage();
  const watch = alice.watches(CAROL, { expires: 0 });
  const heard = watch.hears();
  assert.deepEqual([heard.state, heard.basics], ['terminated;reason=timeout', 'open']);
  carol.publishes(pidf('Out'));
  bench.passes(60);
  alice.wire.isSilent();
  assert.equal(watch.renews(600).status, 481);
});

test('RFC 6665 §4.2.1.4: a refresh prolongs, moves the target, and is answered by the state', async () => {
  const { bench, alice } = await stage();
  const watch = alice.watches(CAROL, { expires: 100 });
  watch.hears();
  bench.passes(90);
  const contact = [['Contact', '<sip:new@192.0.2.8>']] as const;
  assert.equal(watch.renews(100, { headers: contact }).status, 200);
  const heard = watch.hears();
  assert.equal(heard.state, 'active;expires=100');
  bench.passes(90);
  alice.wire.isSilent();
  bench.passes(11);
  assert.equal(watch.hears().state, 'terminated;reason=timeout');
});

test('an older SUBSCRIBE of the dialog, one of somebody else, and one for another event change nothing', async () => {
  const { alice, carol } = await stage();
  const watch = alice.watches(CAROL, { expires: 600 });
  watch.hears();
  assert.equal(watch.renews(600, { cseq: 1 }).status, 500);
  assert.equal(watch.renews(600, { event: 'presence.winfo' }).status, 481);
  assert.equal(watch.renews(600, { event: 'presence;id=other' }).status, 481);
  const { callId, tag } = watch;
  assert.equal(carol.subscribes(CAROL, { callId, tag, cseq: 9, expires: 0 }).status, 481);
  assert.equal(watch.renews(600).status, 200);
  watch.hears();
});

test('what cannot be subscribed to: RFC 6665 §4.2.1.1, RFC 3856 §6', async () => {
  const { alice } = await stage();
  const asks = (to: string, ask: Parameters<Actor['subscribes']>[1]) => alice.subscribes(to, ask);
  assert.equal(asks('nobody@example.test', {}).status, 404);
  const short = asks(CAROL, { expires: 59 });
  assert.deepEqual([short.status, short.header('Min-Expires')], [423, '60']);
  assert.equal(asks(CAROL, { headers: [['Accept', 'application/cpim-pidf+xml']] }).status, 406);
  assert.equal(asks(CAROL, { headers: [['Accept', 'text/html, application/*;q=0.5']] }).status, 200);
  alice.answers(alice.wire.request('NOTIFY'));
  const other = asks(CAROL, { event: 'presence.winfo' });
  assert.equal(other.status, 403);
  const tagged = asks(CAROL, { event: 'presence', tag: 'unknown' });
  assert.equal(tagged.status, 481);
});

test('devices come and go: whoever is signed in nowhere is offline, also when the sign-in lapses', async () => {
  const { bench, alice } = await stage();
  const watch = alice.watches(CAROL, { expires: 10_000 });
  assert.equal(watch.hears().basics, 'open');
  bench.passes(3590);
  assert.equal(bench.signsIn(alice.wire, ALICE, undefined, 'again'), 200);
  bench.passes(11);
  assert.equal(watch.hears().basics, 'closed');
  assert.equal(bench.signsIn(bench.client().wire, CAROL, undefined, 'again'), 200);
  bench.passes(5);
  assert.equal(watch.hears().basics, 'open');
});

test('a connection that ends takes its device with it', async () => {
  const { bench, alice, carol } = await stage();
  const watch = alice.watches(CAROL);
  watch.hears();
  bench.passes(10);
  carol.wire.onClose('peer-closed');
  bench.settle();
  assert.equal(watch.hears().basics, 'closed');
});

test('one notification at a time, and changes in between become one', async () => {
  const { bench, alice, carol } = await stage();
  const watch = alice.watches(CAROL);
  const first = watch.receives();
  for (const note of ['one', 'two', 'three']) {
    carol.publishes(pidf(note));
    bench.passes(6);
  }
  alice.wire.isSilent();
  alice.answers(first.notify);
  const { tuples } = watch.hears().presence;
  assert.deepEqual(
    tuples.map(({ notes }) => notes[0]?.text),
    ['three', 'two', 'one'],
  );
  bench.passes(60);
  alice.wire.isSilent();
});

test('RFC 6665 §4.2.2: a NOTIFY that is refused or not answered ends the subscription, one that asks for patience does not', async () => {
  const { bench, alice, carol } = await stage();
  const refused = alice.watches(CAROL);
  refused.hears(481);
  assert.equal(refused.renews(600).status, 481);

  const silent = alice.watches(CAROL);
  silent.receives();
  bench.passes(33);
  assert.equal(silent.renews(600).status, 481);

  const busy = alice.watches(CAROL);
  busy.hears(503, [['Retry-After', '20']]);
  carol.publishes(pidf('later'));
  bench.passes(19);
  alice.wire.isSilent();
  bench.passes(1);
  assert.match(busy.hears().notify.body.toString(), /later/);
});

test('a watcher that asks for no patience at all is not notified in a loop', async () => {
  const { bench, alice } = await stage();
  const watch = alice.watches(CAROL);
  watch.hears(503, [['Retry-After', '0']]);
  alice.wire.isSilent();
  bench.passes(5);
  assert.equal(watch.hears().word, 'active');
});

test('a watcher whose connection is gone is told when the same device is back, or subscribes again over another', async () => {
  const { bench, alice, carol } = await stage();
  const watch = alice.watches(CAROL, { expires: 7200 });
  watch.hears();
  alice.wire.onClose('peer-closed');
  bench.passes(10);
  carol.publishes(pidf('while you were out'));
  const back = bench.client().wire;
  assert.equal(bench.signsIn(back, ALICE, 'sip:watcher@192.0.2.7:5070;transport=tls', 'back'), 200);
  bench.settle();
  const notify = back.request('NOTIFY');
  assert.match(notify.body.toString(), /while you were out/);
  new Actor(bench, back, ALICE).answers(notify);

  back.onClose('peer-closed');
  bench.passes(10);
  carol.publishes(pidf('and again'));
  const elsewhere = new Actor(bench, bench.client().wire, ALICE);
  assert.equal(bench.signsIn(elsewhere.wire, ALICE, undefined, 'elsewhere'), 200);
  elsewhere.wire.isSilent();
  const { callId, tag } = watch;
  const contact = [['Contact', '<sip:elsewhere@192.0.2.9>']] as const;
  assert.equal(elsewhere.subscribes(CAROL, { callId, tag, cseq: 7, headers: contact }).status, 200);
  assert.match(elsewhere.wire.request('NOTIFY').body.toString(), /and again/);
});

test('a peer that was away hears what changed meanwhile as soon as it is back', async () => {
  const global = {
    remote: true,
    federation: true,
    xmpp: true,
    publicProviders: true,
    publicProviderMedia: false,
  };
  const bench = await Bench.start(
    { global, sites: [], users: [] },
    { approval: { colleagues: 'allow', outsiders: 'allow' } },
  );
  const carol = Actor.arrives(bench, 'carol');
  const first = bench.peer();
  const romeo = new Actor(bench, first, `romeo@${PEER_DOMAIN}`);
  romeo.watches(CAROL, { expires: 7200 }).hears();
  first.onClose('peer-closed');
  bench.passes(10);
  carol.publishes(pidf('while you were away'));
  bench.passes(10);
  const back = bench.peer();
  bench.settle();
  const notify = back.request('NOTIFY');
  assert.match(notify.body.toString(), /while you were away/);
  new Actor(bench, back, `romeo@${PEER_DOMAIN}`).answers(notify);
  back.isSilent();
});

test('an account that is deleted ends what was watched', async () => {
  const { bench, alice, carol } = await stage();
  const watch = alice.watches(CAROL);
  watch.hears();
  bench.passes(10);
  bench.directory.delete(CAROL);
  bench.registrar.onChanged(CAROL);
  bench.settle();
  assert.equal(watch.hears().state, 'terminated;reason=noresource');
  assert.equal(carol.publishes(pidf('still here')).status, 404);
});

test('what was written down outlives the process: who watches, through an edge or inside, what was published and decided', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'presence-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'front-end.sqlite');
  const mark = formatAssertedSource({ address: ALICE, source: 'remote-user', edge: EDGE });
  const route = ['Record-Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`] as const;
  const outside = [['Sallyport-Asserted-Source', mark]] as const;

  const before = await Bench.start(undefined, {}, file);
  const carol = Actor.arrives(before, 'carol');
  const alice = new Actor(before, before.edge(), ALICE);
  assert.equal(before.signsIn(alice.wire, ALICE), 200);
  const remote = alice.subscribes(CAROL, { expires: 600, headers: [...outside, route] });
  const numbers = before.toEdge.request('NOTIFY').cseq.number;
  const inside = carol.watches(ALICE, { expires: 600 });
  inside.hears();
  carol.publishes(pidf('Persistent'), [['Expires', '600']]);
  assert.ok(before.presence.decide(ALICE, 'eve@example.test', 'block', before.clock.wall()));
  before.directory.close();

  const after = await Bench.start(undefined, {}, file);
  after.passes(15);
  const closed = after.toEdge.request('NOTIFY');
  assert.ok(closed.cseq.number > numbers, 'numbers of the dialog are not used again');
  assert.match(closed.body.toString(), /closed/, 'carol has not come back in time');
  after.arrives(after.toEdge, buildResponse(closed, 200));
  const back = new Actor(after, after.client().wire, CAROL);
  assert.equal(after.signsIn(back.wire, CAROL, undefined, 'back'), 200);
  after.passes(5);
  assert.match(after.toEdge.request('NOTIFY').body.toString(), /Persistent/);
  const tag = remote.to.tag ?? '';
  const renewal = { callId: remote.callId, tag, cseq: 2, expires: 600, headers: outside };
  assert.equal(new Actor(after, after.edge(), ALICE).subscribes(CAROL, renewal).status, 200);
  const { callId } = inside;
  assert.equal(back.subscribes(ALICE, { callId, tag: inside.tag, cseq: 2, expires: 600 }).status, 200);
  assert.match(back.wire.request('NOTIFY').body.toString(), /open/);
  assert.equal(after.presence.watchersOf(ALICE).rules[0]?.decision, 'block');
});

test('after the front end has stopped nothing leaves, nor is the database asked', async () => {
  const { bench, alice, carol } = await stage();
  alice.watches(CAROL).hears();
  bench.stop();
  carol.publishes(pidf('too late'));
  bench.directory.close();
  bench.passes(100_000);
  alice.wire.isSilent();
});

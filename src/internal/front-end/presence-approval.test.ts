import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresenceSettings } from '#internal/presence';
import { buildResponse } from '#protocols/sip';
import { formatAssertedSource } from '#protocols/trust-marking';
import { request } from './testing/messages.ts';
import { Actor, pidf } from './testing/presence-play.ts';
import { Bench, branched, EDGE, PEER_DOMAIN } from './testing/wire.ts';

const ALICE = 'alice@example.test';
const CAROL = 'carol@example.test';
const ROMEO = `romeo@${PEER_DOMAIN}`;
const BOB = 'bob@partner.example';
const policies = (federation: boolean) => ({
  global: {
    remote: true,
    federation,
    publicProviders: federation,
    publicProviderMedia: false,
    xmpp: federation,
  },
  sites: [],
  users: [],
});
const WINFO = 'application/watcherinfo+xml';

async function stage(presence: Partial<PresenceSettings> = {}) {
  const bench = await Bench.start(policies(true), presence);
  const carol = Actor.arrives(bench, 'carol');
  const romeo = new Actor(bench, bench.peer(), ROMEO);
  return { bench, carol, romeo };
}
/** The watcher list as its owner wants it. */
function list(watcher: string, status: string, event = 'approved'): string {
  return (
    `<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state="partial"><watcher-list resource="sip:${CAROL}" ` +
    `package="presence"><watcher status="${status}" event="${event}" id="w">sip:${watcher}</watcher></watcher-list></watcherinfo>`
  );
}
function decides(carol: Actor, watcher: string, status: string, event?: string): number {
  return carol.publishes(list(watcher, status, event), [], WINFO, 'presence.winfo').status;
}

test('RFC 3857: a user sees who asks, says yes, and the watcher sees the user', async () => {
  const { bench, carol, romeo } = await stage();
  const own = carol.watches(CAROL, { event: 'presence.winfo' });
  const empty = own.hears();
  assert.deepEqual([empty.watchers.version, empty.watchers.state, empty.watchers.watchers], [0, 'full', []]);
  bench.passes(10);

  const watch = romeo.watches(CAROL, { expires: 600 });
  const pending = watch.hears();
  assert.deepEqual([pending.state, pending.notify.body.length], ['pending;expires=600', 0]);
  const asked = own.hears().watchers;
  assert.deepEqual([asked.version, asked.resource, asked.package], [1, `sip:${CAROL}`, 'presence']);
  const [watcher] = asked.watchers;
  assert.deepEqual([watcher?.uri, watcher?.status, watcher?.event], [`sip:${ROMEO}`, 'pending', 'subscribe']);
  bench.passes(10);

  assert.equal(decides(carol, ROMEO, 'active'), 200);
  const active = watch.hears();
  assert.deepEqual([active.state, active.basics], ['active;expires=590', 'open']);
  const approved = own.hears().watchers.watchers[0];
  assert.deepEqual([approved?.status, approved?.event], ['active', 'approved']);
  bench.passes(10);
  carol.publishes(pidf('For friends'));
  assert.match(watch.hears().notify.body.toString(), /For friends/);
});

test('a user says no: the watcher is told, and comes in no more', async () => {
  const { carol, romeo } = await stage();
  const watch = romeo.watches(CAROL);
  watch.hears();
  assert.equal(decides(carol, ROMEO, 'terminated', 'rejected'), 200);
  const last = watch.hears();
  assert.deepEqual([last.state, last.notify.body.length], ['terminated;reason=rejected', 0]);
  assert.equal(romeo.subscribes(CAROL).status, 403);
  assert.equal(decides(carol, ROMEO, 'pending', 'subscribe'), 200);
  assert.equal(romeo.watches(CAROL).hears().word, 'pending');
});

test('polite blocking: who is blocked politely sees a user who is never there', async () => {
  const { bench, carol, romeo } = await stage();
  assert.ok(bench.presence.decide(CAROL, ROMEO, 'polite-block', bench.clock.wall()));
  const watch = romeo.watches(CAROL);
  const heard = watch.hears();
  assert.deepEqual([heard.word, heard.basics], ['active', 'closed']);
  bench.passes(10);
  carol.publishes(pidf('not for everybody'));
  assert.equal(watch.hears().basics, 'closed');
});

test('who asked once and went away waits in the list', async () => {
  const { bench, carol, romeo } = await stage();
  assert.equal(romeo.watches(CAROL, { expires: 0 }).hears().notify.body.length, 0);
  const own = carol.watches(CAROL, { event: 'presence.winfo' });
  const [waiting] = own.hears().watchers.watchers;
  assert.deepEqual([waiting?.uri, waiting?.status], [`sip:${ROMEO}`, 'waiting']);
  bench.passes(10);
  assert.equal(decides(carol, ROMEO, 'active'), 200);
  assert.deepEqual(own.hears().watchers.watchers, []);
  assert.equal(romeo.watches(CAROL, { expires: 0 }).hears().basics, 'open');
});

test('a user has an own rule for those about whom nothing was decided', async () => {
  const { bench, romeo } = await stage();
  const watch = romeo.watches(CAROL);
  assert.equal(watch.hears().word, 'pending');
  bench.presence.setApproval(CAROL, { colleagues: 'confirm', outsiders: 'allow' });
  bench.settle();
  assert.equal(watch.hears().word, 'active');
  const alice = Actor.arrives(bench, 'alice');
  assert.equal(alice.watches(CAROL).hears().word, 'pending');
});

test('who shall wait for a word of the user waits, however often he asks', async () => {
  const { bench, romeo } = await stage({ approval: { colleagues: 'allow', outsiders: 'allow' } });
  assert.ok(bench.presence.decide(CAROL, ROMEO, 'confirm', bench.clock.wall()));
  for (let time = 0; time < 2; time++) {
    const { word, notify } = romeo.watches(CAROL).hears();
    assert.deepEqual([word, notify.body.length], ['pending', 0]);
  }
});

test('nobody decides for somebody else, and what is no watcher list decides nothing', async () => {
  const { bench, carol } = await stage();
  const alice = Actor.arrives(bench, 'alice');
  const forger = new Actor(bench, alice.wire, CAROL);
  assert.equal(decides(forger, ROMEO, 'active'), 407);
  assert.equal(carol.publishes('<x/>', [], WINFO, 'presence.winfo').status, 400);
  assert.equal(carol.publishes(list(ROMEO, 'active'), [], 'text/plain', 'presence.winfo').status, 415);
  assert.equal(decides(carol, 'no address', 'active'), 400);
  assert.equal(alice.subscribes(CAROL, { event: 'presence.winfo' }).status, 403);
});

test('the external access policy stands before the user’s word, and ends what it no longer allows', async () => {
  const { bench, carol, romeo } = await stage({ approval: { colleagues: 'allow', outsiders: 'allow' } });
  const watch = romeo.watches(CAROL);
  assert.equal(watch.hears().word, 'active');
  bench.configure(policies(false));
  bench.settle();
  assert.equal(watch.hears().state, 'terminated;reason=rejected');
  const refused = romeo.subscribes(CAROL);
  const unknown = romeo.subscribes('nobody@example.test');
  assert.deepEqual([refused.status, refused.reason], [unknown.status, unknown.reason]);
  assert.equal(refused.status, 404);
  assert.equal(carol.subscribes(ROMEO).status, 403, 'nor does the user watch anybody outside');
});

test('a partner watches through an edge: NOTIFY goes along the recorded routes, a refresh comes back by them', async () => {
  const { bench, carol } = await stage({ approval: { colleagues: 'allow', outsiders: 'allow' } });
  const mark = formatAssertedSource({ address: BOB, source: 'federated', verified: true, edge: EDGE });
  const route = `<sip:token@${EDGE}:5061;transport=tls;lr>`;
  const headers = [
    ['Sallyport-Asserted-Source', mark],
    ['Record-Route', `${route}, <sip:outer@sip.example.test;lr>`],
  ] as const;
  const bob = new Actor(bench, bench.edge(), BOB);
  const answer = bob.subscribes(CAROL, { expires: 600, headers });
  assert.equal(answer.status, 200);
  assert.equal(answer.values('Record-Route').length, 2);
  const notify = bench.toEdge.request('NOTIFY');
  assert.deepEqual(notify.values('Route'), [route, '<sip:outer@sip.example.test;lr>']);
  bench.arrives(bench.toEdge, buildResponse(notify, 200));
  bench.passes(10);
  const renewal = { callId: answer.callId, tag: answer.to.tag ?? '', cseq: 2, expires: 600 };
  const uri = 'sip:presence@127.0.11.2:5061;transport=tls';
  assert.equal(bob.subscribes(CAROL, { ...renewal, uri, headers: [headers[0]] }).status, 200);
  bench.arrives(bench.toEdge, buildResponse(bench.toEdge.request('NOTIFY'), 200));
  assert.equal(bob.publishes(pidf('x')).status, 403, 'outsiders publish nothing here');
  bench.passes(10);
  carol.publishes(pidf('changed'));
  const changed = bench.toEdge.request('NOTIFY');
  assert.match(changed.body.toString(), /changed/);
  bench.arrives(bench.toEdge, buildResponse(changed, 430));
  bench.passes(10);
  assert.equal(bob.subscribes(CAROL, { ...renewal, cseq: 3, uri, headers: [headers[0]] }).status, 200);
});

test('our users watch a partner: SUBSCRIBE leaves by an edge with a way back, NOTIFY comes in by it', async () => {
  const { bench } = await stage();
  const { wire, token } = bench.client();
  assert.equal(bench.signsIn(wire, ALICE), 200);
  const alice = new Actor(bench, wire, ALICE);
  assert.throws(() => alice.subscribes(BOB), /nothing came out/);
  const subscribe = bench.toEdge.request('SUBSCRIBE');
  assert.match(subscribe.header('Record-Route') ?? '', new RegExp(token));
  bench.arrives(
    bench.toEdge,
    buildResponse(subscribe, 200, { toTag: 'b', headers: [['Contact', '<sip:b@c>']] }),
  );
  wire.response(200);
});

test('contact list only: an unverified sender at a public provider, or one whom the edge marks so wherever, reaches whoever has allowed that person, and nobody else', async () => {
  const { bench, carol } = await stage({ approval: { colleagues: 'allow', outsiders: 'allow' } });
  const edge = bench.edge();
  let count = 0;
  const writes = (source: 'provider' | 'federated', verified: boolean, contactsOnly?: true) => {
    const mark = formatAssertedSource({ address: BOB, source, verified, edge: EDGE, contactsOnly });
    const headers = [['Sallyport-Asserted-Source', mark]] as const;
    const message = { method: 'MESSAGE', uri: `sip:${CAROL}`, from: `sip:${BOB}`, to: `<sip:${CAROL}>` };
    count += 1;
    bench.arrives(edge, branched(request({ ...message, headers, callId: `only${count}` }), `only${count}`));
  };
  const isDelivered = () => {
    const arrived = carol.wire.request('MESSAGE');
    bench.arrives(carol.wire, buildResponse(arrived, 200));
    edge.response(200);
  };
  writes('provider', false);
  // As if there were no such user, so that nobody learns who is here.
  assert.match(edge.response(404).header('ms-diagnostics-public') ?? '', /^4005;/);
  writes('provider', true);
  isDelivered();
  // A partner of its own that says nothing of this message is unverified, and no more.
  writes('federated', false);
  isDelivered();
  writes('federated', false, true);
  assert.match(edge.response(404).header('ms-diagnostics-public') ?? '', /^4005;/);
  assert.equal(decides(carol, BOB, 'active'), 200);
  writes('provider', false);
  isDelivered();
  writes('federated', false, true);
  isDelivered();
  assert.equal(decides(carol, BOB, 'terminated', 'rejected'), 200);
  writes('provider', false);
  edge.response(404);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PresenceSettings } from '#internal/presence';
import { Actor, pidf } from './testing/presence-play.ts';
import { Bench, PEER_DOMAIN } from './testing/wire.ts';

const CAROL = 'carol@example.test';
const EVERYWHERE = {
  global: { remote: true, federation: true, xmpp: true, publicProviders: true, publicProviderMedia: false },
  sites: [],
  users: [],
};

async function stage(presence: Partial<PresenceSettings> = {}) {
  const bench = await Bench.start(EVERYWHERE, presence);
  const change = (changed: Partial<PresenceSettings>) => bench.configure(EVERYWHERE, changed);
  return { bench, change, carol: Actor.arrives(bench, 'carol'), alice: Actor.arrives(bench, 'alice') };
}

test('what is granted to those about whom nothing was decided [setting frontEnd.presence.approval.colleagues] [setting frontEnd.presence.approval.outsiders]', async () => {
  const { bench, change, alice } = await stage();
  const romeo = new Actor(bench, bench.peer(), `romeo@${PEER_DOMAIN}`);
  for (const [decision, heard] of [
    ['allow', 'active open'],
    ['confirm', 'pending nothing'],
    ['polite-block', 'active closed'],
    ['block', '403'],
  ] as const) {
    for (const [actor, approval] of [
      [alice, { colleagues: decision, outsiders: 'block' }],
      [romeo, { colleagues: 'block', outsiders: decision }],
    ] as const) {
      change({ approval });
      const answer = actor.subscribes(CAROL, { expires: 60 });
      if (decision === 'block') assert.equal(`${answer.status}`, heard);
      else {
        const notify = actor.wire.request('NOTIFY');
        actor.answers(notify, 481);
        const state = notify.header('Subscription-State')?.split(';')[0];
        const basic = /<basic>(\w+)/.exec(notify.body.toString())?.[1] ?? 'nothing';
        assert.equal(`${state} ${basic}`, heard);
      }
    }
  }
});

test('the shortest time [setting frontEnd.presence.minExpiresSeconds]', async () => {
  const { change, alice, carol } = await stage({ minExpiresSeconds: 120 });
  assert.equal(alice.subscribes(CAROL, { expires: 100 }).header('Min-Expires'), '120');
  assert.equal(carol.publishes(pidf('x'), [['Expires', '100']]).header('Min-Expires'), '120');
  change({ minExpiresSeconds: 100 });
  assert.equal(alice.subscribes(CAROL, { expires: 100 }).status, 200);
});

test('the longest time [setting frontEnd.presence.maxExpiresSeconds]', async () => {
  const { change, alice, carol } = await stage({ maxExpiresSeconds: 7200 });
  assert.equal(alice.watches(CAROL, { expires: 100_000 }).hears().state, 'active;expires=7200');
  change({ maxExpiresSeconds: 3600 });
  assert.equal(carol.publishes(pidf('x'), [['Expires', '100000']]).header('Expires'), '3600');
});

test('the time of who asks for none [setting frontEnd.presence.defaultExpiresSeconds]', async () => {
  const { change, alice, carol } = await stage({ defaultExpiresSeconds: 300 });
  assert.equal(alice.watches(CAROL).hears().state, 'active;expires=300');
  change({ defaultExpiresSeconds: 600 });
  assert.equal(carol.publishes(pidf('x')).header('Expires'), '600');
});

test('how often a watcher is told of changes [setting frontEnd.presence.notifySeconds]', async () => {
  const { bench, change, alice, carol } = await stage({ notifySeconds: 30 });
  const watch = alice.watches(CAROL);
  watch.hears();
  carol.publishes(pidf('one'));
  watch.hears();
  carol.publishes(pidf('another'));
  bench.passes(29);
  alice.wire.isSilent();
  bench.passes(1);
  watch.hears();
  change({ notifySeconds: 0 });
  bench.passes(30);
  carol.publishes(pidf('two'));
  watch.hears();
  carol.publishes(pidf('three'));
  watch.hears();
});

test('subscriptions to one user, and watchers that are remembered [setting frontEnd.presence.watchersPerUser]', async () => {
  const { bench, change, alice, carol } = await stage({ watchersPerUser: 1 });
  alice.watches(CAROL).hears();
  assert.equal(carol.subscribes(CAROL).status, 403);
  change({ watchersPerUser: 2 });
  const own = carol.watches(CAROL);
  own.hears();
  const wall = bench.clock.wall();
  assert.ok(bench.presence.decide(CAROL, 'a@x.example', 'allow', wall));
  assert.ok(bench.presence.decide(CAROL, 'b@x.example', 'block', wall));
  assert.ok(!bench.presence.decide(CAROL, 'c@x.example', 'allow', wall));
  assert.ok(bench.presence.decide(CAROL, 'b@x.example', 'allow', wall), 'another word about the same one');
});

test('strangers who ask leave places to colleagues, and the list of watchers to the user', async () => {
  const { bench, alice, carol } = await stage({ watchersPerUser: 2 });
  const [one, two] = ['one', 'two'].map((user) => new Actor(bench, bench.peer(), `${user}@${PEER_DOMAIN}`));
  one?.watches(CAROL).hears();
  assert.equal(two?.subscribes(CAROL).status, 403);
  alice.watches(CAROL).hears();
  const listed = carol.watches(CAROL, { event: 'presence.winfo' }).hears().watchers.watchers;
  assert.equal(listed.length, 2);
});

test('whoever asks when nobody else may be remembered is refused, but who only asked makes room', async () => {
  const { bench } = await stage({ watchersPerUser: 2 });
  const peer = bench.peer();
  const asks = (user: string) =>
    new Actor(bench, peer, `${user}@${PEER_DOMAIN}`).watches(CAROL, { expires: 0 }).hears();
  for (const user of ['one', 'two', 'three']) assert.equal(asks(user).notify.body.length, 0);
  assert.deepEqual(
    bench.presence.watchersOf(CAROL).rules.map(({ watcher }) => watcher),
    [`two@${PEER_DOMAIN}`, `three@${PEER_DOMAIN}`],
  );
  for (const user of ['two', 'three']) {
    assert.ok(bench.presence.decide(CAROL, `${user}@${PEER_DOMAIN}`, 'block', bench.clock.wall()));
  }
  assert.equal(new Actor(bench, peer, `four@${PEER_DOMAIN}`).subscribes(CAROL).status, 403);
});

test('subscriptions of one watcher [setting frontEnd.presence.subscriptionsPerWatcher]', async () => {
  const { change, alice } = await stage({ subscriptionsPerWatcher: 1 });
  alice.watches(CAROL).hears();
  assert.equal(alice.subscribes(CAROL).status, 403);
  change({ subscriptionsPerWatcher: 2 });
  assert.equal(alice.subscribes(CAROL).status, 200);
});

test('subscriptions of all [setting frontEnd.presence.subscriptions]', async () => {
  const { change, alice, carol } = await stage({ subscriptions: 1 });
  alice.watches(CAROL).hears();
  const refused = carol.subscribes('alice@example.test');
  assert.deepEqual([refused.status, refused.header('Retry-After')], [503, '60']);
  change({ subscriptions: 2 });
  assert.equal(carol.subscribes('alice@example.test').status, 200);
});

test('devices that publish [setting frontEnd.presence.publicationsPerUser]', async () => {
  const { change, carol } = await stage({ publicationsPerUser: 1 });
  const tag = carol.publishes(pidf('one')).header('SIP-ETag') ?? '';
  assert.equal(carol.publishes(pidf('two')).status, 403);
  assert.equal(carol.publishes(pidf('one again'), [['SIP-If-Match', tag]]).status, 200);
  change({ publicationsPerUser: 2 });
  assert.equal(carol.publishes(pidf('two')).status, 200);
});

test('the length of a document [setting frontEnd.presence.documentBytes]', async () => {
  const { change, carol } = await stage({ documentBytes: 2000 });
  assert.equal(carol.publishes(pidf('x'.repeat(3000))).status, 413);
  change({ documentBytes: 4000 });
  assert.equal(carol.publishes(pidf('x'.repeat(1000))).status, 200);
});

test('devices that say more than a NOTIFY carries: the newest count', async () => {
  const { alice, carol } = await stage({ documentBytes: 2000, notifySeconds: 0 });
  const watch = alice.watches(CAROL);
  watch.hears();
  for (let device = 0; device < 9; device++) {
    assert.equal(carol.publishes(pidf(`${device}${'x'.repeat(900)}`, { id: `d${device}` })).status, 200);
    const { notify, presence } = watch.hears();
    assert.ok(notify.body.length <= 4000);
    assert.equal(presence.tuples[0]?.id, `d${device}`);
  }
});

test('a long list of watchers: whoever waits for a decision comes first', async () => {
  const { bench, carol } = await stage();
  const peer = bench.peer();
  const watcher = (at: number) => new Actor(bench, peer, `w${at}@${PEER_DOMAIN}`);
  for (let at = 0; at < 110; at++) {
    const who = watcher(at);
    if (at < 100) assert.ok(bench.presence.decide(CAROL, who.address, 'allow', bench.clock.wall()));
    who.watches(CAROL).hears();
  }
  const { watchers } = carol.watches(CAROL, { event: 'presence.winfo' }).hears().watchers;
  assert.equal(watchers.length, 100);
  assert.equal(watchers.filter(({ status }) => status === 'pending').length, 10);
});

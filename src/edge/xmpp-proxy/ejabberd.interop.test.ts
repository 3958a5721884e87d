import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LeafRequest } from '#platform/pki';
import { Ejabberd } from '../../platform/xmpp-endpoint/testing/ejabberd.ts';
import { ACCESS, OURS, type Partner, PLACES, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import { bodyOf, chat, conditionOf, stanza, TestGateway } from './testing/ends.ts';

interface Scene {
  readonly entry: Partial<Partner>;
  readonly dialback: boolean;
  readonly leaf?: Partial<LeafRequest>;
}

/** Debian's ejabberd with somebody on it as the partner, the proxy, and the inner end of a link. */
async function play(t: TestContext, { entry, dialback, leaf = {} }: Scene) {
  const bench = await ProxyBench.start(
    t,
    ({ policy }) => {
      policy.xmpp.partners = [partner(THEIRS, entry)];
    },
    // For addresses ejabberd asks the system, which knows none of ours: a target that is an address needs no asking.
    [`--srv-host=_xmpp-server._tcp.${OURS},${ACCESS},5269`],
  );
  const gateway = await TestGateway.start(t, bench);
  const ejabberd = await Ejabberd.start(t, {
    domain: THEIRS,
    address: PLACES[THEIRS] ?? '',
    nameServer: bench.nameServer,
    identity: await bench.issue(THEIRS, leaf),
    authorityPem: bench.authorityPem,
    dialback,
    accounts: ['juliet'],
  });
  await gateway.ready.count(1);
  return { bench, gateway, ejabberd, juliet: await ejabberd.person(t, 'juliet') };
}

const JULIET = `juliet@${THEIRS}`;
const ROMEO = `romeo@${OURS}`;

async function converse({ bench, gateway, juliet }: Awaited<ReturnType<typeof play>>): Promise<void> {
  const arrived = async (count: number) => (await gateway.arrivals.count(count)).at(count - 1)!.stanza;
  const presence = (type?: string, from = ROMEO) =>
    gateway.send(stanza('presence', { from, to: JULIET, type }));
  juliet.say(`<message to='${ROMEO}' type='chat' id='1'><body>from juliet</body></message>`);
  const message = await arrived(1);
  assert.deepEqual([bodyOf(message), message.attributes.get('from')], ['from juliet', `${JULIET}/desk`]);
  assert.equal(await gateway.send(chat('from romeo', `${ROMEO}/phone`, JULIET)), undefined);
  assert.equal((await juliet.event(({ body }) => body === 'from romeo')).from, `${ROMEO}/phone`);
  // She watches him.
  juliet.say(`<presence to='${ROMEO}' type='subscribe'/>`);
  assert.equal((await arrived(2)).attributes.get('type'), 'subscribe');
  await presence('subscribed');
  await juliet.event(({ event, type }) => event === 'presence' && type === 'subscribed');
  await presence(undefined, `${ROMEO}/phone`);
  await juliet.event(({ event, from }) => event === 'presence' && from === `${ROMEO}/phone`);
  // He watches her: asks, is approved, sees her and a change.
  await presence('subscribe');
  await juliet.event(({ event, type }) => event === 'presence' && type === 'subscribe');
  juliet.say(`<presence to='${ROMEO}' type='subscribed'/>`);
  juliet.say('<presence><show>dnd</show></presence>');
  const heard = (await gateway.arrivals.count(5))
    .slice(2)
    .map(({ stanza: { attributes } }) => attributes.get('type'));
  assert.deepEqual(heard, ['subscribed', undefined, undefined]);
  await gateway.send(chat('nobody there', `${ROMEO}/phone`, `nobody@${THEIRS}`));
  assert.equal(conditionOf(await arrived(6)), 'service-unavailable');
  const trial = (await bench.verb('test', { domain: THEIRS })) as { ok: boolean };
  assert.equal(trial.ok, true, JSON.stringify(trial));
}

test('ejabberd over TLS with SASL EXTERNAL', async (t) => {
  const played = await play(t, { entry: {}, dialback: false });
  await converse(played);
  const { streams } = (await played.bench.verb('streams')) as {
    streams: { by: string; tls: string; managed: boolean }[];
  };
  for (const { by, tls, managed } of streams)
    assert.deepEqual([by, tls, managed], ['sasl-external', 'TLSv1.3', false]);
});

test('ejabberd over TLS with dialback', async (t) => {
  const entry = { sasl: 'not-supported', dialback: true } as const;
  const played = await play(t, { entry, dialback: true, leaf: { hosts: ['elsewhere.example'] } });
  await converse(played);
  const { streams } = (await played.bench.verb('streams')) as {
    streams: { by: string; tls: string; managed: boolean }[];
  };
  for (const { by, tls } of streams) assert.deepEqual([by, tls], ['dialback', 'TLSv1.3']);
});

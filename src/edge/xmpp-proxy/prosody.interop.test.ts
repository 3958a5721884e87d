import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LeafRequest } from '#platform/pki';
import { SeverableWire } from '../../platform/net/testing/severable-wire.ts';
import { Prosody } from '../../platform/xmpp-endpoint/testing/prosody.ts';
import { ACCESS, OURS, type Partner, PLACES, ProxyBench, partner, THEIRS } from './testing/bench.ts';
import { bodyOf, chat, conditionOf, TestGateway } from './testing/ends.ts';

interface Scene {
  readonly entry?: Partial<Partner>;
  /** What Prosody's certificate is like; none: no TLS. */
  readonly leaf?: Partial<LeafRequest> | 'none';
  /** Whether certificates decide at Prosody. */
  readonly secure?: boolean;
  readonly direct?: boolean;
  readonly modules?: readonly string[];
  readonly partners?: readonly Partner[];
  /** Where Prosody is; where the DNS says by default. */
  readonly address?: string;
  readonly hosts?: string;
  /** Nothing is safe until the test says so. */
  readonly hold?: boolean;
}

const ADDRESS = PLACES[THEIRS] ?? '';

/** Debian's Prosody with somebody on it as the partner, the proxy, and the inner end of a link. */
async function play(t: TestContext, scene: Scene = {}) {
  const { entry, leaf = {}, secure = true, direct = false, modules = [], hosts, hold = false } = scene;
  const records = direct
    ? [
        `--srv-host=_xmpps-server._tcp.${THEIRS},host.${THEIRS},5269`,
        `--srv-host=_xmpps-server._tcp.${OURS},host.${OURS},5269`,
      ]
    : [];
  const bench = await ProxyBench.start(
    t,
    ({ policy }) => {
      policy.xmpp.partners = [...(scene.partners ?? [partner(THEIRS, entry)])];
    },
    records,
  );
  const gateway = await TestGateway.start(t, bench, { hold });
  const identity = leaf === 'none' ? undefined : await bench.issue(THEIRS, leaf);
  const prosody = await Prosody.start(t, {
    domain: THEIRS,
    address: scene.address ?? ADDRESS,
    ...(hosts === undefined ? {} : { hosts }),
    nameServer: bench.nameServer,
    ...(identity === undefined ? {} : { identity }),
    authorityPem: bench.authorityPem,
    secure,
    direct,
    accounts: ['juliet'],
    modules,
  });
  await gateway.ready.count(1);
  return { bench, gateway, prosody, juliet: await prosody.person(t, 'juliet') };
}
type Played = Awaited<ReturnType<typeof play>>;

const toRomeo = (body: string, more = '') =>
  `<message to='romeo@${OURS}' type='chat' id='${body}'${more}><body>${body}</body></message>`;
const toJuliet = (body: string, user = 'juliet') => chat(body, `romeo@${OURS}/phone`, `${user}@${THEIRS}`);

/** Messages and presence each way, the error for somebody who does not exist, a ping, and the verb that tells the story. */
async function converse({ bench, gateway, juliet }: Played): Promise<void> {
  juliet.say(toRomeo('from juliet'));
  const [message] = await gateway.arrivals.count(1);
  assert.equal(bodyOf(message!.stanza), 'from juliet');
  assert.equal(message?.stanza.attributes.get('from'), `juliet@${THEIRS}/desk`);
  assert.equal(await gateway.send(toJuliet('from romeo')), undefined);
  assert.equal((await juliet.event(({ body }) => body === 'from romeo')).from, `romeo@${OURS}/phone`);
  juliet.say(`<presence to='romeo@${OURS}' type='subscribe'/>`);
  assert.equal((await gateway.arrivals.count(2))[1]?.stanza.attributes.get('type'), 'subscribe');
  await gateway.send(toJuliet('nobody there', 'nobody'));
  assert.equal(conditionOf((await gateway.arrivals.count(3))[2]!.stanza), 'service-unavailable');
  juliet.say(`<iq to='romeo@${OURS}' type='get' id='x'><query xmlns='jabber:iq:last'/></iq>`);
  await bench.event('xmpp-stanza-refused', ({ rule }) => rule === 'iq-not-served');
  const trial = (await bench.verb('test', { domain: THEIRS })) as { ok: boolean };
  assert.equal(trial.ok, true, JSON.stringify(trial));
}

const streamsOf = async ({ bench }: Played) =>
  ((await bench.verb('streams')) as { streams: { by: string; tls: string; managed: boolean }[] }).streams;

test('Prosody over TLS with SASL EXTERNAL', async (t) => {
  const played = await play(t);
  await converse(played);
  for (const { by, tls } of await streamsOf(played))
    assert.deepEqual([by, tls], ['sasl-external', 'TLSv1.3']);
});

test('Prosody over TLS with dialback', async (t) => {
  const played = await play(t, {
    entry: { sasl: 'not-supported', dialback: true },
    secure: false,
    leaf: { hosts: ['elsewhere.example'] },
  });
  await converse(played);
  for (const { by, tls } of await streamsOf(played)) assert.deepEqual([by, tls], ['dialback', 'TLSv1.3']);
});

test('Prosody over plain TCP with dialback, where the entry of the partner allows it', async (t) => {
  const played = await play(t, {
    entry: { tls: 'not-supported', sasl: 'not-supported', dialback: true },
    secure: false,
    leaf: 'none',
  });
  await converse(played);
  for (const { by, tls } of await streamsOf(played)) assert.deepEqual([by, tls], ['dialback', 'none']);
});

test('Prosody over TLS from the first byte (XEP-0368)', async (t) => {
  await converse(await play(t, { direct: true }));
});

test('Prosody with acknowledgements and one stream for both directions (XEP-0198, XEP-0288)', async (t) => {
  const played = await play(t, { modules: ['smacks', 's2s_bidi'] });
  await converse(played);
  assert.ok((await streamsOf(played)).every(({ managed }) => managed));
});

/** The scene with a wire in each direction between the edge and Prosody that can be cut. */
async function playOnWires(t: TestContext) {
  const server = '127.0.3.91';
  const place = '127.0.3.92';
  const toProsody = new SeverableWire({ address: ADDRESS, port: 5269 }, { address: server, port: 5269 });
  const fromProsody = new SeverableWire({ address: place, port: 5269 }, { address: ACCESS, port: 5269 });
  for (const wire of [toProsody, fromProsody]) {
    await wire.mend();
    t.after(() => wire.cut());
  }
  const hosts = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
  writeFileSync(hosts, `${place} host.${OURS}\n`);
  t.after(() => rmSync(dirname(hosts), { recursive: true }));
  const played = await play(t, { modules: ['smacks'], address: server, hosts, hold: true });
  return { ...played, toProsody, fromProsody };
}
const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));

test('a stream of Prosody’s is cut between acknowledgements: of each message either we have it or its sender is told (XEP-0198)', async (t) => {
  const played = await playOnWires(t);
  const { gateway, juliet, fromProsody } = played;
  // What waits until its stream is open Prosody sends before it asks for acknowledgements.
  juliet.say(toRomeo('first'));
  (await gateway.arrivals.count(1))[0]!.done();
  while (!(await streamsOf(played)).some(({ managed }) => managed))
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (const number of numbers(50)) juliet.say(toRomeo(number));
  for (const arrival of (await gateway.arrivals.count(51)).slice(1, 21)) arrival.done();
  await fromProsody.cut();
  for (const number of numbers(50).slice(20)) {
    const told = await juliet.event(({ type, id }) => type === 'error' && id === number);
    assert.equal(told.condition, 'recipient-unavailable');
  }
  await fromProsody.mend();
  for (const arrival of gateway.arrivals.all.slice(21)) arrival.done();
  juliet.say(toRomeo('afterwards'));
  assert.equal(bodyOf((await gateway.arrivals.count(52))[51]!.stanza), 'afterwards');
});

test('a stream to Prosody is cut between acknowledgements: nobody reads a message twice, and each is read or its sender is told (XEP-0198)', async (t) => {
  const { gateway, juliet, prosody, toProsody } = await playOnWires(t);
  const settled = [gateway.send(toJuliet('first'))];
  await juliet.event(({ body }) => body === 'first');
  prosody.halt(true);
  settled.push(...numbers(50).map((number) => gateway.send(toJuliet(number))));
  await toProsody.cut();
  await toProsody.mend();
  prosody.halt(false);
  const told = new Set((await gateway.arrivals.count(50)).map(({ stanza }) => stanza.attributes.get('id')));
  for (const { stanza, origin, done } of gateway.arrivals.all) {
    done();
    assert.equal(conditionOf(stanza), 'remote-server-timeout');
    assert.equal(origin.fate, 'unknown');
  }
  settled.push(gateway.send(toJuliet('afterwards')));
  await juliet.event(({ body }) => body === 'afterwards');
  assert.deepEqual(await Promise.all(settled), Array(52).fill(undefined));
  for (const number of numbers(50)) {
    const read = juliet.left(({ body }) => body === number);
    assert.ok(read <= 1 && (read === 1 || told.has(number)), `${number} was read ${read} times`);
  }
});

const DAY = 86_400_000;
const bad: readonly (readonly [string, Partial<LeafRequest>])[] = [
  ['another name', { hosts: ['elsewhere.example'] }],
  ['clientAuth alone', { usages: ['clientAuth'] }],
  [
    'an end that is past',
    { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) },
  ],
];
for (const [what, leaf] of bad) {
  test(`X5: a partner whose certificate has ${what} gets nothing through, and gets nothing`, async (t) => {
    const { bench, gateway, juliet } = await play(t, { leaf });
    juliet.say(toRomeo('never'));
    await bench.event('xmpp-stream-refused', ({ direction }) => direction === 'in');
    await gateway.send(toJuliet('never'));
    const [answer] = await gateway.arrivals.count(1);
    assert.equal(conditionOf(answer!.stanza), 'remote-server-timeout');
    const out = await bench.event('xmpp-stream-refused', ({ direction }) => direction === 'out');
    assert.equal(out.rule, 'certificate-not-accepted');
    assert.equal(gateway.arrivals.all.length, 1);
  });
}

test('a certificate with serverAuth alone is enough in both directions', async (t) => {
  await converse(await play(t, { leaf: { usages: ['serverAuth'] } }));
});

test('X10: a domain that is on no list is told so, and an event names the rule', async (t) => {
  const { bench, gateway, juliet } = await play(t, { partners: [partner('someone.example')] });
  juliet.say(toRomeo('never'));
  const refused = await bench.event('xmpp-stream-refused');
  assert.deepEqual([refused.rule, refused.detail], ['not-a-partner', THEIRS]);
  await juliet.event(({ type }) => type === 'error');
  assert.deepEqual(gateway.arrivals.all, []);
});

test('with no gateway connected somebody at Prosody is told so', async (t) => {
  const { bench, gateway, juliet } = await play(t);
  bench.document.policy.xmpp.limits.gatewayWaitSeconds = 0;
  await bench.commit();
  gateway.links.close();
  await bench.event('xmpp-gateway-left');
  juliet.say(toRomeo('to nobody'));
  const error = await juliet.event(({ type }) => type === 'error');
  assert.equal(error.condition, 'recipient-unavailable');
});

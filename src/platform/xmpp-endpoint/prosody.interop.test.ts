import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LeafRequest } from '#platform/pki';
import { child, element, textOf, type XmlElement } from '#protocols/xml';
import { type Method, NS } from '#protocols/xmpp';
import { startDnsmasq } from '../dns/testing/dnsmasq.ts';
import {
  authority,
  type Edge,
  OUR_ADDRESS,
  OURS,
  startEdge,
  THEIR_ADDRESS,
  THEIRS,
} from './testing/bench.ts';
import type { Person } from './testing/person.ts';
import { Prosody } from './testing/prosody.ts';

interface Scene {
  readonly methods: readonly Method[];
  /** What Prosody's certificate is like; none: no TLS. */
  readonly leaf?: Partial<LeafRequest> | 'none';
  readonly secure?: boolean;
  /** SRV records for TLS from the first byte (XEP-0368). */
  readonly direct?: boolean;
  readonly modules?: readonly string[];
  readonly partners?: readonly string[];
}

interface Played {
  readonly edge: Edge;
  readonly prosody: Prosody;
  readonly juliet: Person;
}

async function play(t: TestContext, scene: Scene): Promise<Played> {
  const { methods, leaf = {}, secure = true, direct = false, modules = [], partners } = scene;
  const { ca, ours } = await authority();
  const records = [
    `--host-record=host.${OURS},${OUR_ADDRESS}`,
    `--host-record=host.${THEIRS},${THEIR_ADDRESS}`,
    `--srv-host=_xmpp-server._tcp.${OURS},host.${OURS},5269`,
    `--srv-host=_xmpp-server._tcp.${THEIRS},host.${THEIRS},${direct ? 5270 : 5269}`,
    ...(direct ? [`--srv-host=_xmpps-server._tcp.${OURS},host.${OURS},5269`] : []),
    ...(direct ? [`--srv-host=_xmpps-server._tcp.${THEIRS},host.${THEIRS},5269`] : []),
    '--local=/example/',
  ];
  const nameServer = await startDnsmasq(t, records);
  const authorityPem = ca.certificatePem;
  const identity = leaf === 'none' ? undefined : await ca.issue({ name: THEIRS, hosts: [THEIRS], ...leaf });
  const prosody = await Prosody.start(t, {
    domain: THEIRS,
    address: THEIR_ADDRESS,
    nameServer,
    ...(identity === undefined ? {} : { identity }),
    authorityPem,
    secure,
    direct,
    accounts: ['juliet'],
    modules,
  });
  const edge = await startEdge(t, {
    nameServer,
    identity: ours,
    authorityPem,
    methods,
    ...(partners === undefined ? {} : { partners }),
  });
  return { edge, prosody, juliet: await prosody.person(t, 'juliet') };
}

const toRomeo = (body: string, from = '') =>
  `<message to='romeo@${OURS}' type='chat' id='${body}'${from}><body>${body}</body></message>`;
const bodyOf = (stanza: XmlElement) => {
  const body = child(stanza, 'body', NS.server);
  return body === undefined ? undefined : textOf(body);
};

function send(edge: Edge, body: string, to = 'juliet'): Promise<string | undefined> {
  const stanza = element(
    NS.server,
    'message',
    { from: `romeo@${OURS}/phone`, to: `${to}@${THEIRS}`, type: 'chat', id: body },
    [element(NS.server, 'body', {}, [body])],
  );
  return new Promise((resolve) => edge.endpoint.send(stanza, { from: OURS, to: THEIRS }, resolve));
}

/** A message each way, a presence each way, and the error for somebody who does not exist. */
async function converse({ edge, juliet }: Played): Promise<void> {
  juliet.say(toRomeo('from juliet'));
  const arrived = await edge.arrival(({ stanza }) => bodyOf(stanza) === 'from juliet');
  assert.deepEqual(arrived.pair, { from: THEIRS, to: OURS });
  assert.equal(arrived.stanza.attributes.get('from'), `juliet@${THEIRS}/desk`);
  assert.equal(await send(edge, 'from romeo'), undefined);
  const read = await juliet.event((event) => event.body === 'from romeo');
  assert.equal(read.from, `romeo@${OURS}/phone`);
  juliet.say(`<presence to='romeo@${OURS}' type='subscribe'/>`);
  await edge.arrival(({ stanza }) => stanza.attributes.get('type') === 'subscribe');
  assert.equal(await send(edge, 'nobody there', 'nobody'), undefined);
  const refused = await edge.arrival(({ stanza }) => stanza.attributes.get('type') === 'error');
  assert.ok(child(child(refused.stanza, 'error', NS.server)!, 'service-unavailable', NS.stanzaErrors));
}

const tlsOf = (edge: Edge) => [...new Set(edge.endpoint.streams().map(({ tls }) => tls))];

test('Prosody over TLS with SASL EXTERNAL, both directions', async (t) => {
  const played = await play(t, { methods: ['sasl-external'] });
  await converse(played);
  assert.deepEqual(tlsOf(played.edge), ['TLSv1.3']);
  assert.match(played.prosody.output, /Accepting SASL EXTERNAL identity from sip\.example/);
});

test('Prosody over TLS with dialback, both directions', async (t) => {
  const played = await play(t, {
    methods: ['tls-dialback'],
    secure: false,
    leaf: { hosts: ['other.example'] },
  });
  await converse(played);
  assert.deepEqual(tlsOf(played.edge), ['TLSv1.3']);
});

test('Prosody over plain TCP with dialback, both directions', async (t) => {
  const played = await play(t, { methods: ['tcp-dialback'], leaf: 'none', secure: false });
  await converse(played);
  assert.deepEqual(tlsOf(played.edge), ['none']);
});

test('Prosody over TLS from the first byte, both directions (XEP-0368)', async (t) => {
  const played = await play(t, { methods: ['sasl-external'], direct: true });
  await converse(played);
  assert.deepEqual(played.edge.notices, []);
});

test('Prosody with acknowledgements and one stream for both directions (XEP-0198, XEP-0288)', async (t) => {
  const played = await play(t, { methods: ['sasl-external'], modules: ['smacks', 's2s_bidi'] });
  await converse(played);
  assert.equal(played.edge.endpoint.streams().length, 1);
});

test('a certificate with serverAuth alone is enough in both directions', async (t) => {
  await converse(await play(t, { methods: ['sasl-external'], leaf: { usages: ['serverAuth'] } }));
});

const DAY = 86_400_000;
const bad: readonly (readonly [string, Partial<LeafRequest>])[] = [
  ['another name', { hosts: ['other.example'] }],
  ['its name in the common name only', { name: THEIRS, hosts: ['other.example'] }],
  ['clientAuth alone', { usages: ['clientAuth'] }],
  [
    'an end that is past',
    { notBefore: new Date(Date.now() - 3 * DAY), notAfter: new Date(Date.now() - DAY) },
  ],
];
for (const [what, leaf] of bad) {
  test(`X5: a partner whose certificate has ${what} is refused in both directions`, async (t) => {
    const { edge, juliet } = await play(t, { methods: ['sasl-external'], leaf });
    juliet.say(toRomeo('never'));
    await edge.notice(({ direction, reason }) => direction === 'in' && reason !== 'closed');
    assert.equal(await send(edge, 'never'), 'remote-server-timeout');
    await edge.notice(
      ({ direction, reason }) => direction === 'out' && reason === 'certificate-not-accepted',
    );
    assert.deepEqual(edge.arrivals, []);
  });
}

test('X10: a domain that is no partner is refused, and told so', async (t) => {
  const { edge, juliet } = await play(t, { methods: ['sasl-external'], partners: ['someone.example'] });
  juliet.say(toRomeo('never'));
  const notice = await edge.notice(({ reason }) => reason === 'not-a-partner');
  assert.equal(notice.detail, THEIRS);
  assert.equal(await send(edge, 'never'), 'remote-server-not-found');
  const error = await juliet.event((event) => event.type === 'error');
  assert.notEqual(error.condition, '');
  assert.deepEqual(edge.arrivals, []);
});

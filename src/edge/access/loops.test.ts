import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import type { SipRequest } from '#protocols/sip';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, INSIDE, passBack, passOn, signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

/*
 * Clients that are proxies themselves, as a private branch exchange or a telephone that diverts: what they send back keeps the
 * Vias that it came with, our own among them. A request that comes back and goes on to somebody else is a spiral, which is legal;
 * one that comes back and goes on as before has looped (RFC 3261 §16.3 step 4, RFC 5393 §4.2).
 */

const GROUP = 'sip:group@example.com';
let branches = 0;

/** A client sends on what it got. */
function forwards(client: SipPeer, received: SipRequest, uri: string): void {
  branches += 1;
  client.sends(
    request(received.method, uri, {
      ...fieldsOf(received),
      Via: [`SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bKproxy${branches}`, ...received.values('Via')],
      'Max-Forwards': String((received.maxForwards ?? 70) - 1),
      'Max-Breadth': received.header('Max-Breadth'),
    }),
  );
}
function fieldsOf(received: SipRequest): Record<string, string | undefined> {
  const names = ['From', 'To', 'Call-ID', 'CSeq', 'Contact'];
  return Object.fromEntries(names.map((name) => [name, received.header(name)]));
}

async function scene(t: TestContext) {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const [alice, bob, carol] = [await lab.client(), await lab.client(), await lab.client()];
  await signIn(alice, fe, 'alice');
  const paths = { bob: await signIn(bob, fe, 'bob'), carol: await signIn(carol, fe, 'carol') };
  /** The next hop passes on what it got, with the branch of this passage. */
  const inside = (received: SipRequest, user: 'bob' | 'carol') => {
    branches += 1;
    const hops = Math.max((received.maxForwards ?? 70) - 1, 0);
    const copy = passOn(received, contactOf(user), paths[user]).toString();
    const breadth = received.header('Max-Breadth') ?? '60';
    fe.sends(
      copy
        .replace('=z9hG4bKfe1', `=z9hG4bKfe${branches}`)
        .replace(/^Max-Forwards: \d+/m, `Max-Forwards: ${hops}\r\nMax-Breadth: ${breadth}`),
    );
  };
  return { lab, fe, alice, bob, carol, paths, inside };
}

test('a spiral is no loop: what a client diverts to somebody else arrives, and its answer finds the whole way back', async (t) => {
  const { fe, alice, bob, carol, inside } = await scene(t);
  alice.sends(request('MESSAGE', 'sip:bob@example.com', { To: '<sip:bob@example.com>' }));
  inside(await fe.receivesRequest('MESSAGE'), 'bob');
  forwards(bob, await bob.receivesRequest('MESSAGE'), 'sip:carol@example.com');
  const diverted = await fe.receivesRequest('MESSAGE');
  assert.ok(!diverted.has('Sallyport-Asserted-Source'), "bob's connection does not speak for alice");
  inside(diverted, 'carol');
  const arrived = await carol.receivesRequest('MESSAGE');
  assert.equal(arrived.from.uri, 'sip:alice@example.com');
  carol.answers(arrived, 200);
  fe.sends(passBack((await fe.receives(200)).bytes.toString()));
  const first = await bob.receives(200);
  bob.sends(
    first.bytes
      .toString()
      .replace(/^Via: SIP\/2\.0\/TLS 192\.168\.1\.5[^\r\n,]*(,\s*|\r\n)/m, (_, end: string) =>
        end.startsWith(',') ? 'Via: ' : '',
      ),
  );
  fe.sends(passBack((await fe.receives(200)).bytes.toString()));
  assert.equal((await alice.receives(200)).vias().length, 1);
  for (const client of [alice, bob, carol]) assert.doesNotMatch(client.shown, INSIDE);
});

test('a loop is refused once it is round: 482, and nobody gets it twice', async (t) => {
  const { lab, fe, alice, bob, inside } = await scene(t);
  alice.sends(request('MESSAGE', GROUP));
  inside(await fe.receivesRequest('MESSAGE'), 'bob');
  forwards(bob, await bob.receivesRequest('MESSAGE'), GROUP);
  inside(await fe.receivesRequest('MESSAGE'), 'bob');
  await fe.receives(482);
  assert.match(await lab.metrics.text(), /refusals_total\{[^}]*"loop"[^}]*\} 1/);
  // The next request of the same dialog is another one.
  alice.sends(request('MESSAGE', GROUP, { Via: 'SIP/2.0/TLS h;branch=z9hG4bKnext', CSeq: '2 MESSAGE' }));
  inside(await fe.receivesRequest('MESSAGE'), 'bob');
  await bob.receivesRequest('MESSAGE');
});

test('an ACK that loops is dropped', async (t) => {
  const { lab, fe, alice, bob, inside } = await scene(t);
  alice.sends(request('ACK', GROUP, { To: `<${GROUP}>;tag=x` }));
  inside(await fe.receivesRequest('ACK'), 'bob');
  forwards(bob, await bob.receivesRequest('ACK'), GROUP);
  inside(await fe.receivesRequest('ACK'), 'bob');
  await until(async () => /refusals_total\{[^}]*"loop"[^}]*\} 1/.test(await lab.metrics.text()));
});

test('S13: two who forward everything to both of them multiply nothing: each way is gone once (RFC 5393 §3)', async (t) => {
  const { fe, alice, bob, carol, inside } = await scene(t);
  const clients = { bob, carol } as const;
  const delivered: string[] = [];
  let refused = 0;
  alice.sends(request('MESSAGE', GROUP, { 'Max-Forwards': '70' }));
  /** Of each request two leave the inside; each comes back, or is refused. */
  const fork = async (received: SipRequest, way: string): Promise<void> => {
    for (const user of ['bob', 'carol'] as const) {
      inside(received, user);
      if (way.split(' ').includes(user)) {
        await fe.receives(482);
        refused += 1;
        continue;
      }
      const arrived = await clients[user].receivesRequest('MESSAGE');
      delivered.push(`${way} ${user}`.trim());
      forwards(clients[user], arrived, GROUP);
      await fork(await fe.receivesRequest('MESSAGE'), `${way} ${user}`.trim());
    }
  };
  await fork(await fe.receivesRequest('MESSAGE'), '');
  assert.deepEqual(delivered, ['bob', 'bob carol', 'carol', 'carol bob']);
  assert.equal(refused, 6);
});

test('S13: what spirals without an end, each time to somebody else, is ended by its Max-Forwards', async (t) => {
  const { fe, alice, bob, carol, inside } = await scene(t);
  alice.sends(request('MESSAGE', GROUP, { 'Max-Forwards': '9' }));
  for (const user of ['bob', 'carol'] as const) {
    inside(await fe.receivesRequest('MESSAGE'), user);
    const client = user === 'bob' ? bob : carol;
    forwards(client, await client.receivesRequest('MESSAGE'), `sip:friend-of-${user}@example.com`);
  }
  const last = await fe.receivesRequest('MESSAGE');
  assert.equal(last.maxForwards, 0);
  inside(last, 'bob');
  await fe.receives(483);
});

test('S13: the breadth that is left goes on as it is, 60 is the most, and none left is 440 (RFC 5393 §5.3)', async (t) => {
  const { fe, alice, bob, inside, paths } = await scene(t);
  for (const [at, [given, left]] of [
    [undefined, '60'],
    ['7', '7'],
    ['1', '1'],
    ['61', '60'],
    ['x', '60'],
  ].entries()) {
    const Via = `SIP/2.0/TLS h;branch=z9hG4bKbreadth${at}`;
    alice.sends(request('MESSAGE', GROUP, { Via, 'Call-ID': `breadth${at}`, 'Max-Breadth': given }));
    const passed = await fe.receivesRequest('MESSAGE');
    assert.deepEqual(passed.values('Max-Breadth'), [left]);
    inside(passed, 'bob');
    assert.deepEqual((await bob.receivesRequest('MESSAGE')).values('Max-Breadth'), [left]);
  }
  alice.sends(request('INVITE', GROUP, { Via: 'SIP/2.0/TLS h;branch=z9hG4bKnone', 'Max-Breadth': '0' }));
  assert.equal((await alice.receives(440)).reason, 'Max-Breadth Exceeded');
  fe.sends(request('MESSAGE', contactOf('bob'), { Route: paths.bob, 'Max-Breadth': '0' }));
  await fe.receives(440);
});

test('a Via that only looks like one of ours refuses nothing: a host of ours without a print, a print of another request', async (t) => {
  const { fe, alice, bob, inside } = await scene(t);
  alice.sends(request('MESSAGE', GROUP));
  inside(await fe.receivesRequest('MESSAGE'), 'bob');
  const ours = (await bob.receivesRequest('MESSAGE')).topVia.branch ?? '';
  assert.match(ours, /^z9hG4bK[a-z2-7]{12}\d+-[0-9a-f]{16}$/);
  const forged = [
    'SIP/2.0/TLS sip.example.com:443;branch=z9hG4bKsomebody',
    'SIP/2.0/TLS sip.example.com:443',
    'SIP/2.0/TLS edge1.corp.example:5061;branch=z9hG4bKsomebody',
    `SIP/2.0/TLS elsewhere.example;branch=${ours}`,
    `SIP/2.0/TLS sip.example.com:443;branch=${ours}`,
    `SIP/2.0/TLS sip.example.com:443;branch=${ours}${'-0123456789abcdef'.repeat(200)}`,
  ];
  for (const [at, via] of forged.entries()) {
    const own = `SIP/2.0/TLS h;branch=z9hG4bKforged${at}`;
    alice.sends(request('MESSAGE', GROUP, { Via: [own, via], 'Call-ID': `other${at}` }));
    inside(await fe.receivesRequest('MESSAGE'), 'bob');
    const { branch = '' } = (await bob.receivesRequest('MESSAGE')).topVia;
    assert.ok(branch.length < 400, 'what a stranger wrote makes ours no longer than it may be');
  }
});

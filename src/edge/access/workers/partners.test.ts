import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { fromAlice, fromBob, PARTNER, TestNames, TestPartner } from '../federation/testing/partners.ts';
import { request } from '../testing/messages.ts';
import { dialogResponse } from '../testing/plays.ts';
import { encodeFrame } from './frames.ts';
import { workerFor } from './ownership.ts';
import { workerSocket } from './siblings.ts';
import { type Side, startTeam } from './testing/team.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

interface Stage {
  /** The worker in which everything of the partner is, and the other one. */
  readonly owner: Side;
  readonly other: Side;
  readonly partner: TestPartner;
}

/** Whoever passes the partner's message on is the owner. */
async function start(t: TestContext, discovered?: { messagesPerSecond: number }): Promise<Stage> {
  const names = new TestNames();
  names.hosts.set(PARTNER.proxy, [PARTNER.address]);
  names.publish(PARTNER.domain, PARTNER.proxy);
  const sides = await startTeam(t, {
    names,
    change: ({ host, policy }) => {
      host.partnerCa = host.internalCa;
      policy.features.federation = true;
      policy.federation.allowedNetworks = ['127.0.9.40/29'];
      policy.federation.allowed =
        discovered === undefined
          ? [{ domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' }]
          : [];
      if (discovered !== undefined)
        Object.assign(policy.federation.discovery, { enabled: true, ...discovered });
      policy.revocation.shortLivedDays = 10_000;
    },
  });
  const [one, two] = sides;
  const partner = await TestPartner.create(t, one.lab);
  const peer = await partner.dials(one.lab);
  const before = sides.map(({ fe }) => fe.bytes.length);
  peer.sends(request('MESSAGE', ALICE, fromBob()));
  await until(() => sides.some(({ fe }, index) => fe.bytes.length > (before[index] ?? 0)));
  const [owner, other] = one.fe.bytes.length > (before[0] ?? 0) ? [one, two] : [two, one];
  owner.fe.answers(await owner.fe.receivesRequest('MESSAGE'), 200);
  await peer.receives(200);
  peer.ends();
  return { owner, other, partner };
}

test('all that a partner says and is told goes through one worker, whichever it reached', async (t) => {
  const { owner, other, partner } = await start(t);
  for (const side of [owner, other]) {
    const peer = await partner.dials(side.lab);
    peer.sends(request('MESSAGE', ALICE, fromBob()));
    const arrived = await owner.fe.receivesRequest('MESSAGE');
    assert.match(arrived.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=DirectPartner;/);
    owner.fe.answers(arrived, 200);
    await peer.receives(200);
    // Not of its domain: refused with the same words, by whoever would have to do with it.
    peer.sends(request('MESSAGE', ALICE, fromBob({ From: '<sip:ceo@example.com>;tag=1' })));
    await peer.receives(403);
    peer.ends();
  }
  await partner.listen();
  other.fe.sends(request('INVITE', BOB, fromAlice({ 'Call-ID': 'out', Contact: '<sip:alice@10.45.1.7>' })));
  const theirs = await partner.connection();
  const invite = await theirs.receivesRequest('INVITE');
  theirs.sends(
    dialogResponse(invite, 200, {
      tag: 'b',
      Contact: `<sip:bob@${PARTNER.proxy}>`,
      'Record-Route': invite.values('Record-Route').join(', '),
    }),
  );
  await other.fe.receives(100);
  const answered = await other.fe.receives(200);
  const route = answered.values('Record-Route').reverse().join(', ');
  const target = /<([^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? assert.fail('no Contact');
  const dialog = { ...fromAlice({ 'Call-ID': 'out' }), To: `<${BOB}>;tag=b`, Route: route };
  other.fe.sends(request('ACK', target, { ...dialog, CSeq: '1 ACK' }));
  await theirs.receivesRequest('ACK');
  owner.fe.sends(request('BYE', target, { ...dialog, Via: fromAlice().Via, CSeq: '2 BYE' }));
  theirs.answers(await theirs.receivesRequest('BYE'), 200);
  await owner.fe.receives(200);
  const listed = (await other.lab.service.verbs['federation-partners']?.({})) as
    | { partners: { connections: number }[]; inbound: unknown[] }
    | undefined;
  assert.deepEqual(
    listed?.partners.map(({ connections }) => connections),
    [1],
  );
});

test('a discovered partner is held to its rate over all workers [setting policy.federation.discovery.messagesPerSecond]', async (t) => {
  const { owner, other, partner } = await start(t, { messagesPerSecond: 1 });
  const peers = [await partner.dials(owner.lab), await partner.dials(other.lab)] as const;
  // However time passes, of twenty at once there are more than one in a second.
  for (const peer of peers) for (let n = 0; n < 10; n++) peer.sends(request('MESSAGE', ALICE, fromBob()));
  const counted = async () => {
    const { refusals } = ((await owner.lab.service.verbs.counters?.({})) ?? {}) as {
      refusals?: Record<string, number>;
    };
    return refusals?.['partner-rate'] ?? 0;
  };
  const deadline = performance.now() + 15_000;
  while ((await counted()) < 15 && performance.now() < deadline)
    await new Promise((done) => setTimeout(done, 20));
  assert.ok((await counted()) >= 15, `${await counted()} refused`);
});

test('while the worker of a partner is away, who wants to or from it is told to come again', async (t) => {
  const { owner, other, partner } = await start(t);
  const peer = await partner.dials(other.lab);
  await owner.lab.service.stop();
  await until(() => /worker \d away/.test(other.lab.service.health().detail));
  peer.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await peer.receives(503)).header('Retry-After'), '5');
  other.fe.sends(request('MESSAGE', BOB, fromAlice()));
  assert.equal((await other.fe.receives(503)).header('Retry-After'), '5');
  await owner.lab.restart();
  const fe = await owner.lab.frontEnds[0].connection();
  peer.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await peer.receives(200);
});

test('the worker of a partner ends with messages to and from it under way: who sent them by way of the other one is told to come again', async (t) => {
  const { owner, other, partner } = await start(t);
  const peer = await partner.dials(other.lab);
  peer.sends(request('MESSAGE', ALICE, fromBob({ 'Call-ID': 'inward' })));
  await owner.fe.receivesRequest('MESSAGE');
  await partner.listen();
  other.fe.sends(
    request('INVITE', BOB, fromAlice({ 'Call-ID': 'outward', Contact: '<sip:alice@10.45.1.7>' })),
  );
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('INVITE'), 180, { toTag: 'ringing' });
  await other.fe.receives(180);
  await owner.lab.service.stop();
  const inward = await peer.receives(503);
  assert.deepEqual([inward.callId, inward.header('Retry-After')], ['inward', '5']);
  const outward = await other.fe.receives(503);
  assert.deepEqual(
    [outward.callId, outward.to.tag, outward.header('Retry-After')],
    ['outward', 'ringing', '5'],
  );
});

test('a partner that floods a worker which reads slowly is refused while the next hop is still served', async (t) => {
  const names = new TestNames();
  const belongsElsewhere = (domain: string) =>
    workerFor(`domain ${domain} ${PARTNER.proxy}`, { index: 0, count: 2 }) === 1;
  const far =
    Array.from({ length: 64 }, (_, n) => `far${n}.example`).find(belongsElsewhere) ?? assert.fail('none');
  const [one, two] = await startTeam(t, {
    names,
    change: ({ host, policy }) => {
      host.partnerCa = host.internalCa;
      policy.features.federation = true;
      policy.federation.allowedNetworks = ['127.0.9.40/29'];
      policy.federation.allowed = [{ domain: far, proxy: PARTNER.proxy, verification: 'use-source' }];
      policy.revocation.shortLivedDays = 10_000;
      Object.assign(policy.limits.access, { messageBytes: 1 << 20 });
    },
  });
  await two.lab.service.stop();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
  const slow = connect(workerSocket(one.lab.document.host.stateDirectory, 0));
  slow.pause();
  slow.write(Buffer.concat(encodeFrame({ type: 'hello', body: { worker: 1 } })));
  await until(() => !/away/.test(one.lab.service.health().detail));
  const handedOver = async () =>
    Number(/handed_over_total\{by="partner"\} (\d+)/.exec(await one.lab.metrics.text())?.[1] ?? 0);

  const partner = await TestPartner.create(t, one.lab);
  const peer = await partner.dials(one.lab);
  for (let n = 0; n < 10; n++) {
    const fields = { From: `<sip:bob@${far}>;tag=1`, 'Call-ID': `flood${n}` };
    peer.sends(request('MESSAGE', ALICE, fromBob(fields), 'x'.repeat(1_000_000)));
  }
  await peer.receives(503);
  const before = await handedOver();
  one.fe.sends(request('MESSAGE', `sip:bob@${far}`, fromAlice({ To: `<sip:bob@${far}>` })));
  const deadline = performance.now() + 15_000;
  while ((await handedOver()) === before && performance.now() < deadline)
    await new Promise((done) => setTimeout(done, 20));
  assert.equal(await handedOver(), before + 1);
  slow.destroy();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
});

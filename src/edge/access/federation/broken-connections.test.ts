import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import type { SipRequest } from '#protocols/sip';
import { levelsOf } from '../testing/leftovers.ts';
import { request } from '../testing/messages.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { fromAlice, PARTNER, refusedWith, startFederation, TestPartner } from './testing/partners.ts';

const BOB = 'sip:bob@partner.example';
const OTHER = { host: 'second.partner.example', address: '127.0.9.42' };
/** Longer than a transaction may last (RFC 3261 timers B and F). */
const TRANSACTION_MS = 33_000;

/** The partner is on the list by its domain alone. */
function byDns({ policy }: EdgeDocument): void {
  policy.federation.allowed = [{ domain: PARTNER.domain, proxy: undefined, verification: 'use-source' }];
}
const identity = ({ callId, cseq }: SipRequest) => ({ callId, number: cseq.number, method: cseq.method });

for (const most of [1, 4]) {
  test(`the only connection of ${most} breaks under a request that nobody has answered: it goes on over a new one, once (RFC 3263 §4.3)`, async (t) => {
    const { lab, fe } = await startFederation(t, ({ policy }) => {
      policy.federation.connectionsPerPartner = most;
    });
    const partner = await TestPartner.create(t, lab);
    await partner.listen();
    const answered = async (): Promise<SipPeer> => {
      fe.sends(request('MESSAGE', BOB, fromAlice()));
      const connection = await partner.connection();
      connection.answers(await connection.receivesRequest('MESSAGE'), 200);
      await fe.receives(200);
      return connection;
    };
    for (const method of ['MESSAGE', 'INVITE']) {
      const first = await answered();
      fe.sends(request(method, BOB, fromAlice()));
      const lost = await first.receivesRequest(method);
      first.ends();
      const second = await partner.connection();
      const again = await second.receivesRequest(method);
      assert.deepEqual(identity(again), identity(lost));
      assert.notEqual(again.topVia.branch, lost.topVia.branch);
      second.answers(again, 486);
      await fe.receives(486);
      second.ends();
      await until(async () => (await levelsOf(lab)).outbound_connections === 0);
    }
    const last = await answered();
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    await last.receivesRequest('MESSAGE');
    last.ends();
    const second = await partner.connection();
    await second.receivesRequest('MESSAGE');
    second.ends();
    refusedWith(await fe.receives(504), 1007);
  });
}

test('what a server has begun to answer was delivered: when its connection breaks, nobody else is called for it', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  fe.sends(request('INVITE', BOB, fromAlice()));
  const only = await partner.connection();
  only.answers(await only.receivesRequest('INVITE'), 180);
  await fe.receives(180);
  only.ends();
  await fe.receives(504);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
});

test('[S7] a server that takes requests and answers none is not asked for ever: the next request goes to another one, a call already does', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const { lab, names, fe } = await startFederation(t, byDns, { clock });
  fe.answersProbes = true;
  names.hosts.set(OTHER.host, [OTHER.address]);
  names.publish(PARTNER.domain, PARTNER.proxy, OTHER.host);
  const mute = await TestPartner.create(t, lab);
  await mute.listen();
  const works = await TestPartner.create(t, lab, { hosts: [OTHER.host] });
  await works.listen(OTHER.address);
  fe.sends(request('INVITE', BOB, fromAlice()));
  const dead = await mute.connection();
  await dead.receivesRequest('INVITE');
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await dead.receivesRequest('MESSAGE');
  clock.advance(TRANSACTION_MS);
  const alive = await works.connection();
  alive.answers(await alive.receivesRequest('INVITE'), 486);
  await fe.receives(486);
  await dead.isClosed();
  alive.ends();
  await until(async () => (await levelsOf(lab)).outbound_connections === 0);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const next = await works.connection();
  next.answers(await next.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
});

test('[S7] a connection that died unnoticed is replaced after one request, also where there is no other server', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const { lab, fe } = await startFederation(t, () => {}, { clock });
  fe.answersProbes = true;
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const dead = await partner.connection();
  await dead.receivesRequest('MESSAGE');
  clock.advance(TRANSACTION_MS);
  await dead.isClosed();
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const next = await partner.connection();
  next.answers(await next.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
});

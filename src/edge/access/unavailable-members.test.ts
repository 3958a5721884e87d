import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { type BuildResponseOptions, buildResponse } from '#protocols/sip';
import { fromBob, PARTNER, startFederation, TestPartner } from './federation/testing/partners.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { CHALLENGE } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

/* Members of the next hop that say 503: drained, overloaded, or cut off from what they need (RFC 3261 §21.5.4, RFC 3263 §4.3). */

type Answer = readonly [status: number, options?: BuildResponseOptions];

/** A member that answers by rule: probes with one status, what is asked of it with another. */
class Member {
  readonly asked: string[] = [];
  probes = 0;
  serves = true;
  answer: Answer = [200];

  constructor(peer: SipPeer) {
    peer.automaton = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      if (message.method === 'OPTIONS') {
        this.probes += 1;
        peer.sends(buildResponse(message, this.serves ? 200 : 503, { toTag: 'fe' }));
        return;
      }
      this.asked.push(message.method);
      const [status, options] = this.answer;
      peer.sends(buildResponse(message, status, { toTag: 'fe', ...options }));
    };
  }
}

const BUSY: Answer = [503, { headers: [['Retry-After', '17']] }];
let branches = 0;
function send(peer: SipPeer, method: string, change: Record<string, string> = {}): void {
  branches += 1;
  const Via = `SIP/2.0/TLS 192.168.1.5;branch=z9hG4bKbusy${branches}`;
  // A REGISTER names a domain and nobody in it (RFC 3261 §10.2).
  const uri = method === 'REGISTER' ? 'sip:example.com' : 'sip:bob@example.com';
  peer.sends(request(method, uri, { Via, 'Call-ID': `busy${branches}`, ...change }));
}

/** The first is the one that the client stays with. */
async function scene(t: TestContext) {
  const lab = await AccessLab.start(t, { members: 2 });
  const members = [];
  for (const frontEnd of lab.frontEnds) members.push(new Member(await frontEnd.connection()));
  await until(() => lab.service.health().detail.includes('2 of 2'));
  const client = await lab.client();
  send(client, 'MESSAGE');
  await client.receives(200);
  members.sort((one, other) => other.asked.length - one.asked.length);
  const [first, second] = members;
  assert.ok(first !== undefined && second?.asked.length === 0);
  first.asked.length = 0;
  return { lab, client, first, second };
}

test('a member that is drained takes nothing, and nobody outside hears of it; asked whether it serves, it is left alone', async (t) => {
  const { lab, client, first, second } = await scene(t);
  first.serves = false;
  first.answer = BUSY;
  for (const method of ['INVITE', 'MESSAGE', 'SUBSCRIBE']) {
    send(client, method);
    await client.receives(200);
  }
  await until(() => lab.service.health().detail.includes('1 of 2'));
  const asked = first.asked.length;
  for (let i = 0; i < 5; i++) {
    send(client, 'MESSAGE');
    await client.receives(200);
  }
  assert.equal(first.asked.length, asked);
  assert.equal(second.asked.length, 8);
});

test('a 503 that is about one request: the other member is asked, and the client stays where it is', async (t) => {
  const { lab, client, first, second } = await scene(t);
  first.answer = BUSY;
  second.answer = [404];
  send(client, 'MESSAGE');
  await client.receives(404);
  await until(() => first.probes === 1);
  first.answer = [200];
  for (let i = 0; i < 3; i++) {
    send(client, 'MESSAGE');
    await client.receives(200);
  }
  assert.deepEqual([first.asked.length, second.asked.length], [4, 1]);
  assert.ok(lab.service.health().detail.includes('2 of 2'));
});

test('when every member says 503, so does the answer, with what the client has to wait; each is asked once', async (t) => {
  const { client, first, second } = await scene(t);
  for (const member of [first, second]) member.answer = BUSY;
  for (const method of ['INVITE', 'MESSAGE']) {
    send(client, method);
    assert.equal((await client.receives(503)).header('Retry-After'), '17');
    assert.deepEqual([first.asked.splice(0), second.asked.splice(0)], [[method], [method]]);
  }
});

test('a guess that one member has no time for counts when the other one judges it', async (t) => {
  const { lab, client, first, second } = await scene(t);
  first.answer = BUSY;
  second.answer = [401, { headers: [['WWW-Authenticate', CHALLENGE]] }];
  const { failuresPerAccount: most } = lab.document.policy.remoteAccess.guard;
  lab.document.policy.remoteAccess.guard.slowMilliseconds = 0;
  await lab.commit();
  const address = '<sip:alice@example.com>';
  const guess = () =>
    send(client, 'REGISTER', {
      From: `${address};tag=r`,
      To: address,
      Authorization:
        'Digest username="alice", realm="example.com", nonce="n", uri="sip:example.com", response="00"',
    });
  for (let i = 0; i < most; i++) {
    guess();
    await client.receives(401);
  }
  guess();
  await client.receives(403);
});

test('what a partner asks goes to the other member, too', async (t) => {
  const { lab, fe } = await startFederation(t, () => {}, { members: 2 });
  const members = [new Member(fe)];
  members.push(new Member((await lab.frontEnds[1]?.connection()) ?? assert.fail()));
  await until(() => lab.service.health().detail.includes('2 of 2'));
  const dialled = await (await TestPartner.create(t, lab)).dials(lab, PARTNER.address);
  const asks = () => dialled.sends(request('MESSAGE', 'sip:alice@example.com', fromBob()));
  asks();
  await dialled.receives(200);
  const first = members.find(({ asked }) => asked.length === 1) ?? assert.fail();
  first.answer = BUSY;
  asks();
  await dialled.receives(200);
  for (const member of members) member.answer = BUSY;
  asks();
  assert.equal((await dialled.receives(503)).header('Retry-After'), '17');
});

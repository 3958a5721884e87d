import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { fromAlice, fromBob, PARTNER, startFederation, TestPartner } from './federation/testing/partners.ts';
import { TestDialog } from './testing/dialog.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, registerWithCredentials, signIn } from './testing/plays.ts';

let branches = 0;
const message = (to = 'sip:bob@example.com') => {
  branches += 1;
  return request('MESSAGE', to, { Via: `SIP/2.0/TLS h;branch=z9hG4bKdrain${branches}` });
};

/** Two edges of one pool in front of one front end, which has a connection with each. */
async function pool(t: TestContext, change: (document: EdgeDocument) => void) {
  const flowKey = (lab: AccessLab) => (document: EdgeDocument) => {
    document.policy.pool.flowKeyFile = join(lab.folder, 'flow.secret');
    change(document);
  };
  const first = await AccessLab.start(t);
  await writeFile(join(first.folder, 'flow.secret'), `${'k'.repeat(40)}\n`);
  const fe = [await first.frontEnds[0].connection()];
  flowKey(first)(first.document);
  await first.restart();
  fe[0] = await first.frontEnds[0].connection();
  const second = await AccessLab.start(t, { beside: first, change: flowKey(first) });
  fe.push(await first.frontEnds[0].connection());
  const [one, other] = fe;
  assert.ok(one && other);
  return { first, second, one, other };
}

test('a drained edge moves its clients to another edge: at rest at once, one in a call when the call is over [setting policy.limits.access.drainSeconds]', async (t) => {
  const { first, second, one, other } = await pool(t, ({ policy }) => {
    policy.limits.access.drainSeconds = 1;
  });
  const users = ['alice', 'carol', 'dave'];
  const clients = await Promise.all(users.map(() => first.client()));
  const paths: string[] = [];
  for (const [index, client] of clients.entries())
    paths.push(await signIn(client, one, String(users[index])));
  const [alice, carol, dave] = clients;
  assert.ok(alice && carol && dave);
  TestDialog.begins(alice, 'alice', 'INVITE', 'a-call');
  const invite = await one.receivesRequest('INVITE');
  one.sends(TestDialog.answer(invite, 200));
  const call = new TestDialog([alice, one], 'alice', invite, await alice.receives(200), 'bob');
  await call.outsideSends('ACK', { CSeq: '1 ACK' });
  // Carol has asked something that is not answered yet.
  carol.sends(message());
  const asked = await one.receivesRequest('MESSAGE');

  await first.service.drain();
  await assert.rejects(first.client(), 'nobody new is taken');
  await dave.isClosed();
  one.answers(asked, 200);
  await carol.receives(200);
  await carol.isClosed();
  assert.equal(first.service.remaining(), 1);

  // Who was sent away signs in where the pool's name leads next, and is reached there; the old flow is known, and dead.
  const again = await second.client();
  const path = await signIn(again, other, 'dave', 2);
  other.sends(request('MESSAGE', contactOf('dave'), { Route: path }));
  again.answers(await again.receivesRequest('MESSAGE'), 200);
  await other.receives(200);
  one.sends(request('MESSAGE', contactOf('dave'), { Route: String(paths[2]) }));
  await one.receives(430);

  // The call went on all the while, in both directions.
  await call.insideAsks('INFO');
  await call.outsideAsks('INFO');
  await call.outsideAsks('BYE');
  await alice.isClosed();
  await until(() => first.service.remaining() === 0);
  const back = await second.client();
  await signIn(back, other, 'alice', 2);

  await first.service.undrain();
  const home = await first.client();
  home.sends(message());
  one.answers(await one.receivesRequest('MESSAGE'), 200);
  await home.receives(200);
});

test('who waits for the answer to a sign-in that is slowed down is let finish', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.drainSeconds = 1;
      policy.remoteAccess.guard.slowMilliseconds = 1500;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  client.sends(registerWithCredentials('alice'));
  fe.answers(await fe.receivesRequest('REGISTER'), 403);
  await client.receives(403);
  client.sends(registerWithCredentials('alice'));
  await lab.service.drain();
  const again = await fe.receivesRequest('REGISTER');
  fe.answers(again, 200, { headers: [['Contact', `${again.header('Contact')};expires=300`]] });
  await client.receives(200);
  await client.isClosed();
});

test('with partners, a drained edge begins nothing: 503 with Retry-After both ways, and to who asks if it serves', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  const open = await partner.dials(lab);
  const ALICE = 'sip:alice@example.com';
  open.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await open.receives(200);
  await lab.service.drain();
  open.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await open.receives(503)).header('Retry-After'), '60');
  fe.sends(request('MESSAGE', `sip:bob@${PARTNER.domain}`, fromAlice()));
  assert.equal((await fe.receives(503)).header('Retry-After'), '60');
  fe.sends(request('OPTIONS', 'sip:edge1.corp.example', { From: '<sip:fe1.corp.example>;tag=1' }));
  assert.equal((await fe.receives(503)).header('Retry-After'), '60');
  await lab.service.undrain();
  open.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await open.receives(200);
});

test('a call whose Call-ID is hidden from the client is over when either side ends it', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.drainSeconds = 1;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  fe.sends(
    request('INVITE', contactOf('alice'), {
      Via: 'SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKcall',
      From: '<sip:bob@example.com>;tag=bob',
      To: '<sip:alice@example.com>',
      'Call-ID': 'c1@10.45.32.99',
      Route: path,
      Contact: '<sip:bob@10.45.32.99>',
    }),
  );
  const invite = await client.receivesRequest('INVITE');
  assert.match(invite.callId, /^~/);
  client.answers(invite, 200, { toTag: 'al', headers: [['Contact', `<${contactOf('alice')}>`]] });
  await fe.receives(200);
  await lab.service.drain();
  client.sends(
    request('BYE', /<([^>]+)>/.exec(invite.header('Contact') ?? '')?.[1] ?? '', {
      From: `${invite.header('To')};tag=al`,
      To: String(invite.header('From')),
      'Call-ID': invite.callId,
      Route: invite.values('Record-Route').join(', '),
    }),
  );
  fe.answers(await fe.receivesRequest('BYE'), 200);
  await client.receives(200);
  await client.isClosed();
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { KamailioPartner } from '../../../apps/lab/testing/kamailio-partner.ts';
import { request } from '../testing/messages.ts';
import { dialogResponse, INSIDE } from '../testing/plays.ts';
import { EDGE, fromAlice, PARTNER, startFederation } from './testing/partners.ts';
import { sippCallee, sippCaller } from './testing/sipp-calls.ts';

const CALLS = 20;
const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';
const OWN_ROUTE = '<sip:fe1.corp.example;lr>';
const USER = { address: '127.0.9.43', port: 5070 };

/** Debian's Kamailio as the edge of a partner, and SIPp as its user behind it. */
async function stage(t: TestContext) {
  const federation = await startFederation(t);
  const { lab } = federation;
  const folder = mkdtempSync(join(tmpdir(), 'calls-'));
  const partner = await KamailioPartner.start({
    folder,
    addresses: [PARTNER.address],
    certificate: await lab.authority.issue({ name: 'partner', hosts: [PARTNER.proxy] }),
    authorityPem: lab.authority.certificatePem,
    user: { ...USER, edge: `${EDGE.address}:${lab.document.policy.ports.accessFederation}` },
  });
  t.after(async () => {
    await partner.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  federation.fe.answersProbes = true;
  return { ...federation, folder };
}

test('SIPp behind a Kamailio calls us, twenty calls: every dialog from INVITE to BYE', async (t) => {
  const { fe, folder } = await stage(t);
  const caller = sippCaller({
    ...{ folder, ...USER, calls: CALLS, from: BOB, to: ALICE },
    proxy: `${PARTNER.address}:5060`,
  });
  t.after(() => caller.stop());
  const ended = caller.ended();
  const seen = { INVITE: 0, ACK: 0, BYE: 0 };
  while (seen.BYE < CALLS) {
    const arrived: SipRequest = await fe.receivesAnyRequest();
    assert.ok(arrived.method === 'INVITE' || arrived.method === 'ACK' || arrived.method === 'BYE');
    seen[arrived.method] += 1;
    if (arrived.method === 'BYE') fe.answers(arrived, 200);
    if (arrived.method !== 'INVITE') continue;
    const inside = {
      tag: `callee${seen.INVITE}`,
      Contact: '<sip:alice@10.45.1.7:5061>',
      'Record-Route': [OWN_ROUTE, ...arrived.values('Record-Route')].join(', '),
    };
    fe.sends(dialogResponse(arrived, 180, inside));
    fe.sends(dialogResponse(arrived, 200, inside));
  }
  assert.deepEqual(seen, { INVITE: CALLS, ACK: CALLS, BYE: CALLS });
  assert.equal(await ended, 0, 'SIPp counts every call as successful');
});

test('we call SIPp behind a Kamailio, ten calls: every dialog from INVITE to BYE', async (t) => {
  const { fe, folder } = await stage(t);
  const calls = 10;
  const callee = sippCallee({ folder, ...USER, calls });
  t.after(() => callee.stop());
  const ended = callee.ended();
  for (let call = 0; call < calls; call++) {
    const fields = fromAlice({
      Contact: '<sip:alice@10.45.1.7:5061>',
      'Record-Route': OWN_ROUTE,
      CSeq: '1 INVITE',
    });
    fe.sends(request('INVITE', BOB, fields));
    const answered = await answerTo(fe);
    const to = answered.header('To') ?? '';
    const target = /<([^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
    const routes = answered.values('Record-Route').reverse();
    assert.equal(routes[0], OWN_ROUTE, 'the far end keeps the routes of both sides');
    const Route = routes.slice(1).join(', ');
    const dialog = { From: fields.From ?? '', 'Call-ID': fields['Call-ID'] ?? '', To: to, Route };
    const via = (n: string) => `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${n}${call}`;
    fe.sends(request('ACK', target, { ...dialog, Via: via('ack'), CSeq: '1 ACK' }));
    fe.sends(request('BYE', target, { ...dialog, Via: via('bye'), CSeq: '2 BYE' }));
    await fe.receives(200);
  }
  assert.equal(await ended, 0, 'SIPp counts every call as successful');
  assert.doesNotMatch(callee.output, INSIDE);
});

/** The 200, after whatever rings. */
async function answerTo(fe: Awaited<ReturnType<typeof stage>>['fe']) {
  await fe.receives(180);
  return fe.receives(200);
}

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import type { SipRequest } from '#protocols/sip';
import { KamailioPartner } from '../../apps/lab/testing/kamailio-partner.ts';
import { sippCallee, sippCaller } from './federation/testing/sipp-calls.ts';
import { AccessLab } from './testing/lab.ts';
import { asRequest, request } from './testing/messages.ts';
import { dialogResponse, INSIDE } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';
import { Traffic } from './testing/traffic.ts';

const CALLS = 10;
const BOB = 'sip:bob@example.com';
const ALICE = 'sip:alice@example.com';
const OWN_ROUTE = '<sip:fe1.corp.example;lr>';
const EXCHANGE = '127.0.9.41';
const DEVICE = { address: '127.0.9.43', port: 5070 };

/** Debian's Kamailio as a client of ours, over the one connection that it opened, with bob's device behind it, who has signed in by it. */
async function stage(t: TestContext, passesOnTo?: string) {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  fe.answersProbes = true;
  const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
  const exchange = await KamailioPartner.start({
    folder,
    addresses: [EXCHANGE],
    certificate: await lab.authority.issue({ name: 'exchange', hosts: ['pbx.example.net'] }),
    authorityPem: lab.authority.certificatePem,
    user: { ...DEVICE, edge: `${lab.externalAddress}:${lab.externalPort}` },
    ...(passesOnTo === undefined ? {} : { passesOnTo }),
  });
  t.after(async () => {
    await exchange.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { lab, fe, folder };
}

const CONTACT = `<sip:bob@${DEVICE.address}:${DEVICE.port}>`;
function register(): Buffer {
  const Via = `SIP/2.0/UDP ${DEVICE.address}:${DEVICE.port};branch=z9hG4bKreg`;
  const parties = { From: `<${BOB}>;tag=r`, To: `<${BOB}>` };
  return request('REGISTER', 'sip:example.com', { ...parties, Via, Contact: CONTACT });
}
/** bob's device; fulfilled when it is answered. */
async function signsIn(): Promise<void> {
  const socket = createSocket('udp4').bind(DEVICE.port, DEVICE.address);
  await once(socket, 'listening');
  const answered = once(socket, 'message');
  socket.send(register(), 5060, EXCHANGE);
  await answered;
  socket.close();
  await once(socket, 'close');
}
/** Gives the Path that the next hop keeps. */
async function registers(fe: SipPeer): Promise<string> {
  const done = signsIn();
  const received = await fe.receivesRequest('REGISTER');
  const Path = received.values('Path').join(', ');
  fe.answers(received, 200, { headers: Object.entries({ Path, Contact: `${CONTACT};expires=300` }) });
  await done;
  return Path;
}

test('SIPp behind a Kamailio that is our client calls, ten calls: what Kamailio records is in every dialog', async (t) => {
  const { fe, folder } = await stage(t);
  await registers(fe);
  const caller = sippCaller({
    folder,
    ...DEVICE,
    calls: CALLS,
    from: BOB,
    to: ALICE,
    proxy: `${EXCHANGE}:5060`,
  });
  t.after(() => caller.stop());
  const ended = caller.ended();
  const seen = { INVITE: 0, ACK: 0, BYE: 0 };
  while (seen.BYE < CALLS) {
    const arrived: SipRequest = await fe.receivesAnyRequest();
    assert.ok(arrived.method === 'INVITE' || arrived.method === 'ACK' || arrived.method === 'BYE');
    seen[arrived.method] += 1;
    if (arrived.method === 'BYE') fe.answers(arrived, 200);
    if (arrived.method !== 'INVITE') {
      assert.deepEqual(arrived.values('Route'), [OWN_ROUTE]);
      continue;
    }
    const routes = arrived.values('Record-Route');
    // It has one for each of its transports.
    assert.equal(routes.filter((route) => route.includes(EXCHANGE)).length, 2);
    const inside = {
      tag: `callee${seen.INVITE}`,
      Contact: '<sip:alice@10.45.1.7:5061>',
      'Record-Route': [OWN_ROUTE, ...routes].join(', '),
    };
    fe.sends(dialogResponse(arrived, 180, inside));
    fe.sends(dialogResponse(arrived, 200, inside));
  }
  assert.deepEqual(seen, { INVITE: CALLS, ACK: CALLS, BYE: CALLS });
  assert.equal(await ended, 0, 'SIPp counts every call as successful');
});

test('SIPp behind a Kamailio that is our client is called, ten calls: what Kamailio records is in every dialog', async (t) => {
  const { fe, folder } = await stage(t);
  const path = await registers(fe);
  const callee = sippCallee({ folder, ...DEVICE, calls: CALLS });
  t.after(() => callee.stop());
  const ended = callee.ended();
  for (let call = 0; call < CALLS; call++) {
    const via = (n: string) => `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${n}${call}`;
    const parties = { From: `<${ALICE}>;tag=a${call}`, To: `<${BOB}>`, 'Call-ID': `call-${call}` };
    const first = {
      ...parties,
      Route: path,
      'Record-Route': OWN_ROUTE,
      Contact: '<sip:alice@10.45.1.7:5061>',
    };
    const { address, port } = DEVICE;
    fe.sends(request('INVITE', `sip:bob@${address}:${port}`, { ...first, Via: via('invite') }));
    await fe.receives(180);
    const answered = await fe.receives(200);
    const routes = answered.values('Record-Route').reverse();
    assert.equal(routes.filter((route) => route.includes(EXCHANGE)).length, 2);
    const within = { ...parties, To: answered.header('To') ?? '', Route: routes.slice(1).join(', ') };
    const target = /<([^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
    fe.sends(request('ACK', target, { ...within, Via: via('ack'), CSeq: '1 ACK' }));
    fe.sends(request('BYE', target, { ...within, Via: via('bye'), CSeq: '2 BYE' }));
    await fe.receives(200);
  }
  assert.equal(await ended, 0, 'SIPp counts every call as successful');
  assert.doesNotMatch(callee.output, INSIDE);
});

test('a Kamailio that is our client passes calls on to somebody else: the dialogs go on by it, from either end', async (t) => {
  const { lab, fe } = await stage(t, 'sip:user1@example.com');
  const traffic = new Traffic([lab], [fe]);
  const { ledger, clients, inside } = traffic;
  await traffic.arrive(2);
  ledger.sent(asRequest(register()), 'sign-in');
  await signsIn();
  const [alice, carol] = clients;
  assert.ok(alice !== undefined && carol !== undefined);
  for (const caller of [alice.agent, inside]) {
    for (const ends of [caller, carol.agent]) {
      const callId = await caller.call('call', BOB);
      await until(() => ledger.has(callId, 'ACK'));
      for (const [end, method] of [
        [caller, 'INFO'],
        [carol.agent, 'INFO'],
        [ends, 'BYE'],
      ] as const) {
        assert.equal((await end.within('call', callId, method)).status, 200);
      }
    }
  }
  assert.equal(ledger.answers('call'), 16);
});

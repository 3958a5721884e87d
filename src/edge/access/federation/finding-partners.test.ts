import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import { levelsOf } from '../testing/leftovers.ts';
import { request } from '../testing/messages.ts';
import {
  fromAlice,
  fromBob,
  PARTNER,
  refusedWith,
  startFederation,
  TestPartner,
} from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

/** The partner is on the list by its domain alone. */
function byDns({ policy }: EdgeDocument): void {
  policy.federation.allowed = [{ domain: PARTNER.domain, proxy: undefined, verification: 'use-source' }];
}

test('found by its records: only hosts of its own domain, in both directions', async (t) => {
  const { lab, names, fe } = await startFederation(t, byDns);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const refused = async (diagnostic: number): Promise<void> => {
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    refusedWith(await fe.receives(504), diagnostic);
  };
  await refused(1008);
  const dialled = await partner.dials(lab);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  refusedWith(await dialled.receives(504), 1008);
  names.publish(PARTNER.domain, 'sip.attacker.example');
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  refusedWith(await dialled.receives(504), 1009);
  names.publish(PARTNER.domain, 'sip.attacker.example', PARTNER.proxy);
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.match(arrived.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=AutoFederation;/);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
});

test('[S6] without records of federation a listed domain is found as RFC 3263 finds any, a discovered one is not', async (t) => {
  const { lab, names, fe } = await startFederation(t, byDns);
  const partner = await TestPartner.create(t, lab, { hosts: [PARTNER.domain] });
  await partner.listen();
  names.hosts.set(PARTNER.domain, [PARTNER.address]);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
  const second = await TestPartner.create(t, lab, { hosts: ['s.partner.example'] });
  await second.listen('127.0.9.42');
  names.hosts.set('s.partner.example', ['127.0.9.42']);
  names.records.set('_sips._tcp.second.example', []);
  lab.document.policy.federation.allowed = [];
  lab.document.policy.federation.discovery.enabled = true;
  await lab.commit();
  names.hosts.set('second.example', ['127.0.9.42']);
  fe.sends(request('MESSAGE', 'sip:carol@second.example', fromAlice({ To: '<sip:carol@second.example>' })));
  refusedWith(await fe.receives(504), 1008);
});

test('records that name another port lead nowhere', async (t) => {
  const { names, fe } = await startFederation(t, byDns);
  names.records.set(`_sipfederationtls._tcp.${PARTNER.domain}`, [
    { priority: 0, weight: 0, port: 5071, target: PARTNER.proxy },
  ]);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  refusedWith(await fe.receives(504), 1009);
});

test('a DNS that does not answer is no absence: nothing is guessed, and it is tried again', async (t) => {
  const { lab, names, fe } = await startFederation(t, byDns);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  names.publish(PARTNER.domain, PARTNER.proxy);
  names.silent = true;
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  refusedWith(await fe.receives(504), 1008);
  names.silent = false;
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
});

test('a server that answers 503 is passed over for the next one of the partner, once', async (t) => {
  const { lab, names, fe } = await startFederation(t, byDns);
  const other = { host: 'second.partner.example', address: '127.0.9.42' };
  names.hosts.set(other.host, [other.address]);
  names.publish(PARTNER.domain, PARTNER.proxy, other.host);
  const full = await TestPartner.create(t, lab);
  await full.listen();
  const free = await TestPartner.create(t, lab, { hosts: [other.host] });
  await free.listen(other.address);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const theirs = await full.connection();
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 503);
  const elsewhere = await free.connection();
  elsewhere.answers(await elsewhere.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  // Both are full: the caller is told, and nobody is asked a second time.
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 503);
  elsewhere.answers(await elsewhere.receivesRequest('MESSAGE'), 503);
  await fe.receives(500);
});

test('[S7] a server that takes the connection and says nothing is passed over for the next one', async (t) => {
  const { lab, names, fe } = await startFederation(t, (document) => {
    byDns(document);
    document.policy.limits.access.handshakeSeconds = 1;
  });
  const other = { host: 'second.partner.example', address: '127.0.9.42' };
  names.hosts.set(other.host, [other.address]);
  names.publish(PARTNER.domain, PARTNER.proxy, other.host);
  const held = new Set<Socket>();
  const silent = createServer((socket) => held.add(socket.on('error', () => {})));
  t.after(() => {
    silent.close();
    for (const socket of held) socket.destroy();
  });
  silent.listen(5061, PARTNER.address);
  await once(silent, 'listening');
  const partner = await TestPartner.create(t, lab, { hosts: [other.host] });
  await partner.listen(other.address);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const first = await partner.connection();
  first.answers(await first.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  assert.equal(held.size, 1);
  // Whoever writes next does not wait for it once more, since it is known not to be there.
  first.ends();
  await until(async () => (await levelsOf(lab)).outbound_connections === 0);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
  assert.equal(held.size, 1);
});

test('a partner that does not accept our certificate says so only by closing: it is told, and not dialled again at once', async (t) => {
  const { lab, fe } = await startFederation(t);
  let dialled = 0;
  const stranger = await LabAuthority.create({ name: 'Another authority' });
  const { certificatePem: cert, keyPem: key } = await lab.authority.issue({
    name: 'p',
    hosts: [PARTNER.proxy],
  });
  const server = createTlsServer(
    { cert, key, ca: stranger.certificatePem, requestCert: true, rejectUnauthorized: true },
    () => assert.fail('the certificate was accepted'),
  );
  server.on('tlsClientError', () => {
    dialled += 1;
  });
  t.after(() => server.close());
  server.listen(5061, PARTNER.address);
  await once(server, 'listening');
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await fe.receives(504);
  await until(() => lab.events.take(1000).some(({ name }) => name === 'partner-not-reached'));
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  refusedWith(await fe.receives(504), 1010);
  assert.equal(dialled, 1);
});

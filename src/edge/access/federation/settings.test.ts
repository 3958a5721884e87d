import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { fromAlice, fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

test('whose word counts for partners is the document to say [setting host.partnerCa]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const others = await LabAuthority.create({ name: 'Their authority' });
  const stranger = await TestPartner.create(t, { authority: others });
  await (await stranger.dials(lab, undefined, lab.authority)).isClosed();
  lab.document.host.partnerCa = join(lab.folder, 'theirs.pem');
  await others.writeCertificate(lab.document.host.partnerCa);
  await lab.commit();
  const known = await stranger.dials(lab, undefined, lab.authority);
  known.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
  const ours = await TestPartner.create(t, lab);
  await (await ours.dials(lab)).isClosed();
});

test('how far a partner is believed [setting policy.federation.allowed[].verification]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const level = 'ms-source-verified-user=verified';
  const marks = async (said: boolean): Promise<string> => {
    const identity = { 'P-Asserted-Identity': '<sip:bob@partner.example>, <tel:+15551234>' };
    const word = said ? { 'ms-asserted-verification-level': level } : {};
    partner.sends(request('MESSAGE', ALICE, fromBob({ ...identity, ...word })));
    const arrived = await fe.receivesRequest('MESSAGE');
    const mark = arrived.header('Sallyport-Asserted-Source') ?? '';
    const source = `${/verified=(\w+)/.exec(mark)?.[1]}${/;deliver=contacts$/.exec(mark)?.[0] ?? ''}`;
    const trust = /ms-source-verified-user=(\w+)/.exec(arrived.header('ms-edge-proxy-message-trust') ?? '');
    return `${source} ${trust?.[1]} ${arrived.values('P-Asserted-Identity').join()}`;
  };
  const verified = 'yes verified <sip:bob@partner.example>';
  const unverified = 'no unverified ';
  assert.deepEqual([await marks(true), await marks(false)], [verified, unverified]);
  const [entry] = lab.document.policy.federation.allowed;
  assert.ok(entry !== undefined);
  entry.verification = 'always-verifiable';
  await lab.commit();
  assert.deepEqual([await marks(true), await marks(false)], [verified, verified]);
  entry.verification = 'always-unverifiable';
  await lab.commit();
  const onlyContacts = 'no;deliver=contacts unverified ';
  assert.deepEqual([await marks(true), await marks(false)], [onlyContacts, onlyContacts]);
});

test('further connections are opened while all are busy, and no more than allowed [setting policy.federation.connectionsPerPartner]', async (t) => {
  const { lab, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.connectionsPerPartner = 2;
  });
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const send = () => fe.sends(request('MESSAGE', BOB, fromAlice()));
  for (let sent = 0; sent < 64; sent++) send();
  const first = await partner.connection();
  for (let sent = 0; sent < 64; sent++) send();
  const second = await partner.connection();
  let arrived = 0;
  const unanswered: { theirs: SipPeer; message: SipRequest }[] = [];
  const count = async (theirs: SipPeer): Promise<void> => {
    for (;;) {
      unanswered.push({ theirs, message: await theirs.receivesRequest('MESSAGE') });
      arrived += 1;
    }
  };
  void count(first).catch(() => {});
  void count(second).catch(() => {});
  send();
  await until(() => arrived === 129);
  assert.equal(partner.open.size, 2);
  for (const { theirs, message } of unanswered) theirs.answers(message, 200);
  for (let answered = 0; answered < 129; answered++) await fe.receives(200);
  lab.document.policy.federation.connectionsPerPartner = 1;
  await lab.commit();
  await until(() => [...partner.open].filter(({ socket }) => !socket.destroyed).length === 1);
});

test('connections of partners are bounded, together and from one place [setting policy.federation.limits.connections] [setting policy.federation.limits.connectionsPerSource]', async (t) => {
  const { lab, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.limits.connections = 1;
  });
  const partner = await TestPartner.create(t, lab);
  const first = await partner.dials(lab);
  await assert.rejects(partner.dials(lab));
  lab.document.policy.federation.limits.connections = 10;
  lab.document.policy.federation.limits.connectionsPerSource = 2;
  await lab.commit();
  await partner.dials(lab);
  await assert.rejects(partner.dials(lab));
  const elsewhere = await partner.dials(lab, '127.0.9.42');
  for (const peer of [first, elsewhere]) {
    peer.sends(request('MESSAGE', ALICE, fromBob()));
    await fe.receivesRequest('MESSAGE');
  }
});

test('a connection on which nothing arrives is closed [setting policy.federation.limits.idleSeconds]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  const patient = await partner.dials(lab);
  patient.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
  lab.document.policy.federation.limits.idleSeconds = 1;
  await lab.commit();
  await (await partner.dials(lab)).isClosed();
});

test('S10 which certificates a partner may come with, and answer with', async (t) => {
  const { lab, fe } = await startFederation(t);
  const day = 86_400_000;
  const refused: [what: string, request: Partial<Parameters<LabAuthority['issue']>[0]>][] = [
    ['clientAuth only', { usages: ['clientAuth'] }],
    ['expired', { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }],
    ['not yet valid', { notBefore: new Date(Date.now() + day) }],
    ['another name', { hosts: ['sip.elsewhere.example'] }],
    ['a name in the common name only', { name: PARTNER.proxy, hosts: [] }],
    ['a wildcard', { hosts: ['*.partner.example'] }],
    ['a URI of a user', { hosts: [], uris: ['sip:bob@partner.example'] }],
  ];
  for (const [what, change] of refused) {
    const partner = await TestPartner.create(t, lab, change);
    await (await partner.dials(lab)).isClosed();
    await partner.listen();
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    assert.match((await fe.receives(504)).header('ms-diagnostics-public') ?? '', /^1010;|^1007;/, what);
    await partner.stop();
    lab.document.policy.federation.allowed = [];
    await lab.commit();
    lab.document.policy.federation.allowed = [
      { domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' },
    ];
    await lab.commit();
  }
  for (const change of [
    { usages: ['serverAuth' as const] },
    { hosts: ['mail.partner.example'], uris: ['sip:partner.example'] },
  ]) {
    const partner = await TestPartner.create(t, lab, change);
    const peer = await partner.dials(lab);
    peer.sends(request('MESSAGE', ALICE, fromBob({ Via: `SIP/2.0/TLS 127.0.9.41;branch=${branch()}` })));
    await fe.receivesRequest('MESSAGE');
    await partner.listen();
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    const theirs = await partner.connection();
    theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
    await fe.receives(200);
    await partner.stop();
    lab.document.policy.federation.allowed = [];
    await lab.commit();
    lab.document.policy.federation.allowed = [
      { domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' },
    ];
    await lab.commit();
  }
  const nobody = await LabAuthority.create({ name: PARTNER.proxy });
  const selfMade = await TestPartner.create(t, { authority: nobody }, { usages: ['serverAuth'] });
  await (await selfMade.dials(lab, undefined, lab.authority)).isClosed();
});

let count = 0;
function branch(): string {
  count += 1;
  return `z9hG4bKs${count}`;
}

test('who may exchange anything with partners [setting policy.externalAccess.federation] [setting policy.externalAccess.users[].federation]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const inward = await partner.dials(lab);
  const { externalAccess } = lab.document.policy;
  externalAccess.users = [{ user: 'alice@example.com', remote: true, federation: false }];
  await lab.commit();
  const carol = { To: '<sip:carol@example.com>' };
  inward.sends(request('MESSAGE', ALICE, fromBob()));
  assert.match((await inward.receives(403)).header('ms-diagnostics-public') ?? '', /^1002;/);
  // Neither a To nor a Request-URI of somebody else leads to her.
  inward.sends(request('MESSAGE', ALICE, fromBob(carol)));
  await inward.receives(403);
  inward.sends(request('MESSAGE', 'sip:Alice@example.com', fromBob(carol)));
  await inward.receives(403);
  inward.sends(request('MESSAGE', 'sip:carol@example.com', fromBob(carol)));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await inward.receives(200);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  assert.match((await fe.receives(403)).header('ms-diagnostics-public') ?? '', /^1002;/);
  externalAccess.federation = false;
  externalAccess.users = [{ user: 'alice@example.com', remote: false, federation: true }];
  await lab.commit();
  inward.sends(request('MESSAGE', 'sip:carol@example.com', fromBob(carol)));
  await inward.receives(403);
  inward.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await inward.receives(200);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
});

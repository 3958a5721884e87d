import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { LabAuthority } from '#platform/pki';
import { request } from '../testing/messages.ts';
import { SipPeer } from '../testing/sip-peer.ts';
import { EDGE, fromAlice, fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';
import { asksForLists, LIST, publishLists } from './testing/revocation-lists.ts';

const ALICE = 'sip:alice@example.com';
test('[S10] a partner with a revoked certificate gets no connection, and its neighbour gets one', async (t) => {
  const { lab, fe } = await startFederation(t, asksForLists);
  const { from, revoke } = await publishLists(t, lab);
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  revoke(bad.issued);
  const refused = await bad.dials(lab);
  refused.sends(request('MESSAGE', ALICE, fromBob()));
  await refused.isClosed();
  const event = lab.events.take(100).find(({ name }) => name === 'partner-connection-refused');
  assert.equal(event?.fields.rule, 'partner-certificate');
  assert.match(String(event?.fields.detail), /revoked/);
  assert.deepEqual(from, [EDGE.address], 'asked once, from the Access address');
  const good = await TestPartner.create(t, lab, { lists: [LIST] });
  const open = await good.dials(lab);
  open.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await open.receives(200);
});

test('[S12] no list is asked for on the word of a certificate whose authority is unknown, in neither direction', async (t) => {
  const { lab, fe } = await startFederation(t, asksForLists);
  const { from } = await publishLists(t, lab);
  const authority = await LabAuthority.create({ name: 'Authority of nobody' });
  const stranger = await TestPartner.create(t, { authority }, { lists: [LIST] });
  await (await stranger.dials(lab, PARTNER.address, lab.authority)).isClosed();
  await stranger.listen();
  fe.sends(request('MESSAGE', 'sip:bob@partner.example', fromAlice()));
  const answer = await fe.receives(504);
  assert.match(answer.header('ms-diagnostics-public') ?? '', /^1010;/);
  assert.deepEqual(from, []);
  // One of an authority that is known makes the edge ask.
  const partner = await TestPartner.create(t, lab, { lists: [LIST] });
  const open = await partner.dials(lab);
  open.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
  assert.deepEqual(from, [EDGE.address]);
});

test('[S10] a partner with a revoked certificate is told nothing when the edge dials it', async (t) => {
  const { lab, fe } = await startFederation(t, asksForLists);
  const { revoke } = await publishLists(t, lab);
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  revoke(bad.issued);
  await bad.listen();
  fe.sends(request('MESSAGE', 'sip:bob@partner.example', fromAlice()));
  const answer = await fe.receives(504);
  assert.match(answer.header('ms-diagnostics-public') ?? '', /^1010;/);
  const theirs = await bad.connection();
  await theirs.isClosed();
  assert.equal(theirs.shown, '');
});

test('[S10] a TLS session of before does not carry a partner past the state of its certificate', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { lab, fe } = await startFederation(t, ({ policy }) => {
      policy.revocation.shortLivedDays = 10_000;
    });
    const partner = await TestPartner.create(t, lab);
    const { certificatePem: cert, keyPem: key } = partner.issued;
    const dial = (session?: Buffer): SipPeer => {
      const socket = connect({
        host: EDGE.address,
        port: lab.document.policy.ports.accessFederation,
        servername: EDGE.name,
        ca: lab.authority.certificatePem,
        cert,
        key,
        maxVersion,
        ...(session === undefined ? {} : { session }),
      });
      const peer = new SipPeer(socket);
      partner.open.add(peer);
      return peer;
    };
    const before = dial();
    before.sends(request('MESSAGE', ALICE, fromBob()));
    fe.answers(await fe.receivesRequest('MESSAGE'), 200);
    await before.receives(200);
    lab.document.policy.revocation.shortLivedDays = 10;
    await lab.commit();
    const after = dial(before.socket.getSession());
    let reused = false;
    after.socket.on('secureConnect', () => {
      reused = after.socket.isSessionReused();
    });
    await after.isClosed(); // in TLS 1.2 before the client has seen the end of the handshake
    assert.equal(reused, false);
    await lab.stop();
  }
});

test('[S10] a certificate that is revoked while its connection is open ends that connection, in both directions', async (t) => {
  // Lists are looked for in this test as often as in an hour of work.
  const { lab, fe } = await startFederation(t, asksForLists, {
    revocation: { refreshMs: 20, retryMs: 20 },
  });
  const { revoke } = await publishLists(t, lab);
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  await bad.listen();
  const opened = await bad.dials(lab);
  opened.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await opened.receives(200);
  fe.sends(request('MESSAGE', 'sip:bob@partner.example', fromAlice()));
  const dialled = await bad.connection();
  dialled.answers(await dialled.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  const neighbour = await TestPartner.create(t, lab, { lists: [LIST] });
  const stays = await neighbour.dials(lab);
  stays.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await stays.receives(200);

  revoke(bad.issued);
  await Promise.all([opened.isClosed(), dialled.isClosed()]);
  const ended = lab.events.take(1000).filter(({ name }) => name === 'partner-connection-closed');
  assert.deepEqual(ended.map(({ fields }) => fields.direction).sort(), ['inbound', 'outbound']);
  for (const { fields } of ended) assert.match(String(fields.detail), /revoked by the list/);
  stays.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await stays.receives(200);
});

test('a partner whose authority the document no longer names keeps no connection', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  const open = await partner.dials(lab);
  open.sends(request('MESSAGE', ALICE, fromBob()));
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await open.receives(200);
  const other = await LabAuthority.create({ name: 'Another authority' });
  lab.document.host.partnerCa = join(lab.folder, 'other-ca.pem');
  await other.writeCertificate(lab.document.host.partnerCa);
  await lab.commit();
  await open.isClosed();
  const event = lab.events.take(1000).find(({ name }) => name === 'partner-connection-closed');
  assert.match(String(event?.fields.detail), /unknown-issuer|self-signed|bad-signature/);
});

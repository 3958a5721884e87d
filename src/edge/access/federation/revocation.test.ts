import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import type { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { SipPeer } from '../testing/sip-peer.ts';
import { EDGE, fromAlice, fromBob, startFederation, TestPartner } from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const WEB = '127.0.9.80';
const LIST = `http://${WEB}/ca.crl`;

/** The authority's list on the port of port row ext-02. */
async function publishLists(t: TestContext, { authority }: Pick<AccessLab, 'authority'>) {
  const revoked: string[] = [];
  const from: string[] = [];
  const server = createServer((request, response) => {
    from.push(request.socket.remoteAddress ?? '');
    void authority.revocationList(revoked).then((list) => response.end(list));
  });
  server.listen(80, WEB);
  await once(server, 'listening');
  t.after(() => server.close());
  const revoke = (partner: TestPartner) => {
    revoked.push(new X509Certificate(partner.issued.certificatePem).serialNumber);
  };
  return { from, revoke };
}

async function start(t: TestContext) {
  return startFederation(t, (document) => {
    document.policy.revocation.shortLivedDays = 10;
    document.policy.revocation.allowedNetworks = [`${WEB}/32`];
  });
}

test('[S10] a partner with a revoked certificate gets no connection, and its neighbour gets one', async (t) => {
  const { lab, fe } = await start(t);
  const { from, revoke } = await publishLists(t, lab);
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  revoke(bad);
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

test('[S10] a partner with a revoked certificate is told nothing when the edge dials it', async (t) => {
  const { lab, fe } = await start(t);
  const { revoke } = await publishLists(t, lab);
  const bad = await TestPartner.create(t, lab, { lists: [LIST] });
  revoke(bad);
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

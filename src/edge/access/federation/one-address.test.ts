import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { LabAuthority } from '#platform/pki';
import { request } from '../testing/messages.ts';
import { signIn } from '../testing/plays.ts';
import { SipPeer } from '../testing/sip-peer.ts';
import { EDGE, fromBob, PARTNER, startFederation, TestPartner } from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';

test('one port for clients and partners: who shows a good certificate is a partner, who shows none a client', async (t) => {
  const { lab, fe } = await startFederation(t, undefined, { oneAddress: true });
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.match(arrived.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=DirectPartner;/);
  // A partner is none the less a partner for the port, and a client no partner.
  partner.sends(request('REGISTER', 'sip:example.com', fromBob()));
  await partner.receives(403);
  client.sends(request('MESSAGE', ALICE, { From: '<sip:alice@example.com>;tag=1', 'Call-ID': 'c' }));
  const inner = await fe.receivesRequest('MESSAGE');
  assert.match(inner.header('Sallyport-Asserted-Source') ?? '', /source=remote-user/);
});

test('[S9] one port: a certificate that does not verify is nobody, and neither is one good for clients only', async (t) => {
  const { lab } = await startFederation(t, undefined, { oneAddress: true });
  const stranger = await LabAuthority.create({ name: 'Somebody' });
  const yesterday = new Date(Date.now() - 86_400_000);
  const bad = [
    await stranger.issue({ name: 'p', hosts: [PARTNER.proxy] }),
    await LabAuthority.selfSigned({ name: 'p', hosts: [PARTNER.proxy] }),
    await lab.authority.issue({ name: 'p', hosts: [PARTNER.proxy], usages: ['clientAuth'] }),
    await lab.authority.issue({
      name: 'p',
      hosts: [PARTNER.proxy],
      notBefore: new Date(0),
      notAfter: yesterday,
    }),
  ];
  for (const { certificatePem: cert, keyPem: key } of bad) {
    const port = lab.document.policy.ports.accessFederation;
    const ca = lab.authority.certificatePem;
    const socket = connect({ host: EDGE.address, port, servername: EDGE.name, ca, cert, key });
    const peer = new SipPeer(socket);
    peer.sends(request('MESSAGE', ALICE, fromBob()));
    await peer.isClosed();
    assert.equal(peer.shown, '');
  }
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { SipPeer } from './testing/sip-peer.ts';

/** Connects, asking for a name or for none, and trusts what the lab's authority signed, whatever it names. */
async function asking(lab: AccessLab, servername: string | undefined): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.9.10',
    port: lab.externalPort,
    ca: lab.authority.certificatePem,
    checkServerIdentity: () => undefined,
    ...(servername === undefined ? {} : { servername }),
  });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

const SECOND = 'sip.second.example';

test('each domain has a certificate of its own, and who asks for no name gets the one that all share [setting host.certificates.accessDomains[].name] [setting host.certificates.accessDomains[].certificate] [setting host.certificates.accessDomains[].key]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const shown = async (servername: string | undefined) => {
    const socket = await asking(lab, servername);
    const { subjectaltname } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname ?? '';
  };
  assert.match(await shown(SECOND), /sip\.example\.com/);
  const files = { certificate: join(lab.folder, 'second.pem'), key: join(lab.folder, 'second.key') };
  await lab.authority.issueTo(files, { name: 'second', hosts: [SECOND] });
  lab.document.host.certificates.accessDomains = [{ name: SECOND, ...files }];
  lab.document.policy.sipDomains.push('second.example');
  await lab.commit();
  assert.equal(await shown(SECOND), `DNS:${SECOND}`);
  assert.equal(await shown(SECOND.toUpperCase()), `DNS:${SECOND}`);
  for (const other of ['sip.example.com', 'elsewhere.example', undefined]) {
    assert.match(await shown(other), /sip\.example\.com/);
  }
  const client = new SipPeer(await asking(lab, SECOND));
  lab.clients.push(client);
  client.sends(request('MESSAGE', 'sip:bob@second.example', { Route: `<sip:${SECOND};lr>` }));
  assert.ok(!(await fe.receivesRequest('MESSAGE')).has('Route'), 'a route to that name is ours');
});

test('a certificate that does not hold its name is no document to run', async (t) => {
  const lab = await AccessLab.start(t);
  const files = { certificate: join(lab.folder, 'second.pem'), key: join(lab.folder, 'second.key') };
  await lab.authority.issueTo(files, { name: 'second', hosts: ['sip.third.example'] });
  lab.document.host.certificates.accessDomains = [{ name: SECOND, ...files }];
  const provision = await lab.service.provision(structuredClone(lab.document));
  assert.equal(provision.ok ? 'runs' : provision.error.code, 'SLP-SIP-0501');
});

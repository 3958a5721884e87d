import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, signIn } from './testing/plays.ts';
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

let branches = 0;
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

test('a domain can have servers of its own, which alone hear of its users, and are missed alone [setting policy.nextHop.members[].domains]', async (t) => {
  const lab = await AccessLab.start(t, { members: 2 });
  const [general, second] = await Promise.all(lab.frontEnds.map((one) => one.connection()));
  assert.ok(general && second);
  lab.document.policy.sipDomains.push('second.example');
  const member = lab.document.policy.nextHop.members[1];
  assert.ok(member);
  member.domains = ['second.example'];
  await lab.commit();
  await until(() => lab.service.health().detail.includes('2 of 2'));

  const client = await lab.client();
  const asks = async (from: string, to: string, server: SipPeer) => {
    branches += 1;
    const Via = `SIP/2.0/TLS h;branch=z9hG4bKd${branches}`;
    client.sends(request('MESSAGE', `sip:${to}`, { Via, From: `<sip:${from}>;tag=1`, To: `<sip:${to}>` }));
    server.answers(await server.receivesRequest('MESSAGE'), 200);
    await client.receives(200);
  };
  // Whoever is asked first, each is asked on behalf of its own users, wherever they write to.
  for (const to of ['bob@example.com', 'bob@second.example']) {
    await asks('alice@example.com', to, general);
    await asks('alice@second.example', to, second);
  }
  const path = await signIn(client, second, 'alice', 1, 'second.example');
  second.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
  client.answers(await client.receivesRequest('MESSAGE'), 200);
  await second.receives(200);

  await lab.frontEnds[1].stop();
  await until(() => lab.service.health().detail.includes('1 of 2 reachable, none for second.example'));
  const From = '<sip:alice@second.example>;tag=1';
  client.sends(request('MESSAGE', 'sip:bob@second.example', { From }));
  await client.receives(503);
  await asks('alice@example.com', 'bob@second.example', general);
});

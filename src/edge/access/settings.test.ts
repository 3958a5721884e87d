import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { EdgeDocument } from '#platform/topology';
import { accessSettings, localAddressFor } from './settings.ts';
import { busy } from './testing/busy.ts';
import { testDocument } from './testing/document.ts';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

type AccessLimits = EdgeDocument['policy']['limits']['access'];

async function withLimits(t: TestContext, limits: Partial<AccessLimits>): Promise<AccessLab> {
  const change = (document: EdgeDocument) => Object.assign(document.policy.limits.access, limits);
  return AccessLab.start(t, { change });
}

let branches = 0;
function message(change: Record<string, string | string[]> = {}, body = ''): Buffer {
  branches += 1;
  return request(
    'MESSAGE',
    'sip:bob@example.com',
    { Via: `SIP/2.0/TLS h;branch=z9hG4bKs${branches}`, ...change },
    body,
  );
}
async function passes(client: SipPeer, fe: SipPeer, bytes: Buffer): Promise<void> {
  client.sends(bytes);
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await client.receives(200);
}

test('the local address towards a member is of its family', () => {
  const document = testDocument();
  document.host.addresses.internal = ['127.0.9.20', 'fd00:45::20'];
  const settings = accessSettings(document);
  assert.equal(localAddressFor(settings, '10.45.32.11'), '127.0.9.20');
  assert.equal(localAddressFor(settings, 'fd00:45::31'), 'fd00:45::20');
});

test('the edge presents itself under its own name [setting host.name]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  client.sends(message());
  assert.equal((await fe.receivesRequest('MESSAGE')).topVia.host, 'edge1.corp.example');
  lab.document.host.name = 'edge2.corp.example';
  await lab.commit();
  client.sends(message());
  assert.equal((await fe.receivesRequest('MESSAGE')).topVia.host, 'edge2.corp.example');
});

test('clients are answered under the external name [setting policy.names.access]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  lab.document.policy.names.access = 'door.example.com';
  await lab.commit();
  fe.sends(request('MESSAGE', contactOf('alice'), { Route: path }));
  assert.equal((await client.receivesRequest('MESSAGE')).topVia.host, 'door.example.com');
});

test('a route to a SIP domain of ours is ours [setting policy.sipDomains]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const Route = '<sip:second.example;lr>';
  client.sends(message({ Route }));
  await client.receives(403);
  lab.document.policy.sipDomains.push('second.example');
  await lab.commit();
  client.sends(message({ Route }));
  assert.ok(!(await fe.receivesRequest('MESSAGE')).has('Route'));
});

test('what names an address of the inside is shown to nobody outside [setting policy.internalNetworks]', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const Route = await signIn(client, fe, 'alice');
  const shown = async () => {
    fe.sends(request('MESSAGE', contactOf('alice'), { Route, Organization: 'Unit 198.51.100.7' }));
    const arrived = await client.receivesRequest('MESSAGE');
    client.answers(arrived, 200);
    await fe.receives(200);
    return arrived.header('Organization');
  };
  assert.equal(await shown(), 'Unit 198.51.100.7');
  lab.document.policy.internalNetworks.push('198.51.100.0/24');
  await lab.commit();
  assert.equal(await shown(), undefined);
});

test('internal peers are those of one authority [setting host.internalCa]', async (t) => {
  const lab = await AccessLab.start(t);
  const other = await LabAuthority.create({ name: 'Another authority' });
  const probe = async () => {
    const peer = await lab.internalPeer(['pool.corp.example'], other);
    peer.sends(request('OPTIONS', 'sip:edge1.corp.example'));
    return peer;
  };
  await (await probe()).isClosed();
  await other.writeCertificate(lab.document.host.internalCa);
  await lab.commit();
  await (await probe()).receives(200);
});

test('the identity on the internal side [setting host.certificates.internal.certificate] [setting host.certificates.internal.key]', async (t) => {
  const lab = await AccessLab.start(t);
  const serial = async () =>
    (await lab.internalPeer(['pool.corp.example'])).socket.getPeerCertificate().serialNumber;
  const before = await serial();
  const files = { certificate: `${lab.folder}/new.pem`, key: `${lab.folder}/new.key` };
  await lab.authority.issueTo(files, { name: 'edge', hosts: ['edge1.corp.example'] });
  lab.document.host.certificates.internal = files;
  await lab.commit();
  assert.notEqual(await serial(), before);
});

test('the identity that clients see [setting host.certificates.access.certificate] [setting host.certificates.access.key]', async (t) => {
  const lab = await AccessLab.start(t);
  const serial = async () => (await lab.client()).socket.getPeerCertificate().serialNumber;
  const before = await serial();
  const files = { certificate: `${lab.folder}/new.pem`, key: `${lab.folder}/new.key` };
  await lab.authority.issueTo(files, { name: 'access', hosts: ['sip.example.com'] });
  lab.document.host.certificates.access = files;
  await lab.commit();
  assert.notEqual(await serial(), before);
});

test('a certificate without a name that the document needs is taken, and the log says which name is missing', async (t) => {
  const lab = await AccessLab.start(t);
  const complains = () =>
    lab.log.lines.some(({ event, warning }) => {
      const text = String(warning);
      return (
        event === 'certificate needs attention' && text.includes('does not hold the name sip.example.com')
      );
    });
  assert.equal(complains(), false);
  const files = { certificate: `${lab.folder}/new.pem`, key: `${lab.folder}/new.key` };
  await lab.authority.issueTo(files, { name: 'access', hosts: ['other.example.com'] });
  lab.document.host.certificates.access = files;
  await lab.commit();
  assert.equal(complains(), true);
});

test('another next hop: name, address and port of a member [setting policy.nextHop.members[].name] [setting policy.nextHop.members[].address] [setting policy.nextHop.members[].port]', async (t) => {
  const lab = await AccessLab.start(t);
  const [first, second] = lab.frontEnds;
  await first.connection();
  await second.listen();
  const { name, address, port } = second;
  lab.document.policy.nextHop.members = [{ name, address, port, domains: [] }];
  await lab.commit();
  const fe = await second.connection();
  await until(() => lab.service.health().detail.includes('1 of 1'));
  await passes(await lab.client(), fe, message());
});

test('the pool is named in certificates of its own connections [setting policy.nextHop.name]', async (t) => {
  const lab = await AccessLab.start(t);
  const before = await lab.internalPeer(['front.corp.example']);
  await before.isClosed();
  lab.document.policy.nextHop.name = 'front.corp.example';
  await lab.commit();
  const after = await lab.internalPeer(['front.corp.example']);
  after.sends(request('OPTIONS', 'sip:edge1.corp.example'));
  await after.receives(200);
});

test('the size of a message [setting policy.limits.access.messageBytes]', async (t) => {
  const lab = await withLimits(t, { messageBytes: 2048 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await passes(client, fe, message({ 'Content-Type': 'text/plain' }, 'x'.repeat(1000)));
  client.sends(message({ 'Content-Type': 'text/plain' }, 'x'.repeat(2048)));
  await client.isClosed();
});

test('the length of a header line [setting policy.limits.access.headerLineBytes]', async (t) => {
  const lab = await withLimits(t, { headerLineBytes: 512 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await passes(client, fe, message({ Subject: 'x'.repeat(400) }));
  client.sends(message({ Subject: 'x'.repeat(600) }));
  await refusedOrClosed(client);
});

test('the number of header fields [setting policy.limits.access.headers]', async (t) => {
  const lab = await withLimits(t, { headers: 20 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await passes(client, fe, message({ Subject: Array(10).fill('x') }));
  client.sends(message({ Subject: Array(30).fill('x') }));
  await refusedOrClosed(client);
});

/** Answered with 4xx or 5xx, or cut off, as the parser sees fit; never passed on. */
async function refusedOrClosed(client: SipPeer): Promise<void> {
  const before = client.shown.length;
  await until(() => client.socket.destroyed || client.shown.length > before);
  if (client.shown.length > before) assert.match(client.shown.slice(before), /^SIP\/2\.0 [45]\d\d /);
}

test('the time for one message [setting policy.limits.access.messageSeconds]', async (t) => {
  const lab = await withLimits(t, { messageSeconds: 1 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  client.sends(message().subarray(0, 100));
  await client.isClosed();
});

test('requests under way at a time [setting policy.limits.access.transactions]', async (t) => {
  const lab = await withLimits(t, { transactions: 2 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  for (let i = 0; i < 3; i++) client.sends(message());
  assert.ok((await client.receives(503)).has('Retry-After'));
  await fe.receivesRequest('MESSAGE');
});

test('the time for a handshake [setting policy.limits.access.handshakeSeconds]', async (t) => {
  // The one with more time begins first: if both had the same, it would also end first.
  const patient = await silentClient(t, await withLimits(t, { handshakeSeconds: 60 }));
  const hasty = await silentClient(t, await withLimits(t, { handshakeSeconds: 1 }));
  await new Promise((resolve) => hasty.once('close', resolve));
  assert.equal(patient.closed, false);
});

/** Connected, and without a word. */
async function silentClient(t: TestContext, lab: AccessLab): Promise<Socket> {
  const socket = connect({ host: '127.0.9.10', port: lab.externalPort }).resume();
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('handshakes at a time [setting policy.limits.access.handshakes]', async (t) => {
  const lab = await withLimits(t, { handshakes: 1 });
  await silentClient(t, lab);
  const second = connectTls({ host: '127.0.9.10', port: lab.externalPort, rejectUnauthorized: false });
  await new Promise((resolve) => second.once('error', resolve));
});

test('a client that does not read is cut off [setting policy.limits.access.outboundBytes]', async (t) => {
  const lab = await withLimits(t, { outboundBytes: 65_536 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  assert.equal(lab.service.remaining(), 1);
  client.socket.pause();
  const body = 'x'.repeat(60_000);
  for (let i = 0; lab.service.remaining() > 0; i++) {
    const fields = {
      Via: `SIP/2.0/TLS fe1;branch=z9hG4bKslow${i}`,
      Route: path,
      'Content-Type': 'text/plain',
    };
    fe.sends(request('MESSAGE', contactOf('alice'), fields, body));
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('while messages wait too long new requests are refused, fairly, and what ends work is not [setting policy.limits.access.overloadMs]', async (t) => {
  const lab = await withLimits(t, { overloadMs: 20 });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  await signIn(client, fe, 'alice');
  const From = '<sip:alice@example.com>;tag=1';
  const count = ({ shown }: SipPeer, what: RegExp): number => shown.match(what)?.length ?? 0;
  const shed = async (): Promise<number> => {
    const before = count(client, /^SIP\/2.0 503/gm);
    const total = 400 + before + count(fe, /^MESSAGE /gm);
    const byes = count(fe, /^BYE /gm);
    await busy(60);
    await busy(60);
    for (let i = 0; i < 400; i++) client.sends(message({ From, 'Call-ID': `o${branches}` }));
    const Via = `SIP/2.0/TLS h;branch=z9hG4bKbye${branches}`;
    const To = '<sip:bob@example.com>;tag=b';
    client.sends(request('BYE', 'sip:bob@example.com', { From, To, Via }));
    await until(() => count(fe, /^BYE /gm) === byes + 1);
    await until(() => count(client, /^SIP\/2.0 503/gm) + count(fe, /^MESSAGE /gm) === total);
    return count(client, /^SIP\/2.0 503/gm) - before;
  };
  assert.ok((await shed()) >= 100);
  assert.match(client.shown, /^Retry-After: 5\r$/m);
  const events = lab.events.take(1000).map(({ name }) => name);
  assert.ok(events.includes('access-overloaded'));
  lab.document.policy.limits.access.overloadMs = 10_000;
  await lab.commit();
  assert.equal(await shed(), 0);
});

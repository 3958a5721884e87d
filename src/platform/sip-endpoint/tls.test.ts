import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SystemClock, SystemRandom } from '#kernel';
import { type Connection, dialTls, TlsAcceptor } from '#platform/net';
import { LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { MessageEdit, type SipResponse } from '#protocols/sip';
import { SipEndpoint } from './endpoint.ts';
import { type FlowTarget, SipFlowPool } from './flow-pool.ts';
import { StatefulProxy } from './proxy/index.ts';
import { request } from './testing/memory-network.ts';
import type { SipUser } from './types.ts';

/** An address that no other room's tests use. */
const ADDRESS = '127.0.9.8';
const clock = new SystemClock();
const random = new SystemRandom();
const log = silentLog();
const metrics = new Metrics();

function endpoint(t: TestContext, name: string, user: Partial<SipUser>): SipEndpoint {
  const nobody = { onRequest() {}, onAck() {}, onCancel() {}, onFlowClosed() {} };
  const made = new SipEndpoint({ clock, random, log, metrics, name, user: { ...nobody, ...user } });
  t.after(() => made.close());
  return made;
}

/** A certificate authority, and what listens and dials with its certificates. */
async function site() {
  const authority = await LabAuthority.create({ name: 'Test root' });
  const issued = await authority.issue({ name: 'server', hosts: ['server.test'] });
  const credentials = parseCredentials(issued, Date.now(), { certificate: 'test.pem', key: 'test.key' });
  const trust = parseTrustAnchors(authority.certificatePem, 'test');
  assert(credentials.ok && trust.ok);
  return {
    async listen(t: TestContext, accept: (connection: Connection) => void): Promise<number> {
      const acceptor = new TlsAcceptor({
        credentials: credentials.value,
        clientCertificate: 'none',
        handshakeMs: 20_000,
        limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 20 },
        clock,
        log,
        metrics,
        accept,
      });
      const server = createServer();
      acceptor.attach(server);
      server.listen(0, ADDRESS);
      await once(server, 'listening');
      t.after(async () => {
        server.close();
        await acceptor.close();
      });
      return (server.address() as AddressInfo).port;
    },
    dial: (target: FlowTarget) =>
      dialTls({
        remote: { address: target.address, port: target.port },
        localAddress: ADDRESS,
        servername: target.name,
        expectNames: [target.name],
        trust: trust.value,
        handshakeMs: 20_000,
        clock,
        metrics,
      }),
  };
}

test('a MESSAGE goes from TLS to TLS through a proxy with a pool, and its answer comes back', async (t) => {
  const { listen, dial } = await site();
  const nextHop = endpoint(t, 'next_hop', {
    onRequest: (message, _flow, transaction) => {
      assert.equal(message.body.toString(), 'hello');
      nextHop.respond(transaction, 200, { headers: [['X-From', 'next-hop']] });
    },
  });
  const nextHopPort = await listen(t, (connection) => nextHop.addFlow(connection));

  const edge = endpoint(t, 'edge', {
    onRequest: (message, _flow, transaction) => {
      const member = pool.memberFor(message.from.uri);
      const flow = member && pool.flowTo(member);
      assert(flow !== undefined);
      const branch = 'z9hG4bK-edge';
      const bytes = new MessageEdit(message).prepend('Via', `SIP/2.0/TLS edge;branch=${branch}`).toBytes();
      new StatefulProxy({ endpoint: edge }).forward(transaction, [{ flow, branch, bytes }]);
    },
  });
  const healthy = Promise.withResolvers<void>();
  const target = { name: 'server.test', address: ADDRESS, port: nextHopPort };
  const pool = new SipFlowPool({
    endpoint: edge,
    clock,
    random,
    log,
    metrics,
    name: 'pool',
    targets: [target],
    dial,
    onChange: (member) => member.state === 'healthy' && healthy.resolve(),
  });
  t.after(() => pool.close());
  pool.start();
  await healthy.promise;
  const edgePort = await listen(t, (connection) => edge.addFlow(connection));

  const client = endpoint(t, 'client', {});
  const connection = await dial({ ...target, port: edgePort });
  assert(connection.ok);
  const flow = client.addFlow(connection.value, { dialled: true });
  assert(flow !== undefined);
  const answered = Promise.withResolvers<SipResponse>();
  const branch = 'z9hG4bK-client';
  client.request(
    flow,
    { method: 'MESSAGE', branch, bytes: request('MESSAGE', { branch, body: 'hello' }) },
    {
      onResponse: (response) => answered.resolve(response),
      onFailure: (cause) => answered.reject(new Error(cause)),
    },
  );
  const answer = await answered.promise;
  assert.deepEqual([answer.status, answer.header('X-From')], [200, 'next-hop']);
  assert.deepEqual(
    answer.vias().map((via) => via.branch),
    [branch],
  );
  assert.deepEqual(edge.transactions, { server: 0, client: 0 });
});

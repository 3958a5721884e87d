import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { SystemClock, SystemRandom } from '#kernel';
import { LabAuthority, loadCredentials, loadTrustAnchors } from '#platform/pki';
import { Metrics, memoryLog } from '#platform/telemetry';
import { buildRequest, buildResponse, type SipMessage, SipStreamFramer, sipLimits } from '#protocols/sip';
import { NextHopAgent } from './next-hop-agent.ts';

const ADDRESS = '127.0.32.2';
const OWN = '127.0.32.3';
const NAME = 'hop.corp.example';

/** Messages of one connection, in order. */
class Inbox {
  readonly #items: SipMessage[] = [];
  readonly #waiting: ((message: SipMessage) => void)[] = [];

  constructor(socket: TLSSocket) {
    const framer = new SipStreamFramer(sipLimits);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const event of framer.push(chunk, 0)) if (event.type === 'message') this.#put(event.message);
    });
  }
  next(): Promise<SipMessage> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
  #put(message: SipMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(message);
    else waiting(message);
  }
}

test('an agent connects as a peer, says where it is, and is asked and asks over the same connection', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sip-agent-'));
  const authority = await LabAuthority.create({ name: 'inside' });
  const issued = await authority.issue({ name: 'hop', hosts: [NAME] });
  const files = { certificate: join(folder, 'own.pem'), key: join(folder, 'own.key') };
  await authority.issueTo(files, { name: 'own', hosts: ['own.corp.example'] });
  await authority.writeCertificate(join(folder, 'ca.pem'));
  const server = createServer({
    ...{ cert: issued.certificatePem, key: issued.keyPem, ca: authority.certificatePem },
    ...{ requestCert: true, ALPNProtocols: ['sip/2'] },
  });
  server.listen({ host: ADDRESS, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [credentials, trust] = [loadCredentials(files, Date.now()), loadTrustAnchors(join(folder, 'ca.pem'))];
  assert.ok(credentials.ok && trust.ok);
  const settings = { credentials: credentials.value, trust: trust.value, localAddresses: ['::1', OWN] };
  const asked: string[] = [];
  const clock = new SystemClock();
  const agent = new NextHopAgent(
    {
      ...{ clock, random: new SystemRandom(), log: memoryLog(), metrics: new Metrics() },
      ...{ name: 'test', alpn: ['special/1', 'sip/2'], own: { host: OWN, port: 5061 }, announces: true },
      user: {
        onRequest: (request, _flow, transaction) => {
          asked.push(request.method);
          agent.sip.respond(transaction, 200);
        },
        ...{ onAck: () => {}, onCancel: () => {}, onFlowClosed: () => {} },
      },
    },
    { ...settings, nextHops: [{ name: NAME, address: ADDRESS, port }] },
  );
  t.after(async () => {
    agent.close();
    server.close();
    await rm(folder, { recursive: true });
  });
  const connected = once(server, 'secureConnection');
  agent.start();
  const [socket] = (await connected) as [TLSSocket];
  const inbox = new Inbox(socket);
  assert.deepEqual([socket.alpnProtocol, socket.authorized, socket.remoteAddress], ['sip/2', true, OWN]);
  const announced = await inbox.next();
  assert.ok(announced.kind === 'request' && announced.method === 'OPTIONS');
  assert.equal(announced.topVia.host, OWN);
  assert.ok(announced.topVia.parameters.has('alias'));
  socket.write(buildResponse(announced, 200, { toTag: 'hop' }));
  socket.write(
    buildRequest({
      ...{ method: 'INFO', uri: `sip:${OWN}` },
      headers: [
        ['Via', `SIP/2.0/TLS ${ADDRESS};branch=z9hG4bK1`],
        ['Max-Forwards', '70'],
        ['From', '<sip:a@b.example>;tag=1'],
        ['To', '<sip:c@d.example>'],
        ['Call-ID', 'c'],
        ['CSeq', '1 INFO'],
      ],
    }),
  );
  assert.equal((await inbox.next()).kind, 'response');
  assert.deepEqual(asked, ['INFO']);
  assert.deepEqual(agent.nextHops(), [{ name: NAME, address: ADDRESS, state: 'healthy', reason: '' }]);
  agent.configure({ ...settings, nextHops: [] });
  assert.deepEqual(agent.nextHops(), []);
});

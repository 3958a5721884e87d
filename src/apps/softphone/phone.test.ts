import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FailureError, failure, SystemClock, SystemRandom } from '#kernel';
import { TlsAcceptor } from '#platform/net';
import { LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { SipEndpoint, type SipFlow } from '#platform/sip-endpoint';
import { Metrics, silentLog } from '#platform/telemetry';
import { audioOffer, formatSdp } from '#protocols/sdp';
import { buildRequest, type ClientTransaction } from '#protocols/sip';
import type { CallMedia } from './call.ts';
import { Phone, type PhoneOptions } from './phone.ts';

const ADDRESS = '127.0.9.62';
const clock = new SystemClock();
const random = new SystemRandom();

/** A server that calls the phone which connects to it. */
class Caller {
  readonly endpoint: SipEndpoint;
  readonly flow: SipFlow;
  readonly statuses: number[] = [];
  readonly final: Promise<number>;
  readonly transaction: ClientTransaction;

  constructor(endpoint: SipEndpoint, flow: SipFlow) {
    this.endpoint = endpoint;
    this.flow = flow;
    const branch = 'z9hG4bKcaller';
    const offer = { address: ADDRESS, port: 4000, sessionId: '1', sessionVersion: 1 };
    const bytes = buildRequest({
      method: 'INVITE',
      uri: 'sip:phone@example.test',
      headers: [
        ['Via', `SIP/2.0/TLS ${ADDRESS}:5061;branch=${branch}`],
        ['Max-Forwards', '70'],
        ['From', '<sip:caller@example.test>;tag=c'],
        ['To', '<sip:phone@example.test>'],
        ['Call-ID', 'call'],
        ['CSeq', '1 INVITE'],
        ['Contact', `<sip:caller@${ADDRESS}:5061>`],
        ['Content-Type', 'application/sdp'],
      ],
      body: formatSdp(audioOffer(offer)),
    });
    let transaction: ClientTransaction | undefined;
    this.final = new Promise((resolve, reject) => {
      const sent = endpoint.request(
        flow,
        { method: 'INVITE', branch, bytes },
        {
          onResponse: ({ status }) => {
            this.statuses.push(status);
            if (status >= 200) resolve(status);
          },
          onFailure: reject,
        },
      );
      transaction = sent.ok ? sent.value : undefined;
    });
    assert.ok(transaction);
    this.transaction = transaction;
  }

  /** Connects a phone and calls it. */
  static async of(t: TestContext, onCall: NonNullable<PhoneOptions['onCall']>): Promise<Caller> {
    const authority = await LabAuthority.create({ name: 'test' });
    const issued = await authority.issue({ name: 'server', hosts: ['server.test'] });
    const credentials = parseCredentials(issued, clock.wall(), { certificate: 'c.pem', key: 'c.key' });
    const trust = parseTrustAnchors(authority.certificatePem, 'test');
    assert.ok(credentials.ok && trust.ok);
    const metrics = new Metrics();
    const log = silentLog();
    const nobody = { onRequest() {}, onAck() {}, onCancel() {}, onFlowClosed() {} };
    const endpoint = new SipEndpoint({ clock, random, log, metrics, name: 'test', user: nobody });
    const flow = Promise.withResolvers<SipFlow>();
    const acceptor = new TlsAcceptor({
      credentials: credentials.value,
      clientCertificate: 'none',
      handshakeMs: 20_000,
      limits: { connections: 9, handshakes: 9, perSource: 9, outboundBytes: 1 << 20 },
      clock,
      log,
      metrics,
      accept: (connection) => flow.resolve(endpoint.addFlow(connection) ?? assert.fail('no flow')),
    });
    const server = createServer().listen(0, ADDRESS);
    await once(server, 'listening');
    acceptor.attach(server);
    const phone = await Phone.connect({
      clock,
      random,
      identity: { address: 'sip:phone@example.test', password: 'not asked for' },
      server: { address: ADDRESS, port: (server.address() as AddressInfo).port, name: 'server.test' },
      localAddress: ADDRESS,
      trust: trust.value,
      hosts: new Map(),
      onCall,
    });
    t.after(async () => {
      phone.close();
      endpoint.close();
      server.close();
      await acceptor.close();
    });
    return new Caller(endpoint, await flow.promise);
  }
}

/** Media whose path notes what becomes of it, in place of an allocation at a relay. */
function media(connected: () => Promise<void>) {
  const noted = { closed: Promise.withResolvers<void>() };
  const path = {
    relayed: { address: ADDRESS, port: 4002 },
    connect: connected,
    close: async () => noted.closed.resolve(),
  };
  return { media: { path } as unknown as CallMedia, closed: noted.closed.promise };
}

test('a call is answered with the media that was given', async (t) => {
  const { media: given } = media(async () => {});
  const caller = await Caller.of(t, async () => given);
  assert.equal(await caller.final, 200);
  assert.deepEqual(caller.statuses, [180, 200]);
});

test('a relay that refuses: the caller is told, and the phone goes on', async (t) => {
  const caller = await Caller.of(t, () => Promise.reject(new FailureError(failure('SLP-APP-0002', 'test'))));
  assert.equal(await caller.final, 500);
});

test('a call that is given up while it is being answered gives its allocation back', async (t) => {
  const asked = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const { media: given, closed } = media(() => {
    asked.resolve();
    return ready.promise;
  });
  const caller = await Caller.of(t, async () => given);
  await asked.promise;
  caller.endpoint.cancel(caller.transaction);
  assert.equal(await caller.final, 487);
  ready.resolve();
  await closed;
  assert.deepEqual(caller.statuses, [180, 487]);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { type Credentials, LabAuthority, type LeafRequest } from '#platform/pki';
import type { RefusalReason } from './refusal.ts';
import { anchorsOf, Bench, credentialsOf, loaded, receive } from './testing/test-bench.ts';

const DAY = 86_400_000;
const hosts = ['client.test'];
const ago = (days: number) => new Date(Date.now() - days * DAY);

interface Client {
  readonly what: string;
  /** What an acceptor that verifies internal peers says. */
  readonly verdict: 'verified' | RefusalReason;
  /** The problems in the log line, in their order. */
  readonly problems?: string;
  make(authority: LabAuthority): Promise<Credentials | undefined>;
}

const signed = (request: Partial<LeafRequest>) => (authority: LabAuthority) =>
  credentialsOf(authority, { name: 'client', hosts, ...request });

const selfSigned = (request: Partial<LeafRequest>) => async () => {
  const whole = { name: 'client', hosts, ...request };
  return loaded(await LabAuthority.selfSigned(whole), whole);
};

const foreign = LabAuthority.create({ name: 'Foreign root' });

const clients: readonly Client[] = [
  { what: 'both usages', verdict: 'verified', make: signed({}) },
  { what: 'serverAuth only', verdict: 'verified', make: signed({ usages: ['serverAuth'] }) },
  { what: 'clientAuth only', verdict: 'verified', make: signed({ usages: ['clientAuth'] }) },
  { what: 'no usage extension', verdict: 'verified', make: signed({ usages: [] }) },
  {
    what: 'self-signed, serverAuth only',
    verdict: 'bad-certificate',
    problems: 'self-signed',
    make: selfSigned({ usages: ['serverAuth'] }),
  },
  { what: 'self-signed', verdict: 'bad-certificate', problems: 'self-signed', make: selfSigned({}) },
  {
    what: 'unknown CA',
    verdict: 'bad-certificate',
    problems: 'unknown-issuer',
    make: async () => signed({})(await foreign),
  },
  {
    what: 'unknown CA and expired',
    verdict: 'bad-certificate',
    problems: 'unknown-issuer, expired',
    make: async () => signed({ notBefore: ago(9), notAfter: ago(2) })(await foreign),
  },
  {
    what: 'expired',
    verdict: 'bad-certificate',
    problems: 'expired',
    make: signed({ notBefore: ago(9), notAfter: ago(2) }),
  },
  {
    what: 'not yet valid',
    verdict: 'bad-certificate',
    problems: 'not-yet-valid',
    make: signed({ notBefore: ago(-2), notAfter: ago(-9) }),
  },
  {
    what: 'below an intermediate that is sent',
    verdict: 'verified',
    make: async (authority) => signed({})(await authority.intermediate({ name: 'Middle' })),
  },
  {
    what: 'below an intermediate that is not sent',
    verdict: 'bad-certificate',
    problems: 'unknown-issuer',
    make: async (authority) => {
      const request = { name: 'client', hosts };
      const issued = await (await authority.intermediate({ name: 'Middle' })).issue(request);
      const end = '-----END CERTIFICATE-----\n';
      const [leaf] = issued.certificatePem.split(end);
      return loaded({ ...issued, certificatePem: leaf + end }, request);
    },
  },
  {
    what: 'signed by a leaf',
    verdict: 'bad-certificate',
    problems: 'issuer-not-ca',
    make: async (authority) => signed({})(await authority.intermediate({ name: 'No CA', ca: false })),
  },
];

async function present(t: TestContext, bench: Bench, client: Client) {
  const credentials = await client.make(bench.authority);
  const dialled = await bench.dial(credentials === undefined ? {} : { credentials });
  // With TLS 1.3 the client is done before the server has judged its certificate.
  if (!dialled.ok) return;
  const received = receive(dialled.value);
  t.after(() => dialled.value.destroy('local'));
  if (client.verdict !== 'verified') await received.closed;
}

for (const mode of ['required', 'optional'] as const)
  for (const client of clients)
    test(`client certificate ${mode}, ${client.what}: ${client.verdict}`, async (t) => {
      const bench = await Bench.start(t, { clientCertificate: mode });
      await present(t, bench, client);
      if (client.verdict === 'verified') {
        const { connection } = await bench.next();
        assert.deepEqual(connection.tls?.peer?.names.dns, hosts);
        return;
      }
      await until(() => bench.refused(client.verdict as RefusalReason) === 1);
      assert.equal(bench.accepted, 0);
      assert.equal(bench.acceptor.open, 0);
      assert.deepEqual(
        bench.log.lines.map((line) => [line.reason, line.detail]),
        [[client.verdict, `${client.problems} (CN=client)`]],
      );
    });

test('no client certificate: refused where required, welcome where optional', async (t) => {
  const required = await Bench.start(t, { clientCertificate: 'required' });
  await required.dial();
  await until(() => required.refused('no-certificate') === 1);
  assert.equal(required.accepted, 0);
  const optional = await Bench.start(t, { clientCertificate: 'optional' });
  assert.ok((await optional.dial()).ok);
  assert.equal((await optional.next()).connection.tls?.peer, undefined);
});

test('no certificate is asked for when the mode is none', async (t) => {
  const bench = await Bench.start(t);
  const credentials = await selfSigned({})();
  assert.ok((await bench.dial({ credentials })).ok);
  assert.equal((await bench.next()).connection.tls?.peer, undefined);
});

test('a clientAuth-only certificate is never a server identity, in either direction', async (t) => {
  const bench = await Bench.start(t, { clientCertificate: 'required', purpose: 'server-identity' });
  const credentials = await credentialsOf(bench.authority, { name: 'c', hosts, usages: ['clientAuth'] });
  await bench.dial({ credentials });
  await until(() => bench.refused('bad-certificate') === 1);
  const serverOnly = await credentialsOf(bench.authority, { name: 'c', hosts, usages: ['serverAuth'] });
  assert.ok((await bench.dial({ credentials: serverOnly })).ok);
  await bench.next();

  const server = await Bench.start(t);
  server.acceptor.update({
    credentials: await credentialsOf(server.authority, {
      name: 'server',
      hosts: ['server.test'],
      usages: ['clientAuth'],
    }),
  });
  const dialled = await server.dial();
  assert.equal(dialled.ok ? 'ok' : dialled.error.code, 'SLP-NET-0013');
});

test('anchors that are swapped judge new handshakes only', async (t) => {
  const bench = await Bench.start(t, { clientCertificate: 'required' });
  const credentials = await credentialsOf(bench.authority, { name: 'client', hosts });
  assert.ok((await bench.dial({ credentials })).ok);
  const old = await bench.next();
  bench.acceptor.update({ credentials: bench.credentials, trust: anchorsOf(await foreign) });
  await bench.dial({ credentials });
  await until(() => bench.refused('bad-certificate') === 1);
  assert.equal(old.connection.closed, false);
  const foreigner = await credentialsOf(await foreign, { name: 'client', hosts });
  assert.ok((await bench.dial({ credentials: foreigner })).ok);
  await bench.next();
});

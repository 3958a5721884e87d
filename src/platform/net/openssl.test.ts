import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { Bench, TEST_ADDRESS } from './testing/test-bench.ts';

/** openssl s_client: a TLS peer that we did not write. */
class SClient {
  output = '';
  readonly #process: ChildProcessWithoutNullStreams;
  exited = false;

  constructor(t: TestContext, bench: Bench, ...args: string[]) {
    const target = ['-connect', `${TEST_ADDRESS}:${bench.port}`, '-servername', 'server.test'];
    this.#process = spawn('openssl', ['s_client', ...target, ...args]);
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.on('data', (chunk) => {
        this.output += String(chunk);
      });
    this.#process.stdin.on('error', () => {});
    this.#process.on('exit', () => {
      this.exited = true;
    });
    t.after(() => this.#process.kill());
  }
  write(text: string): void {
    this.#process.stdin.write(text);
  }
  /** End of input: s_client sends close_notify and leaves. */
  end(): void {
    this.#process.stdin.end();
  }
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'net-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

for (const version of ['-tls1_2', '-tls1_3'])
  test(`s_client ${version} talks, verifies us, and closes in order`, async (t) => {
    const bench = await Bench.start(t, { alpn: ['sip/2'] });
    const ca = join(folder(t), 'ca.pem');
    writeFileSync(ca, bench.authority.certificatePem);
    const client = new SClient(t, bench, version, '-CAfile', ca, '-verify_return_error', '-alpn', 'sip/2');
    const server = await bench.next();
    assert.equal(server.connection.tls?.protocol, version === '-tls1_2' ? 'TLSv1.2' : 'TLSv1.3');
    assert.equal(server.connection.tls?.alpn, 'sip/2');
    client.write('ping\n');
    await until(() => server.data === 'ping\n');
    server.connection.write(Buffer.from('pong\n'));
    await until(() => client.output.includes('pong'));
    assert.match(client.output, /Verify return code: 0 \(ok\)|Verification: OK/);
    client.end();
    assert.equal(await server.closed, 'peer-closed');
  });

test('s_client below TLS 1.2 is refused and counted', async (t) => {
  const bench = await Bench.start(t);
  new SClient(t, bench, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  await until(() => bench.refused('tls-version') === 1);
  assert.equal(bench.accepted, 0);
});

test('s_client with only foreign ALPN gets an alert', async (t) => {
  const bench = await Bench.start(t, { alpn: ['sip/2'] });
  const client = new SClient(t, bench, '-alpn', 'h2,http/1.1');
  await until(() => bench.refused('alpn') === 1);
  await until(() => /no application protocol/i.test(client.output));
});

for (const version of ['-tls1_2', '-tls1_3'])
  test(`s_client ${version} with a chain: the intermediate that it sends is seen`, async (t) => {
    const bench = await Bench.start(t, { clientCertificate: 'required' });
    const made = folder(t);
    const middle = await bench.authority.intermediate({ name: 'Middle' });
    const files = { certificate: join(made, 'client.pem'), key: join(made, 'client.key') };
    await middle.issueTo(files, { name: 'client', hosts: ['client.test'] });
    const identity = ['-cert', files.certificate, '-key', files.key];
    new SClient(t, bench, version, ...identity);
    await until(() => bench.refused('bad-certificate') === 1);
    assert.match(String(bench.log.lines[0]?.detail), /unknown-issuer/);
    new SClient(t, bench, version, ...identity, '-cert_chain', files.certificate);
    const { connection } = await bench.next();
    assert.deepEqual(connection.tls?.peer?.names.dns, ['client.test']);
  });

test('s_client cannot renegotiate', async (t) => {
  const bench = await Bench.start(t);
  const client = new SClient(t, bench, '-tls1_2');
  const server = await bench.next();
  client.write('R\n');
  await until(() => client.exited || /no renegotiation/i.test(client.output));
  assert.match(await server.closed, /peer-closed|tls-error|reset/);
});

test('closing the acceptor ends s_client', async (t) => {
  const bench = await Bench.start(t);
  const client = new SClient(t, bench);
  const server = await bench.next();
  client.write('x\n');
  await until(() => server.data === 'x\n');
  await bench.acceptor.close();
  assert.equal(await server.closed, 'shutdown');
  await until(() => client.exited);
});

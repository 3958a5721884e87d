import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { parse, stringify } from 'yaml';
import { Perimeter, type WrittenDocument } from '../../lab/testing/perimeter.ts';
import { sallyport } from '../testing/printed.ts';

const NETWORK = 68;

let perimeter: Perimeter;
let client: TLSSocket | undefined;

before(async () => {
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: false,
    change: ({ policy }) => {
      policy.features = { federation: true };
      policy.federation = {
        allowed: [{ domain: 'partner.example', proxy: 'sip.partner.example' }],
        blocked: [{ domain: 'nuisance.example' }],
      };
    },
  });
  await perimeter.edge.start();
});
after(async () => {
  client?.destroy();
  await perimeter?.stop();
});

const run = (...args: string[]) => sallyport(...args, '--socket', perimeter.files.edgeSocket);

test('access connections lists who is connected, signed in or not', async () => {
  const { access, names, clients } = perimeter.plan;
  const to: ConnectionOptions & TcpNetConnectOpts = {
    ...{ host: access.address, port: access.port, servername: names.access, localAddress: clients.alice },
    ca: readFileSync(perimeter.files.authority),
    ALPNProtocols: ['sip/2'],
  };
  client = connect(to);
  await once(client, 'secureConnect');
  await perimeter.until('the connection is listed', async () => {
    const { out } = await run('access', 'connections');
    return out.includes(` ${clients.alice} `) && out.endsWith('\n1 of 1\n');
  });
});

test('access indicators says that all is well, with status 0', async () => {
  const { out, status } = await run('access', 'indicators');
  assert.equal(status, 0);
  assert.match(out, /^connections dropped +0\.0 +a second +below 1 +ok$/m);
  assert.match(out, /^waiting seconds +\d+\.\d +seconds +below 3 +ok$/m);
});

test('access blocks: nobody is refused, and nobody to forgive', async () => {
  assert.equal((await run('access', 'blocks')).out, 'no source is refused\n');
  assert.equal((await run('access', 'unblock', '192.0.2.1')).out, '0 lifted\n');
});

test('access connections and unblock say at once what does not fit, with status 2', async () => {
  for (const limit of ['many', '0', '1001', '1.5']) {
    const { status, error } = await run('access', 'connections', '--limit', limit);
    assert.deepEqual([status, error.includes('Write a whole number, 1 to 1000.')], [2, true], limit);
  }
  for (const source of ['nobody', '192.0.2.0/64', '2001:db8::/48']) {
    const { status, error } = await run('access', 'unblock', source);
    assert.deepEqual([status, error.includes('Write an IP address')], [2, true], source);
  }
  assert.equal((await run('access', 'unblock', '2001:db8::/64')).out, '0 lifted\n');
});

test('federation partners lists those of the document; federation test tells where it ends, with status 1', async () => {
  const { out } = await run('federation', 'partners');
  assert.match(out, /^partner\.example +allowed-server +sip\.partner\.example +use-source +0/m);
  const tried = await run('federation', 'test', 'nuisance.example');
  assert.equal(tried.status, 1);
  assert.match(
    tried.out,
    /^policy +FAILED +\d+ +\d+ +nuisance\.example is refused by the rule blocked-domain: it stands in policy\.federation\.blocked$/m,
  );
});

/** The running edge takes another document. */
async function rewrites(features: { federation: boolean }, federation: { enabled: boolean }): Promise<void> {
  const file = perimeter.files.edgeDocument;
  const document = parse(readFileSync(file, 'utf8')) as WrittenDocument;
  document.policy.features = features;
  Object.assign(document.policy.federation as object, federation);
  writeFileSync(`${file}.new`, stringify(document));
  renameSync(`${file}.new`, file);
  assert.equal((await run('reload')).status, 0);
}

test('federation partners says which switch is off when nothing is exchanged with anybody', async () => {
  await rewrites({ federation: true }, { enabled: false });
  const told = (await run('federation', 'partners')).out;
  assert.match(
    told,
    /^Nothing is exchanged .*: policy\.federation\.enabled is off \(federation-not-allowed\)\.$/m,
  );
  await rewrites({ federation: false }, { enabled: true });
  assert.match(
    (await run('federation', 'partners')).out,
    /policy\.features\.federation .* are off \(federation-off\)/,
  );
  await rewrites({ federation: true }, { enabled: true });
  assert.doesNotMatch((await run('federation', 'partners')).out, /^Nothing/m);
});

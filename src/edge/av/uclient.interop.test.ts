import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Bench, REST_SECRET } from './testing/bench.ts';

const UCLIENT = 'turnutils_uclient';
const PEER = 'turnutils_peer';
const EXTERNAL = '127.0.9.91';
const INTERNAL = '127.0.9.92';
const ECHO = '127.0.9.93';
const ECHO_PORT = 3480;
const MESSAGES = 20;
const CLIENTS = 2;

let bench: Bench;
let echo: ChildProcess;

before(() => {
  for (const program of [UCLIENT, PEER]) {
    const found = spawnSync(program, ['-h'], { stdio: 'ignore' });
    const code = (found.error as NodeJS.ErrnoException | undefined)?.code;
    assert.notEqual(code, 'ENOENT', `${program} is not installed: install the Debian package coturn`);
  }
  echo = spawn(PEER, ['-L', ECHO, '-p', String(ECHO_PORT)], { stdio: 'ignore' });
});

after(() => void echo?.kill());

/** Runs the client to its end; throws unless every message came back. */
async function uclient(
  server: string,
  flags: readonly string[],
  transport: 'udp' | 'tcp' = 'udp',
): Promise<void> {
  const count = ['-n', String(MESSAGES), '-m', String(CLIENTS), '-c'];
  const client = spawn(UCLIENT, [...count, ...flags, '-p', String(bench.port(server, transport)), server]);
  let output = '';
  client.stdout.on('data', (chunk) => {
    output += chunk;
  });
  client.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await once(client, 'close');
  const drops = JSON.stringify(await bench.verb('counters'));
  const expected = MESSAGES * CLIENTS;
  assert.match(output, new RegExp(`tot_send_msgs=${expected}, tot_recv_msgs=${expected}\\b`), output + drops);
  assert.match(output, /Total lost packets 0 \(/, output + drops);
}

let identities = 0;
/** Another user each time, so that quotas do not matter. */
function credentials(): string[] {
  identities += 1;
  const { username, password } = bench.token(`sip:user${identities}@example.test`);
  return ['-u', username, '-w', password];
}
const peer = ['-e', ECHO, '-r', String(ECHO_PORT)];

async function switchedPackets(): Promise<number> {
  const counters = (await bench.verb('counters')) as { relayed: { switchedPackets: number } };
  return counters.relayed.switchedPackets;
}

for (const threads of [1, 2]) {
  const title = `turnutils_uclient, no packet lost, ${threads === 1 ? 'in one thread' : `in ${threads} threads`}`;
  describe(title, { concurrency: true }, () => testClients(threads));
}

function testClients(threads: number): void {
  before(async () => {
    bench = await Bench.start({
      external: [EXTERNAL, '::1'],
      internal: [INTERNAL],
      ports: [55_800 + threads * 200, 55_999 + threads * 200],
      allowedPeers: [`${ECHO}/32`],
      threads,
    });
  });
  after(() => bench.stop());

  test('channels, from outside', () => uclient(EXTERNAL, [...credentials(), ...peer]));

  test('channels, from inside', () => uclient(INTERNAL, [...credentials(), ...peer]));

  test('Send indications', () => uclient(EXTERNAL, [...credentials(), ...peer, '-s']));

  test('a static secret', () => uclient(EXTERNAL, ['-W', REST_SECRET, '-u', 'alice', ...peer]));

  test('over TCP, from outside and from inside: channels, Send indications', async () => {
    await uclient(EXTERNAL, ['-t', ...credentials(), ...peer], 'tcp');
    await uclient(INTERNAL, ['-t', ...credentials(), ...peer, '-s'], 'tcp');
  });

  // It begins with versions of TLS that are refused, and tries until one fits.
  test('over TLS', () => uclient(EXTERNAL, ['-t', '-S', ...credentials(), ...peer], 'tcp'));

  test('TCP relayed (RFC 6062), client to client', () => uclient(EXTERNAL, ['-T', ...credentials()], 'tcp'));

  test('addresses of both families, IPv4 asked for by name', async () => {
    await uclient(EXTERNAL, ['-Z', ...credentials(), ...peer]);
    await uclient(EXTERNAL, ['-X', ...credentials(), ...peer]);
  });

  test('a client that has IPv6 only meets a peer that has IPv4 only, over UDP, TCP and TLS', async () => {
    await Promise.all([
      uclient('::1', [...credentials(), ...peer]),
      uclient('::1', ['-t', ...credentials(), ...peer], 'tcp'),
      uclient('::1', ['-t', '-S', ...credentials(), ...peer, '-s'], 'tcp'),
    ]);
  });

  test('TCP relayed over IPv6, client to client', () =>
    uclient('::1', ['-T', '-x', ...credentials()], 'tcp'));

  test('client to client, switched inside: channels, Send indications, IPv6', async () => {
    const before = await switchedPackets();
    await uclient(EXTERNAL, [...credentials(), '-y']);
    await uclient(EXTERNAL, [...credentials(), '-y', '-s']);
    await uclient('::1', [...credentials(), '-x', '-y']);
    assert.equal(await switchedPackets(), before + 3 * MESSAGES * CLIENTS);
  });
}

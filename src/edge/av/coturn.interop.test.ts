import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { restCredential } from '#protocols/credentials';
import { Bench, REST_SECRET, TestClient } from './testing/bench.ts';

/*
 * Time-limited credentials of a shared secret: whatever coturn takes or refuses with `use-auth-secret`, this relay takes or
 * refuses, with the same secrets and the same realm, so that an organisation moves its web applications by changing a URL.
 */
const EXTERNAL = '127.0.9.111';
const INTERNAL = '127.0.9.112';
const COTURN = '127.0.9.113';
const COTURN_PORT = 3_478;
const CLIENT = '127.0.9.114';
const SECOND_SECRET = 'a second secret of the test';

let bench: Bench;
let folder: string;
let coturn: ChildProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-coturn-'));
  bench = await Bench.start({
    external: [EXTERNAL],
    internal: [INTERNAL],
    ports: [56_500, 56_599],
    allowedPeers: [],
  });
  writeFileSync(join(folder, 'second.secret'), `${SECOND_SECRET}\n`, { mode: 0o600 });
  bench.document.policy.mediaCredentials.staticSecretFiles.push(join(folder, 'second.secret'));
  await bench.apply();
  coturn = spawn(
    'turnserver',
    [
      '-n',
      '--use-auth-secret',
      `--static-auth-secret=${REST_SECRET}`,
      `--static-auth-secret=${SECOND_SECRET}`,
      `--realm=${bench.document.policy.relay.realm}`,
      `--listening-ip=${COTURN}`,
      `--relay-ip=${COTURN}`,
      `--listening-port=${COTURN_PORT}`,
      '--no-tcp',
      '--no-tls',
      '--no-dtls',
      '--no-cli',
      `--userdb=${join(folder, 'turndb.sqlite')}`,
      `--pidfile=${join(folder, 'turn.pid')}`,
      `--log-file=${join(folder, 'turn.log')}`,
      '--simple-log',
    ],
    { stdio: 'ignore' },
  );
  await answers();
});

after(async () => {
  coturn?.kill();
  await bench?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits until coturn answers a Binding request; the test runner's own deadline bounds it. */
async function answers(): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, CLIENT);
  await once(socket, 'listening');
  const binding = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  const ask = setInterval(() => socket.send(binding, COTURN_PORT, COTURN), 50);
  await once(socket, 'message');
  clearInterval(ask);
  socket.close();
}

/** Whether both relays let this credential allocate; the code of the refusal when they do not. */
async function verdicts(credential: { username: string; password: string }): Promise<(string | number)[]> {
  const places = [
    { server: COTURN, port: COTURN_PORT },
    { server: EXTERNAL, port: bench.port(EXTERNAL) },
  ];
  return Promise.all(
    places.map(async (place) => {
      const client = await TestClient.openAt(bench, CLIENT, place, credential);
      const event = await client.allocate();
      client.close();
      return event.type === 'allocated' ? 'allocated' : 'code' in event ? (event.code ?? 0) : event.type;
    }),
  );
}

/** As coturn's documentation says it, apart from the product. */
function passwordOf(username: string): string {
  return createHmac('sha1', REST_SECRET).update(username).digest('base64');
}

describe('credentials of a static secret, beside coturn with use-auth-secret', () => {
  const soon = () => Date.now() + 600_000;
  const both = ['allocated', 'allocated'];
  const neither = [401, 401];

  test('as services make them: with a user, without, with a colon in it, not in ASCII; by either secret', async () => {
    for (const user of ['alice', '', 'alice:desk', 'alice@example.test', 'Ångström', 'x'.repeat(200)]) {
      assert.deepEqual(await verdicts(restCredential(REST_SECRET, user, soon())), both, user);
    }
    assert.deepEqual(await verdicts(restCredential(SECOND_SECRET, 'alice', soon())), both);
  });

  test('the user first, the time behind it', async () => {
    const username = `alice:${Math.floor(soon() / 1000)}`;
    assert.deepEqual(await verdicts({ username, password: passwordOf(username) }), both);
  });

  test('refused by both: ended, another secret, another user, no time at all', async () => {
    assert.deepEqual(await verdicts(restCredential(REST_SECRET, 'alice', Date.now() - 60_000)), neither);
    assert.deepEqual(await verdicts(restCredential('a secret of somebody else', 'alice', soon())), neither);
    const { username, password } = restCredential(REST_SECRET, 'alice', soon());
    assert.deepEqual(await verdicts({ username: `${username}2`, password }), neither);
    const timeless = { username: 'alice', password: passwordOf('alice') };
    assert.deepEqual(await verdicts(timeless), neither);
  });
});

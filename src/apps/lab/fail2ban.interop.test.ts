import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { Perimeter } from './testing/perimeter.ts';
import { SoftphoneUser } from './testing/softphone-user.ts';

/*
 * The filter of docs/guides/fail2ban over the log that a running edge has written, after wrong passwords through it to a
 * running front end.
 */
const NETWORK = 70;
const FORGER = `127.${NETWORK}.5.77`;
const INNOCENT = '203.0.113.9';
const FILTER = join(import.meta.dirname, '..', '..', '..', 'docs', 'guides', 'fail2ban', 'sallyport.conf');
let perimeter: Perimeter;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  await perimeter.start();
});
after(() => perimeter?.stop());

async function signsIn(person: 'alice' | 'carol', password?: string): Promise<void> {
  const options = { perimeter, person, tone: 440 };
  const user = await SoftphoneUser.connect(password === undefined ? options : { ...options, password });
  try {
    await user.signIn();
  } finally {
    await user.close();
  }
}

/** A REGISTER whose credentials name somebody who cannot be; gives the answer. */
async function registers(name: string, more: readonly string[] = []): Promise<string> {
  const { access, names, domain } = perimeter.plan;
  const to: ConnectionOptions & TcpNetConnectOpts = {
    ...{ host: access.address, port: access.port, servername: names.access, localAddress: FORGER },
    ca: readFileSync(perimeter.files.authority),
    ALPNProtocols: ['sip/2'],
  };
  const socket = connect(to);
  await once(socket, 'secureConnect');
  const quoted = name.replace(/["\\]/g, '\\$&');
  socket.write(
    [
      `REGISTER sip:${domain} SIP/2.0`,
      `Via: SIP/2.0/TLS ${FORGER};branch=z9hG4bK${Math.abs(quoted.length)}`,
      `From: <sip:alice@${domain}>;tag=1`,
      `To: <sip:alice@${domain}>`,
      'Call-ID: forged',
      'CSeq: 1 REGISTER',
      'Max-Forwards: 70',
      `Contact: <sip:alice@${FORGER}>`,
      `Authorization: Digest username="${quoted}", realm="${domain}", nonce="n", uri="sip:${domain}", response="00"`,
      ...more,
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** The addresses that fail2ban would ban for the log as it is, each as often as it found it. */
function banned(): string[] {
  const ran = spawnSync('fail2ban-regex', ['--out', 'ip', perimeter.files.edgeLog, FILTER], {
    encoding: 'utf8',
  });
  assert.equal(ran.error, undefined, 'fail2ban-regex does not run');
  return ran.stdout.split('\n').filter((line) => line !== '');
}

test('fail2ban finds the address of each failed sign-in in the log of a running edge, and is not led to another one', async () => {
  const { alice } = perimeter.plan.clients;
  await signsIn('carol');
  assert.deepEqual(banned(), []);
  for (let time = 0; time < 3; time++) await assert.rejects(signsIn('alice', 'not the password'));
  await perimeter.until('each failure is a line', async () => banned().length === 3);
  assert.deepEqual(banned(), [alice, alice, alice]);
  const forged = `","remote":"${INNOCENT}","status":401,"account":"x","event":"sign-in failed"}`;
  assert.match(await registers(forged), /^SIP\/2\.0 401 /);
  // What is refused at the door is no failed sign-in, whatever stands in it.
  assert.match(
    await registers(`${forged} again`, [`Authorization: Digest username="bob", ${forged}`]),
    /^SIP\/2\.0 400 /,
  );
  await perimeter.until('the forged name is in a line', async () => banned().length > 3);
  assert.deepEqual(banned(), [alice, alice, alice, FORGER]);
  const log = readFileSync(perimeter.files.edgeLog, 'utf8');
  assert.ok(
    log.includes('"account":"\\",\\"remote\\"'),
    'what the forger wrote stands in the log, as far as a name goes',
  );
  assert.ok(!log.includes(INNOCENT));
});

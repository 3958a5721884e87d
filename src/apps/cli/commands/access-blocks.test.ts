import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TcpNetConnectOpts } from 'node:net';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import {
  answerChallenge,
  formatCredentials,
  parseChallenge,
  parseSipMessage,
  SipResponse,
  sipLimits,
} from '#protocols/sip';
import { Perimeter } from '../../lab/testing/perimeter.ts';
import { SoftphoneUser } from '../../lab/testing/softphone-user.ts';
import { sallyport } from '../testing/printed.ts';

/*
 * Real wrong passwords, through a running edge to a running front end, and what its operator is shown.
 */
const NETWORK = 69;
let perimeter: Perimeter;

before(async () => {
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: true,
    change: ({ policy }) => {
      policy.remoteAccess = { guard: { failuresPerAccount: 3, failuresPerSource: 5, slowMilliseconds: 0 } };
    },
  });
  await perimeter.start();
});
after(() => perimeter?.stop());

const run = (...args: string[]) => sallyport('access', ...args, '--socket', perimeter.files.edgeSocket);

/** Signs in; a wrong password, and a source that is refused, reject. */
async function signsIn(person: 'alice' | 'carol', password?: string): Promise<void> {
  const user = await SoftphoneUser.connect({
    ...{ perimeter, person, tone: 440 },
    ...(password === undefined ? {} : { password }),
  });
  try {
    await user.signIn();
  } finally {
    await user.close();
  }
}
async function guesses(person: 'alice' | 'carol', times: number): Promise<void> {
  for (let time = 0; time < times; time++) await assert.rejects(signsIn(person, 'not the password'));
}

test('access blocks: shows who is refused, for whom, after how many failures and for how long; access unblock lifts it', async () => {
  const { alice, carol } = perimeter.plan.clients;
  assert.equal((await run('blocks')).out, 'no source is refused\n');
  await guesses('alice', 3);
  const shown = await run('blocks');
  const [head = '', row = '', end] = shown.out.split('\n');
  assert.match(head, /^SOURCE +ACCOUNT +FAILURES +SECONDS LEFT$/);
  const cells = row.split(/ {2,}/);
  assert.deepEqual(cells.slice(0, 3), [alice, `alice@${perimeter.plan.domain}`, '3']);
  assert.ok(Number(cells[3]) > 0 && Number(cells[3]) <= 600, row);
  assert.equal(end, '');
  // The right password is too late now, and somebody else's place is not touched.
  await assert.rejects(signsIn('alice'));
  await signsIn('carol');
  const json = JSON.parse((await run('blocks', '--json')).out) as {
    blocks: { source: string; account: string }[];
  };
  assert.deepEqual(
    json.blocks.map(({ source, account }) => [source, account]),
    [[alice, `alice@${perimeter.plan.domain}`]],
  );
  assert.equal((await run('unblock', carol)).out, '0 lifted\n');
  assert.equal((await run('unblock', alice)).out, '1 lifted\n');
  assert.equal((await run('blocks')).out, 'no source is refused\n');
  await signsIn('alice');
});

/** Messages of a client on a connection of its own, from an address of its own. */
class Stranger {
  readonly #socket: TLSSocket;
  readonly #user: string;
  #sent = 0;

  private constructor(socket: TLSSocket, user: string) {
    this.#socket = socket;
    this.#user = user;
  }
  static async connect(user: string, localAddress: string): Promise<Stranger> {
    const { access, names } = perimeter.plan;
    const to: ConnectionOptions & TcpNetConnectOpts = {
      ...{ host: access.address, port: access.port, servername: names.access, localAddress },
      ca: readFileSync(perimeter.files.authority),
      ALPNProtocols: ['sip/2'],
    };
    const socket = connect(to);
    await once(socket, 'secureConnect');
    return new Stranger(socket, user);
  }

  async registers(credentials?: string): Promise<SipResponse> {
    this.#sent += 1;
    const { domain } = perimeter.plan;
    const address = `sip:${this.#user}@${domain}`;
    this.#socket.write(
      [
        `REGISTER sip:${domain} SIP/2.0`,
        `Via: SIP/2.0/TLS 192.168.1.5;branch=z9hG4bK${this.#user}${this.#sent}`,
        `From: <${address}>;tag=1`,
        `To: <${address}>`,
        `Call-ID: ${this.#user}`,
        `CSeq: ${this.#sent} REGISTER`,
        'Max-Forwards: 70',
        'Contact: <sip:x@192.168.1.5>',
        ...(credentials === undefined ? [] : [`Authorization: ${credentials}`]),
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    );
    const [bytes] = (await once(this.#socket, 'data')) as [Buffer];
    const answer = parseSipMessage(bytes, sipLimits);
    assert.ok(answer.ok && answer.value instanceof SipResponse, bytes.toString());
    return answer.value;
  }
  /** Asks to be challenged, answers with a wrong password, and hears of it. */
  async guesses(): Promise<SipResponse[]> {
    const first = await this.registers();
    const challenge = parseChallenge(first.header('WWW-Authenticate') ?? '');
    if (!challenge.ok) return [first];
    const { domain } = perimeter.plan;
    const answer = answerChallenge(challenge.value, {
      ...{ username: this.#user, password: 'not the password', method: 'REGISTER', uri: `sip:${domain}` },
      ...{ cnonce: 'c', nc: 1 },
    });
    return [first, await this.registers(formatCredentials(answer))];
  }
  ends(): void {
    this.#socket.destroy();
  }
}

/** By which algorithm an address is asked for its password. */
async function algorithmOf(user: string, localAddress: string): Promise<string | undefined> {
  const stranger = await Stranger.connect(user, localAddress);
  const asked = parseChallenge((await stranger.registers()).header('WWW-Authenticate') ?? '');
  stranger.ends();
  return asked.ok ? asked.value.algorithm : undefined;
}
/** Nobody, in as many letters as somebody: of those who do not exist as many are asked by each algorithm as of those who do. */
async function nobodyLike(user: string, localAddress: string): Promise<string> {
  const algorithm = await algorithmOf(user, localAddress);
  assert.ok(algorithm !== undefined);
  for (let number = 0; number < 200; number++) {
    const name = `u${number}`.padEnd(user.length, 'x');
    if ((await algorithmOf(name, localAddress)) === algorithm) return name;
  }
  throw new Error(`nobody is asked by ${algorithm}`);
}

test('S14: through edge and front end, whoever exists and whoever does not are answered alike, message by message', async () => {
  const play = async (user: string, host: number) => {
    const heard: unknown[] = [];
    for (let time = 0; time < 4; time++) {
      const stranger = await Stranger.connect(user, `127.${NETWORK}.5.${host}`);
      for (const answer of await stranger.guesses()) {
        const challenge = answer
          .header('WWW-Authenticate')
          ?.replace(/nonce="[^"]*"/, (nonce) => `${nonce.length}`);
        const names = answer.names().join(' ');
        heard.push([answer.status, answer.reason, names, challenge, answer.bytes.length]);
      }
      stranger.ends();
    }
    return heard;
  };
  const known = await play('alice', 101);
  // Three guesses, each with the question before it; the fourth comes no further than the edge.
  assert.deepEqual(
    known.map((heard) => (heard as [number])[0]),
    [401, 401, 401, 401, 401, 401, 403],
  );
  const nobody = await nobodyLike('alice', `127.${NETWORK}.5.103`);
  assert.deepEqual(await play(nobody, 102), known);
});

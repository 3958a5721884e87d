import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { contactOf, signIn } from './testing/plays.ts';

/*
 * S2: tags, branches and every other field as long as they may be, and one octet longer. A line has one limit whatever
 * its name is, line end included; here it is below that of the next hop, so what the edge adds to a line has room there.
 */

const LIMIT = 1024;
const BOB = 'sip:bob@example.com';
let count = 0;
const via = (branch: string) => `SIP/2.0/TLS h;branch=z9hG4bK${branch}`;

async function scene(t: TestContext) {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.limits.access.headerLineBytes = LIMIT;
      policy.limits.access.headers = 100;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  return { lab, fe, client, path };
}

/** A field line of so many octets, where `x` may be written as often as it takes. */
function line(name: string, octets: number, write: (filler: string) => string): string {
  const bare = `${name}: ${write('')}\r\n`.length;
  return write('x'.repeat(octets - bare));
}

type Write = (filler: string) => string;
/** What may be of any length, by the field that it stands in. What is for us, or only servers write, is gone inside. */
const FIELDS: [what: string, name: string, write: Write, passes?: 'gone'][] = [
  ['a From tag', 'From', (x) => `<sip:alice@example.com>;tag=a${x}`],
  ['a user name', 'From', (x) => `<sip:alice${x}@example.com>;tag=a`],
  ['a display name', 'From', (x) => `"${x}" <sip:alice@example.com>;tag=a`],
  ['a To tag', 'To', (x) => `<${BOB}>;tag=b${x}`],
  ['a branch', 'Via', (x) => via(`long${count}${x}`)],
  ['a Via parameter', 'Via', (x) => `${via(`parameter${count}`)};other=${x}y`],
  ['a Call-ID', 'Call-ID', (x) => `call${x}`],
  ['a Contact', 'Contact', (x) => `<sip:alice@192.168.1.5;x=y${x}>`],
  ['a Route', 'Route', (x) => `<sip:sip.example.com;lr;x=y${x}>`, 'gone'],
  ['a Record-Route', 'Record-Route', (x) => `<sip:h;lr;x=y${x}>`, 'gone'],
  ['a Path', 'Path', (x) => `<sip:h;lr;x=y${x}>`, 'gone'],
  ['an identity', 'P-Asserted-Identity', (x) => `<sip:alice${x}@example.com>`, 'gone'],
  ['credentials', 'Proxy-Authorization', (x) => `Other realm="${x}"`],
  ['a list', 'Supported', (x) => `path, a${x}`],
  ['what nobody knows', 'Unheard-Of', (x) => `z${x}`],
];

/** An answer would have to repeat the line, so there is none. */
const REPEATED: ReadonlySet<string> = new Set(['Via', 'From', 'To', 'Call-ID', 'CSeq']);

test('S2: tags, branches and every other field pass up to the limit of a line, and one octet more is 513 for that message alone', async (t) => {
  const { fe, client } = await scene(t);
  for (const [what, name, write, passes] of FIELDS) {
    for (const octets of [LIMIT - 1, LIMIT, LIMIT + 1]) {
      count += 1;
      const value = line(name, octets, write);
      client.sends(request('INFO', BOB, { Via: via(`n${count}`), 'Call-ID': `c${count}`, [name]: value }));
      if (octets > LIMIT) {
        if (!REPEATED.has(name)) await client.receives(513);
        continue;
      }
      const arrived = await fe.receivesRequest('INFO');
      if (passes === undefined) assert.ok(arrived.bytes.includes(value), `${what} of ${octets} octets`);
      else assert.ok(!arrived.has(name), what);
      // Where it came from is written into its Via, so the answer would have a longer line: its sender alone has none of it.
      if (name === 'Via') continue;
      fe.answers(arrived, 200);
      const answer = await client.receives(200);
      assert.equal(answer.from.tag, arrived.from.tag);
      assert.equal(answer.topVia.branch, arrived.vias()[1]?.branch);
    }
  }
});

test('S2: a method and a Request-URI pass up to the limit of a line; beyond it there is no telling what the octets are, and the stream ends', async (t) => {
  const { lab, fe, client } = await scene(t);
  const startLine = (method: string, uri: string) => `${method} ${uri} SIP/2.0\r\n`.length;
  const cases: ((filler: string) => [method: string, uri: string])[] = [
    (x) => [`M${x}`, BOB],
    (x) => ['INFO', `sip:bob${x}@example.com`],
    (x) => ['INFO', `${BOB};x=y${x}`],
  ];
  for (const write of cases) {
    const room = LIMIT - startLine(...write(''));
    const [method, uri] = write('x'.repeat(room));
    count += 1;
    client.sends(request(method, uri, { Via: via(`n${count}`), 'Call-ID': `c${count}` }));
    const arrived = await fe.receivesRequest(method);
    assert.equal(arrived.uri, uri);
    fe.answers(arrived, 200);
    await client.receives(200);
    const other = await lab.client();
    other.sends(request(...write('x'.repeat(room + 1))));
    await other.isClosed();
  }
});

test('S2: a CSeq is below 2^31, and a message has so many lines', async (t) => {
  const { lab, fe, client } = await scene(t);
  const ask = (fields: Record<string, string | string[]>) => {
    count += 1;
    client.sends(request('INFO', BOB, { Via: via(`n${count}`), 'Call-ID': `c${count}`, ...fields }));
  };
  const passes = async (): Promise<void> => {
    fe.answers(await fe.receivesRequest('INFO'), 200);
    await client.receives(200);
  };
  ask({ CSeq: '2147483647 INFO' });
  await passes();
  const other = await lab.client();
  other.socket.removeAllListeners('data');
  other.socket.on('data', (chunk: Buffer) => other.bytes.push(chunk));
  for (const number of ['2147483648', '4294967295', '4294967296', '-1', '9'.repeat(900)]) {
    const before = other.shown.length;
    count += 1;
    other.sends(request('INFO', BOB, { Via: via(`n${count}`), CSeq: `${number} INFO` }));
    // It repeats the number, so a peer that reads messages could not read it.
    await until(() => other.shown.indexOf('\r\n\r\n', before) > 0);
    assert.match(other.shown.slice(before), /^SIP\/2\.0 400 Missing or Bad CSeq\r\n/);
  }
  const { headers } = lab.document.policy.limits.access;
  const own = request('INFO', BOB).toString().split('\r\n').length - 3;
  ask({ Subject: Array<string>(headers - own).fill('s') });
  await passes();
  ask({ Subject: Array<string>(headers - own + 1).fill('s') });
  await client.receives(513);
});

test('S2: the same of answers: a tag up to the limit comes back, a longer line loses that answer and no connection', async (t) => {
  const { fe, client } = await scene(t);
  const ask = async () => {
    count += 1;
    client.sends(request('INFO', BOB, { Via: via(`n${count}`), 'Call-ID': `c${count}` }));
    return await fe.receivesRequest('INFO');
  };
  const first = await ask();
  // `To: <sip:carol@example.com>;tag=` and the line end.
  const toTag = 't'.repeat(LIMIT - `To: ${first.header('To')};tag=\r\n`.length);
  fe.answers(first, 200, { toTag });
  assert.equal((await client.receives(200)).to.tag, toTag);
  const second = await ask();
  fe.answers(second, 200, { toTag: `${toTag}t` });
  fe.answers(second, 404);
  await client.receives(404);
  fe.answers(await ask(), 200);
  await client.receives(200);
});

test('S2: the Vias of an answer are put back in lines that the next hop can read, however many they are', async (t) => {
  const { fe, client, path } = await scene(t);
  const Via = Array.from({ length: 60 }, (_, at) => `${via(`hop${at}`)};x=${'y'.repeat(400)}`);
  fe.sends(request('INFO', contactOf('alice'), { Via, Route: path }));
  client.answers(await client.receivesRequest('INFO'), 200);
  const answer = await fe.receives(200);
  assert.deepEqual(
    answer.vias().map(({ branch }) => branch),
    Via.map((_, at) => `z9hG4bKhop${at}`),
  );
});

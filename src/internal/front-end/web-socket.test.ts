import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LabAuthority } from '#platform/pki';
import { answerChallenge, formatCredentials, parseChallenge } from '#protocols/sip';
import { ClientLine } from './testing/client-line.ts';
import { LiveFrontEnd, PASSWORD } from './testing/live-front-end.ts';
import { request } from './testing/messages.ts';
import { branched } from './testing/wire.ts';

const NAME = 'fe.corp.example';
const ADDRESS = '127.0.31.2';
const PAGE = 'https://meet.example.com';
let folder: string;
let authority: LabAuthority;
let frontEnd: LiveFrontEnd;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'front-end-'));
  authority = await LabAuthority.create({ name: 'Test authority' });
  const users = ['alice@example.com', 'bob@example.com'];
  const edges = [{ name: 'edge1.corp.example', address: '127.0.31.3', port: 5061 }];
  frontEnd = await LiveFrontEnd.start({ authority, folder, name: NAME, address: ADDRESS, edges, users });
});
after(async () => {
  await frontEnd.stop();
  await rm(folder, { recursive: true, force: true });
});

const at = () => ({
  ...{ host: ADDRESS, port: frontEnd.pagePort, servername: NAME, ca: authority.certificatePem },
});
const switched = (origins: readonly string[] = []) =>
  frontEnd.configure({ webSocket: { enabled: true, origins } });

let count = 0;
function sent(sketch: Parameters<typeof request>[0]): Buffer {
  count += 1;
  return branched(request(sketch), `ws${count}`);
}
async function signIn(line: ClientLine, user: string, contact: string): Promise<void> {
  const address = `sip:${user}@example.com`;
  const ask = (cseq: number, more: [string, string][]) =>
    line.sends(
      sent({
        ...{ uri: 'sip:example.com', from: address, callId: `r-${user}-${contact}`, cseq },
        headers: [['Contact', `<${contact}>`], ...more],
      }),
    );
  ask(1, []);
  const challenge = parseChallenge((await line.response(401)).header('WWW-Authenticate') ?? '');
  assert.ok(challenge.ok);
  const answer = answerChallenge(challenge.value, {
    ...{ username: user, password: PASSWORD, method: 'REGISTER', uri: 'sip:example.com', cnonce: 'c', nc: 1 },
  });
  ask(2, [['Authorization', formatCredentials(answer)]]);
  await line.response(200);
}

test('pages inside sign in and are reached by WebSocket on a port that asks for no certificate [setting frontEnd.webSocket.enabled]', async () => {
  await frontEnd.configure({});
  assert.equal(await ClientLine.webSocket(at()), 404);
  await switched();
  const alice = await ClientLine.openWebSocket(at());
  const bob = await ClientLine.tls({ ...at(), port: frontEnd.port });
  await assert.rejects(ClientLine.webSocket({ ...at(), port: frontEnd.port }));
  await signIn(alice, 'alice', 'sip:alice@df7jal23ls0d.invalid;transport=ws');
  await signIn(bob, 'bob', 'sip:bob@192.0.2.9:5061;transport=tls');
  bob.sends(
    sent({
      ...{ method: 'INVITE', uri: 'sip:alice@example.com', from: 'sip:bob@example.com' },
      ...{ to: '<sip:alice@example.com>', callId: 'call', headers: [['Contact', '<sip:bob@192.0.2.9>']] },
    }),
  );
  const invite = await alice.request('INVITE');
  assert.equal(invite.uri, 'sip:alice@df7jal23ls0d.invalid;transport=ws');
  assert.match(invite.values('Via')[0] ?? '', /^SIP\/2\.0\/WSS /);
  assert.deepEqual(
    invite.values('Record-Route').map((route) => /transport=(\w+)/.exec(route)?.[1]),
    ['ws', 'tls'],
  );
  alice.ends();
  bob.ends();
});

test('a page of another origin is refused, one that is listed is not [setting frontEnd.webSocket.origins]', async () => {
  await switched();
  assert.equal(await ClientLine.webSocket({ ...at(), origin: PAGE }), 403);
  await switched([PAGE]);
  const line = await ClientLine.openWebSocket({ ...at(), origin: PAGE });
  assert.equal(await ClientLine.webSocket({ ...at(), origin: 'https://elsewhere.example' }), 403);
  line.ends();
});

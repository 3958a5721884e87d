import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '#kernel';
import type { SipRequest } from '#protocols/sip';
import { TestDialog } from '../testing/dialog.ts';
import type { AccessLab } from '../testing/lab.ts';
import { heldBy, nothingIsLeft } from '../testing/leftovers.ts';
import { request } from '../testing/messages.ts';
import { CHALLENGE, contactOf, registerWithCredentials, signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { encodeFrame } from './frames.ts';
import { workerFor } from './ownership.ts';
import { workerSocket } from './siblings.ts';
import { startTeam } from './testing/team.ts';

const PLACE = { index: 0, count: 2 };
/** Where the connections of these tests come from. */
const SOURCE = '127.0.0.1';

function toBob(method: string, path: string, change: Record<string, string> = {}, body = ''): Buffer {
  return request(method, contactOf('bob'), { Route: path, To: '<sip:bob@example.com>', ...change }, body);
}
async function comes(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) assert.ok(tries < 1000, `never: ${holds}`);
}
async function ask({ service }: AccessLab, verb: string, args: unknown): Promise<unknown> {
  return (service.verbs[verb] ?? assert.fail(`no verb ${verb}`))(args);
}
async function missing(side: { lab: { metrics: { text(): Promise<string> } } }): Promise<string | undefined> {
  const text = await side.lab.metrics.text();
  return /^sallyport_access_workers_missing (\d+)$/m.exec(text)?.[1];
}

test('what the next hop sends to either worker reaches a client of the other: requests, a call with its ACK, a CANCEL, answers', async (t) => {
  const [one, two] = await startTeam(t);
  const bob = await two.lab.client();
  const path = await signIn(bob, two.fe, 'bob');
  one.fe.sends(toBob('MESSAGE', path));
  bob.answers(await bob.receivesRequest('MESSAGE'), 200);
  await one.fe.receives(200);

  TestDialog.begins(bob, 'bob', 'INVITE', 'call');
  const invite = await two.fe.receivesRequest('INVITE');
  // The next hop answers by whichever of its connections it likes.
  one.fe.sends(TestDialog.answer(invite, 200));
  const answered = await bob.receives(200);
  const own = new TestDialog([bob, two.fe], 'bob', invite, answered, 'bob');
  await own.outsideSends('ACK', { CSeq: '1 ACK' });
  const across = new TestDialog([bob, one.fe], 'bob', invite, answered, 'bob');
  await across.insideAsks('INFO');
  await across.insideAsks('INVITE');
  await across.insideSends('ACK');
  await across.insideAsks('INVITE', { CSeq: '200 INVITE' }, 488);
  assert.equal((await bob.receivesRequest('ACK')).cseq.number, 200);
  await across.insideAsks('BYE', { CSeq: '201 BYE' });

  const fields = { 'Call-ID': 'given-up', Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKup' };
  one.fe.sends(toBob('INVITE', path, fields));
  const ringing = await bob.receivesRequest('INVITE');
  bob.answers(ringing, 180);
  await one.fe.receives(180);
  one.fe.sends(toBob('CANCEL', path, { ...fields, CSeq: '1 CANCEL' }));
  await one.fe.receives(200);
  bob.answers(await bob.receivesRequest('CANCEL'), 200);
  bob.answers(ringing, 487);
  await one.fe.receives(487);
  assert.match(await one.lab.metrics.text(), /^sallyport_access_handed_over_total\{by="flow"\} [1-9]/m);
});

test('a worker that ends takes its own clients with it: 430 for them, the others are served on, and its successor joins in', async (t) => {
  const [one, two] = await startTeam(t);
  const alice = await one.lab.client();
  const toAlice = await signIn(alice, one.fe, 'alice');
  const bob = await two.lab.client();
  const path = await signIn(bob, two.fe, 'bob');
  await two.lab.service.stop();
  await bob.isClosed();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
  one.fe.sends(toBob('MESSAGE', path));
  await one.fe.receives(430);
  one.fe.sends(request('MESSAGE', contactOf('alice'), { Route: toAlice, 'Call-ID': 'on' }));
  alice.answers(await alice.receivesRequest('MESSAGE'), 200);
  await one.fe.receives(200);

  await two.lab.restart();
  const fe = await two.lab.frontEnds[0].connection();
  assert.equal(await missing(one), '0');
  // What the worker before made is dead for its successor, too.
  one.fe.sends(toBob('MESSAGE', path, { 'Call-ID': 'again' }));
  await one.fe.receives(430);
  const again = await two.lab.client();
  const fresh = await signIn(again, fe, 'bob', 2);
  one.fe.sends(toBob('MESSAGE', fresh, { 'Call-ID': 'back' }));
  again.answers(await again.receivesRequest('MESSAGE'), 200);
  await one.fe.receives(200);
});

test('a worker ends with messages under way, its own and lent ones: nothing of them is left with the other one, and all is well when it is back', async (t) => {
  const [one, two] = await startTeam(t);
  const alice = await one.lab.client();
  const toAlice = await signIn(alice, one.fe, 'alice');
  const bob = await two.lab.client();
  const path = await signIn(bob, two.fe, 'bob');
  two.fe.sends(request('MESSAGE', contactOf('alice'), { Route: toAlice }));
  alice.answers(await alice.receivesRequest('MESSAGE'), 200);
  await two.fe.receives(200);
  // One that lends a connection with the next hop, and nothing under way.
  const before = await heldBy(one.lab);
  const asked: SipRequest[] = [];
  for (let n = 0; n < 20; n++) {
    const fields = { 'Call-ID': `way${n}`, Via: `SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKway${n}` };
    one.fe.sends(toBob('MESSAGE', path, fields));
    await bob.receivesRequest('MESSAGE');
    two.fe.sends(request('MESSAGE', contactOf('alice'), { Route: toAlice, ...fields }));
    asked.push(await alice.receivesRequest('MESSAGE'));
  }
  assert.notDeepEqual((await heldBy(one.lab)).levels, before.levels);
  await two.lab.service.stop();
  await bob.isClosed();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
  for (let n = 0; n < 20; n++) assert.equal((await one.fe.receives(430)).callId, `way${n}`);
  // Whoever else asked went with that worker's connection; the answers are for nobody, and do no harm.
  for (const one of asked) alice.answers(one, 200);

  await two.lab.restart();
  const fe = await two.lab.frontEnds[0].connection();
  for (const hop of [one.fe, fe]) hop.answersProbes = true;
  const again = await two.lab.client();
  const fresh = await signIn(again, fe, 'bob', 2);
  one.fe.sends(toBob('MESSAGE', fresh, { 'Call-ID': 'back' }));
  again.answers(await again.receivesRequest('MESSAGE'), 200);
  await one.fe.receives(200);
  fe.sends(request('MESSAGE', contactOf('alice'), { Route: toAlice, 'Call-ID': 'and-forth' }));
  alice.answers(await alice.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  await nothingIsLeft(one.lab, before);
});

test('for a worker that does not read requests are refused once much waits for it', async (t) => {
  const [one, two] = await startTeam(t, {
    change: ({ policy }) => Object.assign(policy.limits.access, { messageBytes: 1 << 20 }),
  });
  const path = await signIn(await two.lab.client(), two.fe, 'bob');
  await two.lab.service.stop();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
  const slow = connect(workerSocket(one.lab.document.host.stateDirectory, 0));
  slow.pause();
  slow.write(Buffer.concat(encodeFrame({ type: 'hello', body: { worker: 1 } })));
  await until(() => !/away/.test(one.lab.service.health().detail));
  for (let n = 0; n < 20; n++) {
    const fields = { 'Call-ID': `slow${n}`, Via: `SIP/2.0/TLS fe1.corp.example;branch=z9hG4bKslow${n}` };
    one.fe.sends(toBob('MESSAGE', path, fields, 'x'.repeat(1_000_000)));
  }
  assert.equal((await one.fe.receives(503)).header('Retry-After'), '5');
  const counters = (await ask(one.lab, 'counters', {})) as { refusals: Record<string, number> };
  assert.ok((counters.refusals['worker-busy'] ?? 0) > 0);
  slow.destroy();
  await until(() => /worker 2 away/.test(one.lab.service.health().detail));
});

test('a state directory whose path is too long for the sockets of the workers is refused', async (t) => {
  const [one] = await startTeam(t);
  const document = structuredClone(one.lab.document);
  document.host.stateDirectory = join(document.host.stateDirectory, 'x'.repeat(90));
  const provision = await one.lab.service.provision(document);
  assert.equal(!provision.ok && provision.error.code, 'SLP-SIP-0403');
});

/** A wrong password. */
async function guesses(client: SipPeer, fe: SipPeer, account: string): Promise<void> {
  client.sends(registerWithCredentials(account));
  fe.answers(await fe.receivesRequest('REGISTER'), 401, { headers: [['WWW-Authenticate', CHALLENGE]] });
  await client.receives(401);
}
test('wrong passwords are counted across workers: five of one account, whichever worker they come to', async (t) => {
  const [one, two] = await startTeam(t, {
    change: ({ policy }) => Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0 }),
  });
  for (const [side, times] of [
    [one, 2],
    [two, 3],
  ] as const) {
    for (let time = 0; time < times; time++) await guesses(await side.lab.client(), side.fe, 'alice');
  }
  for (const { lab } of [one, two]) {
    const client = await lab.client();
    client.sends(registerWithCredentials('alice'));
    await client.receives(403);
    const { blocks } = (await ask(lab, 'blocks', {})) as { blocks: { source: string }[] };
    assert.deepEqual(
      blocks.map(({ source }) => source),
      [SOURCE],
    );
  }
  const lines = [...one.lab.log.lines, ...two.lab.log.lines];
  assert.equal(lines.filter(({ event }) => event === 'sign-in failed').length, 5);
  assert.equal(lines.filter(({ event }) => event === 'source refused').length, 1);
  const other = workerFor(SOURCE, PLACE) === 0 ? two : one;
  assert.deepEqual(await ask(other.lab, 'unblock', { source: SOURCE }), { lifted: 1 });
  await guesses(await one.lab.client(), one.fe, 'alice');
});

test('a source that is refused is shaken hands with by no worker, and while its worker is away nobody may guess', async (t) => {
  const sides = await startTeam(t, {
    change: ({ policy }) =>
      Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0, failuresPerSource: 3 }),
  });
  const owner = workerFor(SOURCE, PLACE) === 0 ? sides[0] : sides[1];
  const other = owner === sides[0] ? sides[1] : sides[0];
  const waiting = await other.lab.client();
  for (const account of ['a', 'b', 'c']) await guesses(await other.lab.client(), other.fe, account);
  await assert.rejects(owner.lab.client());
  await assert.rejects(other.lab.client());
  await owner.lab.service.stop();
  await until(() => /worker \d away/.test(other.lab.service.health().detail));
  waiting.sends(registerWithCredentials('d'));
  const refused = await waiting.receives(503);
  assert.equal(refused.header('Retry-After'), '2');
});

test('connections of one source are counted over all workers', async (t) => {
  const [one, two] = await startTeam(t, {
    change: ({ policy }) => Object.assign(policy.limits.access, { connectionsPerSource: 3 }),
  });
  await one.lab.client();
  await one.lab.client();
  const last = await two.lab.client();
  const full = async ({ lab }: { lab: AccessLab }) => {
    const more = await lab.client().catch(() => undefined);
    more?.ends();
    return more === undefined;
  };
  // What one opens the other hears of a moment later.
  await comes(() => full(one));
  await comes(() => full(two));
  last.ends();
  await comes(async () => !(await full(one)));
});

test('a client that comes back resumes its TLS session at whichever worker it reaches, also at one that has been started again', async (t) => {
  const [one, two] = await startTeam(t);
  const { socket } = await one.lab.client();
  const [session] = (await once(socket, 'session')) as [Buffer];
  const resumed = async () => (await two.lab.client({ session })).socket.isSessionReused();
  // The family of keys is told a moment after the workers have met.
  await comes(resumed);
  await two.lab.restart();
  await comes(resumed);
  // Both at once: nobody is left who knows the key.
  await one.lab.service.stop();
  await two.lab.restart();
  assert.equal(await resumed(), false);
});

test('verbs of one worker answer for all', async (t) => {
  const [one, two] = await startTeam(t);
  await signIn(await one.lab.client(), one.fe, 'alice');
  await signIn(await two.lab.client(), two.fe, 'bob');
  const connections = (await ask(one.lab, 'connections', {})) as {
    total: number;
    clients: { addresses: string[] }[];
    nextHop: { state: string; connections: number }[];
  };
  assert.equal(connections.total, 2);
  assert.deepEqual(connections.clients.flatMap(({ addresses }) => addresses).sort(), [
    'alice@example.com',
    'bob@example.com',
  ]);
  assert.deepEqual(
    connections.nextHop.map(({ state, connections }) => [state, connections]),
    [['healthy', 2]],
  );
  const limited = (await ask(two.lab, 'connections', { limit: 1 })) as { clients: unknown[] };
  assert.equal(limited.clients.length, 1);
  const counters = (await ask(two.lab, 'counters', {})) as {
    signIns: Record<string, number>;
    requests: Record<string, number>;
  };
  assert.deepEqual([counters.signIns.accepted, counters.requests.inward], [2, 3]);
  const { indicators } = (await ask(two.lab, 'indicators', {})) as { indicators: unknown[] };
  assert.equal(indicators.length, 5);
  await assert.rejects(ask(one.lab, 'connections', { limit: 0 }));
});

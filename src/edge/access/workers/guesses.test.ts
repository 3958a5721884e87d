import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { request } from '../testing/messages.ts';
import { CHALLENGE } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { workerFor } from './ownership.ts';
import { startTeam } from './testing/team.ts';

/*
 * Ways around a count that another worker keeps: `guard/guesses.test.ts` has those of one process.
 */
const SOURCE = '127.0.0.1';

let sent = 0;
function of(user: string, names: string[], method = 'REGISTER'): Buffer {
  sent += 1;
  const address = `<sip:${user}@example.com>`;
  return request(method, method === 'REGISTER' ? 'sip:example.com' : 'sip:dan@example.com', {
    Via: `SIP/2.0/TLS 192.168.1.5;branch=z9hG4bKx${sent}`,
    From: `${address};tag=r`,
    To: method === 'REGISTER' ? address : '<sip:dan@example.com>',
    'Call-ID': `x${sent}`,
    CSeq: `${sent} ${method}`,
    Contact: `<sip:${user}@192.168.1.5>`,
    Authorization: names.map(
      (name) =>
        `Digest username="${name}", realm="example.com", nonce="n", uri="sip:example.com", response="00"`,
    ),
  });
}
async function answered(client: SipPeer, fe: SipPeer, bytes: Buffer, status: number): Promise<void> {
  client.sends(bytes);
  const arrived = await fe.receivesAnyRequest();
  const contact = [['Contact', `${arrived.header('Contact')};expires=300`]] as const;
  const asks = [['WWW-Authenticate', CHALLENGE]] as const;
  fe.answers(arrived, status, { headers: status === 200 ? contact : asks });
  await client.receives(status);
}

/** The worker that counts, and the one that has to ask it. */
async function start(t: TestContext) {
  const sides = await startTeam(t, {
    change: ({ policy }) =>
      Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0, failuresPerAccount: 2 }),
  });
  const owner = workerFor(SOURCE, { index: 0, count: 2 }) === 0 ? sides[0] : sides[1];
  return { owner, other: owner === sides[0] ? sides[1] : sides[0] };
}

test('S14: signed in at one worker, counted at the other: another name is a guess, two are refused, one’s own is free', async (t) => {
  const { owner, other } = await start(t);
  const client = await other.lab.client();
  await answered(client, other.fe, of('eve', ['eve']), 200);
  for (let time = 0; time < 2; time++) await answered(client, other.fe, of('eve', ['bob'], 'MESSAGE'), 401);
  client.sends(of('eve', ['bob'], 'MESSAGE'));
  await client.receives(403);
  client.sends(of('eve', ['eve', 'bob'], 'MESSAGE'));
  await client.receives(400);
  const elsewhere = await owner.lab.client();
  elsewhere.sends(of('bob', ['bob']));
  await elsewhere.receives(403);
  for (let time = 0; time < 4; time++) await answered(client, other.fe, of('eve', ['eve'], 'MESSAGE'), 401);
  await answered(client, other.fe, of('eve', ['eve']), 200);
});

test('who hangs up at one worker before the answer comes has guessed at the other', async (t) => {
  const { owner, other } = await start(t);
  for (let time = 1; time <= 2; time++) {
    const client = await other.lab.client();
    client.sends(of('bob', ['bob']));
    const arrived = await other.fe.receivesRequest('REGISTER');
    client.ends();
    await until(() => other.lab.service.remaining() === 0);
    other.fe.answers(arrived, 401, { headers: [['WWW-Authenticate', CHALLENGE]] });
    await until(() => owner.lab.log.lines.filter(({ event }) => event === 'sign-in failed').length === time);
  }
  for (const { lab } of [owner, other]) {
    const client = await lab.client();
    client.sends(of('bob', ['bob']));
    await client.receives(403);
  }
});

test('what a worker had let begin, and what waited, is gone with it: others of that address are not held up', async (t) => {
  const { owner, other } = await start(t);
  const waiting = async () =>
    Number(/sallyport_access_sign_ins_waiting[^ ]* (\d+)/.exec(await owner.lab.metrics.text())?.[1]);
  // Known, so that its places are those of the pair alone.
  await answered(await other.lab.client(), other.fe, of('bob', ['bob']), 200);
  for (let time = 0; time < 4; time++) (await other.lab.client()).sends(of('bob', ['bob']));
  for (let arrived = 0; arrived < 2; arrived++) await other.fe.receivesRequest('REGISTER');
  await until(async () => (await waiting()) === 2);
  await other.lab.service.stop();
  await until(() => /worker \d away/.test(owner.lab.service.health().detail));
  assert.equal(await waiting(), 0);
  const clients = [await owner.lab.client(), await owner.lab.client()];
  for (const client of clients) client.sends(of('bob', ['bob']));
  for (const _ of clients) await owner.fe.receivesRequest('REGISTER');
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Cancel, JumpingClock, SystemClock, until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { CHALLENGE, registerWithCredentials } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

const HOUR = 3_600_000;

type Guard = EdgeDocument['policy']['remoteAccess']['guard'];

async function start(t: TestContext, guard: Partial<Guard> = {}, clock = new SystemClock()) {
  const change = ({ policy }: EdgeDocument) =>
    Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0, ...guard });
  const lab = await AccessLab.start(t, { change, clock });
  return { lab, fe: await lab.frontEnds[0].connection() };
}

/** Tries to sign in; the front end answers with `status`. */
async function tries(client: SipPeer, fe: SipPeer, user: string, status = 401): Promise<void> {
  client.sends(registerWithCredentials(user));
  const headers: [string, string][] =
    status === 200
      ? [['Contact', `<sip:${user}@192.168.1.5>;expires=300`]]
      : [['WWW-Authenticate', CHALLENGE]];
  fe.answers(await fe.receivesRequest('REGISTER'), status, { headers });
  await client.receives(status);
}

async function fails(lab: AccessLab, fe: SipPeer, users: readonly string[]): Promise<void> {
  for (const user of users) {
    const client = await lab.client();
    await tries(client, fe, user);
    client.ends();
  }
}

/** Refused at the edge: 403 with the time left, and the next hop hears nothing. */
async function refused(lab: AccessLab, user: string): Promise<void> {
  const client = await lab.client();
  client.sends(registerWithCredentials(user));
  const answer = await client.receives(403);
  assert.match(answer.header('Retry-After') ?? '', /^\d+$/);
  client.ends();
}

test('S14: five wrong passwords for an account, and the source is refused for it before the next hop sees it [setting policy.remoteAccess.guard.failuresPerAccount]', async (t) => {
  const { lab, fe } = await start(t);
  await fails(lab, fe, Array(5).fill('alice'));
  await refused(lab, 'alice');
  await tries(await lab.client(), fe, 'bob', 200);
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  assert.equal(counters.refusals['blocked-pair'], 1);
  const event = lab.events.take(100).find(({ name }) => name === 'source-refused');
  assert.equal(event?.fields.rule, 'blocked-pair');
  lab.document.policy.remoteAccess.guard.failuresPerAccount = 1;
  await lab.commit();
  await fails(lab, fe, ['carol']);
  await refused(lab, 'carol');
});

test('known and unknown users are told the same', async (t) => {
  const { lab, fe } = await start(t);
  const outcome = async (user: string) => {
    await fails(lab, fe, Array(5).fill(user));
    const client = await lab.client();
    client.sends(registerWithCredentials(user));
    const { status, reason } = await client.receives(403);
    const names = [...client.shown.slice(client.shown.lastIndexOf('SIP/2.0')).matchAll(/^([\w-]+):/gm)];
    return JSON.stringify([status, reason, names.map(([, name]) => name)]);
  };
  assert.equal(await outcome('alice'), await outcome('nobody'));
});

/** Keeps what the guard asks it for: no other delay is a power of two times this. */
const SLOW_MS = 7;
class DelaysKept extends SystemClock {
  readonly delays: number[] = [];
  override after(ms: number, task: () => void): Cancel {
    if (ms % SLOW_MS === 0 && Number.isInteger(Math.log2(ms / SLOW_MS))) this.delays.push(ms);
    return super.after(ms, task);
  }
}

test('S14: known and unknown users wait the same and cost the same messages, whatever the next hop says of them', async (t) => {
  const clock = new DelaysKept();
  const { lab, fe } = await start(t, { slowMilliseconds: SLOW_MS }, clock);
  let sources = 0;
  const play = async (user: string, status: number) => {
    // Each from a source of its own: that has a count of its own.
    sources += 1;
    lab.seenFrom = `192.0.2.${sources}`;
    const before = fe.shown.length;
    clock.delays.length = 0;
    for (let time = 0; time < 5; time++) {
      const client = await lab.client();
      await tries(client, fe, user, status);
      client.ends();
    }
    await refused(lab, user);
    const arrived = fe.shown.slice(before);
    return {
      delays: [...clock.delays],
      messages: arrived.split(' SIP/2.0\r\n').length - 1,
      name: arrived.includes(user),
    };
  };
  const known = await play('alice', 401);
  assert.deepEqual(known, { delays: [7, 14, 28, 56], messages: 5, name: true });
  // A next hop that tells them apart is not helped by the edge.
  assert.deepEqual(await play('nobody', 401), known);
  assert.deepEqual(await play('nobdy', 403), known);
});

test('twenty wrong passwords for whomever, and the source is refused, before any handshake [setting policy.remoteAccess.guard.failuresPerSource]', async (t) => {
  const { lab, fe } = await start(t, { failuresPerSource: 3 });
  await fails(lab, fe, ['a', 'b', 'c']);
  await assert.rejects(lab.client());
  lab.document.policy.remoteAccess.guard.failuresPerSource = 20;
  const listed = (await lab.service.verbs.blocks?.({})) as { blocks: { source: string }[] };
  const sources = listed.blocks.map(({ source }) => source);
  assert.deepEqual(sources, ['127.0.0.1']);
  assert.deepEqual(await lab.service.verbs.unblock?.({ source: '127.0.0.1' }), { lifted: 1 });
  await lab.commit();
  await fails(lab, fe, ['a', 'b', 'c', 'd']);
  (await lab.client()).ends();
});

test('a source that signed in before keeps its way in [setting policy.remoteAccess.guard.rememberDays]', async (t) => {
  const { lab, fe } = await start(t, { failuresPerSource: 3, failuresPerAccount: 2 });
  const before = await lab.client();
  await tries(before, fe, 'alice', 200);
  await fails(lab, fe, ['b', 'c', 'd']);
  const again = await lab.client();
  again.sends(registerWithCredentials('e'));
  await again.receives(403);
  await tries(await lab.client(), fe, 'alice', 401);
  await tries(await lab.client(), fe, 'alice', 200);
  await tries(before, fe, 'alice', 200);
  lab.document.policy.remoteAccess.guard.rememberDays = 0;
  await lab.commit();
  const fresh = await AccessLab.start(t, {
    change: ({ policy }) =>
      Object.assign(policy.remoteAccess.guard, {
        rememberDays: 0,
        failuresPerSource: 1,
        slowMilliseconds: 0,
      }),
  });
  const other = await fresh.frontEnds[0].connection();
  const once = await fresh.client();
  await tries(once, other, 'alice', 200);
  await fails(fresh, other, ['b']);
  await assert.rejects(fresh.client());
});

test('after a failure the next attempt is held back [setting policy.remoteAccess.guard.slowMilliseconds]', async (t) => {
  const { lab, fe } = await start(t, { slowMilliseconds: 400 });
  const client = await lab.client();
  await tries(client, fe, 'alice');
  // Sent first, and yet it comes behind a request that nothing holds back.
  client.sends(registerWithCredentials('alice'));
  client.sends(request('MESSAGE', 'sip:x@example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKm' }));
  await fe.receivesRequest('MESSAGE');
  await fe.receivesRequest('REGISTER');
  lab.document.policy.remoteAccess.guard.slowMilliseconds = 0;
  await lab.commit();
  const second = await lab.client();
  second.sends(registerWithCredentials('alice'));
  second.sends(request('MESSAGE', 'sip:x@example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKn' }));
  await fe.receivesRequest('REGISTER');
});

test('a refusal lasts as long as the document says [setting policy.remoteAccess.guard.minutes]', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 1, minutes: 1 });
  const seconds = async (user: string) => {
    await fails(lab, fe, [user]);
    const client = await lab.client();
    client.sends(registerWithCredentials(user));
    return Number((await client.receives(403)).header('Retry-After'));
  };
  assert.ok((await seconds('alice')) <= 60);
  lab.document.policy.remoteAccess.guard.minutes = 60;
  await lab.commit();
  assert.ok((await seconds('bob')) > 60);
});

test('[S14] a refusal lasts for time that went by, whatever the clock of the wall is set to', async (t) => {
  const clock = new JumpingClock();
  const { lab, fe } = await start(t, { failuresPerAccount: 1, minutes: 10 }, clock);
  await fails(lab, fe, ['alice']);
  for (const hours of [0, 5, -5]) {
    clock.ahead = hours * HOUR;
    await refused(lab, 'alice');
  }
  clock.later = HOUR;
  await tries(await lab.client(), fe, 'alice', 200);
});

test('a next hop that is away is nobody’s failure', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 1 });
  await lab.frontEnds[0].stop();
  await until(() => lab.service.health().detail.includes('0 of 1'));
  for (let i = 0; i < 3; i++) {
    const client = await lab.client();
    client.sends(registerWithCredentials('alice'));
    await client.receives(503);
  }
  assert.equal(fe.shown.includes('REGISTER'), false);
});

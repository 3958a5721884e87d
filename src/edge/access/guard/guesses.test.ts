import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import type { SipRequest } from '#protocols/sip';
import { AccessLab } from '../testing/lab.ts';
import { request } from '../testing/messages.ts';
import { signIn } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';

/*
 * Ways around the guard: each of these would try a password of bob's without a failure that counts for bob.
 */
type Guard = EdgeDocument['policy']['remoteAccess']['guard'];
type Fields = Record<string, string | string[]>;

async function start(t: TestContext, guard: Partial<Guard> = {}) {
  const change = ({ policy }: EdgeDocument) =>
    Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0, ...guard });
  const lab = await AccessLab.start(t, { change });
  return { lab, fe: await lab.frontEnds[0].connection() };
}

const digest = (user: string, realm = 'example.com') =>
  `Digest username="${user}", realm="${realm}", nonce="n", uri="sip:example.com", response="00"`;
const challenge = (realm = 'example.com', more = '') =>
  `Digest realm="${realm}", nonce="n1", algorithm=SHA-256, qop="auth"${more}`;

let sent = 0;
/** A request of `user`, a REGISTER unless another method is said. */
function of(user: string, fields: Fields, method = 'REGISTER', uri = 'sip:example.com'): Buffer {
  sent += 1;
  const address = `<sip:${user}@example.com>`;
  return request(method, uri, {
    Via: `SIP/2.0/TLS 192.168.1.5;branch=z9hG4bKw${sent}`,
    From: `${address};tag=r`,
    To: method === 'REGISTER' ? address : '<sip:dan@example.com>',
    'Call-ID': `w${sent}`,
    CSeq: `${sent} ${method}`,
    Contact: `<sip:${user}@192.168.1.5>`,
    ...fields,
  });
}

/** It reaches the next hop, which answers. */
async function goesOn(client: SipPeer, fe: SipPeer, bytes: Buffer, status = 401, challenges = [challenge()]) {
  client.sends(bytes);
  const arrived = await fe.receivesAnyRequest();
  const ok: [string, string][] =
    status === 200 && arrived.method === 'REGISTER'
      ? [['Contact', `${arrived.header('Contact')};expires=300`]]
      : [];
  const asks = status === 401 ? challenges.map((one): [string, string] => ['WWW-Authenticate', one]) : [];
  fe.answers(arrived, status, { headers: [...ok, ...asks] });
  await client.receives(status);
  return arrived;
}

async function isRefused(client: SipPeer, bytes: Buffer, status = 403) {
  client.sends(bytes);
  return client.receives(status);
}

/** Who is signed in with a connection of their own. */
async function eve(lab: AccessLab, fe: SipPeer): Promise<SipPeer> {
  const client = await lab.client();
  await goesOn(client, fe, of('eve', { Authorization: digest('eve') }), 200);
  return client;
}

async function refusals(lab: AccessLab): Promise<Record<string, number>> {
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  return counters.refusals;
}
const failed = (lab: AccessLab) => lab.log.lines.filter(({ event }) => event === 'sign-in failed').length;

test('S14: a second user in the same request goes nowhere, whoever stands first and whoever is signed in', async (t) => {
  const { lab, fe } = await start(t);
  const client = await eve(lab, fe);
  for (const method of ['REGISTER', 'MESSAGE', 'INVITE', 'SUBSCRIBE', 'OPTIONS']) {
    const fields: Fields[] = [
      { Authorization: [digest('eve'), digest('bob', 'b.test')] },
      { Authorization: digest('eve'), 'Proxy-Authorization': digest('bob') },
    ];
    const uri = method === 'REGISTER' ? 'sip:example.com' : 'sip:dan@example.com';
    for (const two of fields) await isRefused(client, of('eve', two, method, uri));
  }
  await isRefused(client, of('eve', { Authorization: `${digest('eve')}, ${digest('bob')}` }), 400);
  await isRefused(client, of('eve', { Authorization: [digest('eve'), digest('eve')] }), 400);
  await isRefused(
    client,
    of('eve', { Authorization: ['a', 'b', 'c', 'd', 'e'].map((r) => digest('eve', r)) }),
    400,
  );
  const found = await refusals(lab);
  assert.deepEqual([found['several-users'], found['bad-credentials'], found['many-credentials']], [10, 2, 1]);
  assert.equal(fe.shown.includes('bob'), false);
});

test('S14: whoever is signed in guesses no better than a stranger: each name and realm that was not accepted counts', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 3 });
  const client = await eve(lab, fe);
  const tries = [
    of('eve', { Authorization: digest('bob') }, 'MESSAGE', 'sip:dan@example.com'),
    of('eve', { 'Proxy-Authorization': digest('sip:BOB@example.com') }, 'SUBSCRIBE', 'sip:dan@example.com'),
    of('bob', { Authorization: digest('bob'), To: '<sip:eve@example.com>' }),
  ];
  for (const bytes of tries) await goesOn(client, fe, bytes);
  const refused = await isRefused(client, of('bob', { Authorization: digest('bob') }));
  assert.match(refused.header('Retry-After') ?? '', /^\d+$/);
  // The same user of another realm may be another person.
  for (let time = 0; time < 3; time++) {
    await goesOn(client, fe, of('eve', { Authorization: digest('eve', 'other.test') }));
  }
  await isRefused(client, of('eve', { Authorization: digest('eve', 'other.test') }));
  // And nothing holds up who answers for themselves.
  await goesOn(client, fe, of('eve', { Authorization: digest('eve') }), 200);
});

test('one user in several realms is a chain of proxies, and each of its credentials counts', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 4 });
  const chain = { Authorization: digest('bob'), 'Proxy-Authorization': digest('bob', 'proxy.test') };
  const client = await lab.client();
  await goesOn(client, fe, of('bob', chain), 401, [challenge('proxy.test', ', stale=true'), challenge()]);
  await goesOn(client, fe, of('bob', chain));
  await isRefused(client, of('bob', chain));
  await isRefused(client, of('bob', { Authorization: digest('bob') }));
  await isRefused(client, of('carol', { Authorization: digest('bob', 'proxy.test') }));
});

test('a 2xx to another request than a sign-in makes no source known, and forgives nothing', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 2 });
  const client = await lab.client();
  const options = () => of('bob', { Authorization: digest('bob') }, 'OPTIONS', 'sip:dan@example.com');
  await goesOn(client, fe, of('bob', { Authorization: digest('bob') }));
  await goesOn(client, fe, options(), 200);
  await goesOn(client, fe, of('bob', { Authorization: digest('bob') }));
  await isRefused(client, of('bob', { Authorization: digest('bob') }));
  await isRefused(client, options());
});

test('who hangs up before the answer comes has guessed', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 2 });
  for (let time = 1; time <= 2; time++) {
    const client = await lab.client();
    client.sends(of('bob', { Authorization: digest('bob') }));
    const arrived = await fe.receivesRequest('REGISTER');
    client.ends();
    await until(() => lab.service.remaining() === 0);
    fe.answers(arrived, 401, { headers: [['WWW-Authenticate', challenge()]] });
    await until(() => failed(lab) === time);
  }
  await isRefused(await lab.client(), of('bob', { Authorization: digest('bob') }));
});

test('an ACK carries inward only credentials of who is signed in, and a CANCEL none', async (t) => {
  const { lab, fe } = await start(t);
  const client = await eve(lab, fe);
  const ack = async (name: string, peer: SipPeer) => {
    peer.sends(of('eve', { Authorization: digest(name) }, 'ACK', 'sip:dan@example.com'));
    return (await fe.receivesRequest('ACK')).has('Authorization');
  };
  assert.equal(await ack('eve', client), true);
  assert.equal(await ack('bob', client), false);
  assert.equal(await ack('eve', await lab.client()), false);
  client.sends(
    of('eve', { Authorization: [digest('eve'), digest('bob', 'b')] }, 'ACK', 'sip:dan@example.com'),
  );
  await until(async () => (await refusals(lab))['several-users'] === 1);
  const invite = of('eve', { Authorization: digest('eve') }, 'INVITE', 'sip:dan@example.com');
  client.sends(invite);
  const arrived = await fe.receivesRequest('INVITE');
  fe.answers(arrived, 180);
  await client.receives(180);
  const cancel = invite.toString().replace(/INVITE/g, 'CANCEL');
  client.sends(cancel.replace('Authorization:', `Authorization: ${digest('bob')}\r\nAuthorization:`));
  const cancelled: SipRequest = await fe.receivesRequest('CANCEL');
  assert.equal(cancelled.has('Authorization'), false);
});

test('a next hop whose realm is no domain: who is signed in is not held up, however many requests at once', async (t) => {
  const { lab, fe } = await start(t, { failuresPerAccount: 1 });
  const client = await lab.client();
  await goesOn(client, fe, of('1001', { Authorization: digest('line-1001', 'pbx') }), 200);
  const arrived: SipRequest[] = [];
  for (let i = 0; i < 12; i++) {
    client.sends(
      of('1001', { 'Proxy-Authorization': digest('line-1001', 'pbx') }, 'SUBSCRIBE', 'sip:dan@example.com'),
    );
    arrived.push(await fe.receivesRequest('SUBSCRIBE'));
  }
  for (const one of arrived) fe.answers(one, 407, { headers: [['Proxy-Authenticate', challenge('pbx')]] });
  for (let i = 0; i < 12; i++) await client.receives(407);
  assert.equal(failed(lab), 0);
  await signIn(await lab.client(), fe, 'dan');
});

test('a guest who guesses the key of a conference does so five times, whoever the guest is said to be', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => {
      policy.remoteAccess.guests = {
        ...policy.remoteAccess.guests,
        ...{ allowed: true, conferenceDomains: ['conf.example.com'] },
      };
      policy.remoteAccess.guard.slowMilliseconds = 0;
    },
  });
  const fe = await lab.frontEnds[0].connection();
  const invite = (guest: number, key = 'abc') =>
    of(
      'x',
      {
        From: `<sip:guest${guest}@g${guest}.invalid>;tag=g`,
        Authorization: digest(
          guest % 2 === 0 ? key : `${key.toUpperCase()}@g${guest}.invalid`,
          'conf.example.com',
        ),
      },
      'INVITE',
      `sip:${key}@conf.example.com`,
    );
  const guessed = async (bytes: Buffer) => {
    await goesOn(await lab.client(), fe, bytes, 403);
    await fe.receivesRequest('ACK');
  };
  for (let guest = 0; guest < 5; guest++) await guessed(invite(guest));
  await isRefused(await lab.client(), invite(5));
  await guessed(invite(6, 'other'));
  const found = await refusals(lab);
  assert.equal(found['blocked-pair'], 1);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '#kernel';
import type { SipRequest, SipResponse } from '#protocols/sip';
import { AccessLab } from '../testing/lab.ts';
import { CHALLENGE, registerWithCredentials } from '../testing/plays.ts';
import type { SipPeer } from '../testing/sip-peer.ts';
import { workerFor } from '../workers/ownership.ts';
import { startTeam } from '../workers/testing/team.ts';

/*
 * An office of many people behind one address, all of whom come back at once to an edge that knows none of them yet. Nobody of them
 * has failed, so nobody is refused; but never are there more guesses under way than a source has.
 */
const PLACES = 20;
const SOURCE = '127.0.0.1';
/** What the line of one source has room for. */
const ROOM = 1024;
/** Of a connection before anybody has signed in on it. */
const MESSAGES = 20;

const accepts = (fe: SipPeer, arrived: SipRequest) =>
  fe.answers(arrived, 200, { headers: [['Contact', `${arrived.header('Contact')};expires=300`]] });
const waiting = async (lab: AccessLab) =>
  Number(/sallyport_access_sign_ins_waiting[^ ]* (\d+)/.exec(await lab.metrics.text())?.[1]);

/** So many people, each with a connection, who all sign in before anybody is answered. */
async function crowd(lab: AccessLab, people: number): Promise<SipPeer[]> {
  const clients = await Promise.all(Array.from({ length: people }, () => lab.client()));
  clients.forEach((client, index) => {
    client.sends(registerWithCredentials(`user${index}`));
  });
  return clients;
}

/** All are let in; how many were under way at once, at most. */
async function letIn(fe: SipPeer, clients: readonly SipPeer[]): Promise<void> {
  const here: SipRequest[] = [];
  for (let place = 0; place < PLACES; place++) here.push(await fe.receivesRequest('REGISTER'));
  for (let next = 0; next < clients.length; next++) {
    const [first] = here.splice(0, 1);
    assert.ok(first);
    accepts(fe, first);
    if (next < clients.length - PLACES) here.push(await fe.receivesRequest('REGISTER'));
  }
  for (const client of clients) await client.receives(200);
}

test('a whole office signs in at once by one address: nobody is refused, and twenty at a time are under way', async (t) => {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const clients = await crowd(lab, 60);
  await until(async () => (await waiting(lab)) === 60 - PLACES);
  await letIn(fe, clients);
  assert.equal(await waiting(lab), 0);
  // Each is known by now, so that all come back at once without waiting for anybody.
  const again = await crowd(lab, 60);
  for (let arrived = 0; arrived < 60; arrived++) accepts(fe, await fe.receivesRequest('REGISTER'));
  for (const client of again) await client.receives(200);
});

test('the same where another worker counts', async (t) => {
  const sides = await startTeam(t);
  const owner = workerFor(SOURCE, { index: 0, count: 2 }) === 0 ? sides[0] : sides[1];
  const other = owner === sides[0] ? sides[1] : sides[0];
  const clients = await crowd(other.lab, 50);
  await until(async () => (await waiting(owner.lab)) === 50 - PLACES);
  // Longer than one worker waits for the answer of another.
  await delay(2_200);
  await letIn(other.fe, clients);
  assert.equal(await waiting(owner.lab), 0);
});

test('S14: a crowd that guesses is refused as a whole after twenty', async (t) => {
  const lab = await AccessLab.start(t, {
    change: ({ policy }) => Object.assign(policy.remoteAccess.guard, { slowMilliseconds: 0 }),
  });
  const fe = await lab.frontEnds[0].connection();
  const clients = await crowd(lab, 50);
  const statuses: number[] = [];
  for (const client of clients) {
    client.automaton = (message) => {
      if (message.kind === 'response' && message.status !== 100) statuses.push(message.status);
    };
  }
  await until(async () => (await waiting(lab)) === 50 - PLACES);
  for (let place = 0; place < PLACES; place++) {
    fe.answers(await fe.receivesRequest('REGISTER'), 401, { headers: [['WWW-Authenticate', CHALLENGE]] });
  }
  await until(() => statuses.length === 50);
  assert.equal(statuses.filter((status) => status === 401).length, PLACES);
  assert.equal(statuses.filter((status) => status === 403).length, 50 - PLACES);
  assert.equal(await waiting(lab), 0);
});

test('more than there is room for are asked to come back later: nothing is known against them', async (t) => {
  const lab = await AccessLab.start(t);
  await lab.frontEnds[0].connection();
  const client = async () => {
    const one = await lab.client();
    listens(one);
    return one;
  };
  const found: SipResponse[] = [];
  const listens = (one: SipPeer) => {
    one.automaton = (message) => {
      if (message.kind === 'response' && message.status !== 100) found.push(message);
    };
  };
  for (let user = 0; user < PLACES + ROOM; user += MESSAGES) {
    const one = await client();
    for (let more = user; more < user + MESSAGES && more < PLACES + ROOM; more++)
      one.sends(registerWithCredentials(`user${more}`));
  }
  await until(async () => (await waiting(lab)) === ROOM);
  assert.equal(found.length, 0);
  (await client()).sends(registerWithCredentials('late'));
  await until(() => found.length === 1);
  const told = found.map((response) => [response.status, response.header('Retry-After')]);
  assert.deepEqual(told, [[503, '5']]);
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  assert.equal(counters.refusals['many-sign-ins'], 1);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '#kernel';
import { parseMeetingLink, readConferenceInfo } from '#protocols/conference';
import { request } from '../../../edge/access/testing/messages.ts';
import { fromBob, TestPartner } from '../../../edge/access/testing/partners.ts';
import { PASSWORD } from '../../front-end/testing/live-front-end.ts';
import { answerOf } from './testing/focus-stage.ts';
import { ParticipantLine } from './testing/participant-line.ts';
import { DOMAIN, PAGE, SignallingLab } from './testing/signalling-lab.ts';

const ACCEPT = [['Accept', 'application/vnd.sallyport.conference+json']] as const;
const INSIDE = /corp\.example|127\.0\.9\.(20|33)/i;
const UNKNOWN = `sip:zzzzzzzzzzzzzzzz@${DOMAIN}`;
const WRONG = 'AAAAAAAAAAAAAAAA';
let lab: SignallingLab;
let sources = 0;

before(async () => {
  lab = await SignallingLab.start();
});
after(() => lab.stop());

const room = (change: Parameters<SignallingLab['create']>[0] = {}) => {
  const { id, key } = lab.create(change);
  return { id, key, uri: `sip:${id}@${DOMAIN}` };
};
/** Each test comes from a source of its own, for the edge remembers what went wrong. */
const source = () => `127.0.9.${100 + ++sources}`;
async function user(name: string, from = source()): Promise<ParticipantLine> {
  const line = new ParticipantLine(await lab.outside(from), `${name}@example.com`, name);
  await line.signsIn();
  return line;
}
async function guest(name: string, from = source(), webSocket = false): Promise<ParticipantLine> {
  const line = await (webSocket ? lab.outsideByWebSocket(from, PAGE) : lab.outside(from));
  return new ParticipantLine(line, `${name}@anonymous.invalid`, name);
}
const counted = async (outcome: string) =>
  Number(
    new RegExp(`requests_total\\{outcome="${outcome}"\\} (\\d+)`).exec(await lab.metrics.text())?.[1] ?? 0,
  );

test('users outside, by TLS and by WebSocket, and inside join as themselves, each where the meeting is for them', async () => {
  const { uri, id } = room();
  const alice = await user('alice');
  const { answer, response } = await alice.joins(uri);
  assert.deepEqual([answer.role, answer.places[0]?.host], ['presenter', DOMAIN]);
  assert.match(response.header('Contact') ?? '', /isfocus/);
  assert.doesNotMatch(response.bytes.toString(), INSIDE);
  const page = new ParticipantLine(await lab.outsideByWebSocket(source(), PAGE), 'carol@example.com');
  await page.signsIn();
  assert.equal((await page.joins(uri)).answer.places[0]?.host, DOMAIN);
  const dave = new ParticipantLine(await lab.inside(), 'dave@example.com');
  await dave.signsIn();
  assert.match((await dave.joins(uri)).answer.places[0]?.host ?? '', INSIDE);
  assert.deepEqual(
    lab.meetings.roster(id).entries.map(({ address, kind, outside }) => [address, kind, outside]),
    [
      ['alice@example.com', 'user', true],
      ['carol@example.com', 'user', true],
      ['dave@example.com', 'user', false],
    ],
  );
  const again = answerOf(
    await dave.inDialog('INVITE', 200, [['Accept', 'application/vnd.sallyport.conference+json']]),
  );
  assert.equal(again.participant, 3);
  await dave.inDialog('BYE', 200);
  lab.meeting(id).end();
  for (const participant of [alice, page]) {
    assert.match((await participant.hears('BYE')).header('Reason') ?? '', /cause=410;text="Ended"/);
  }
});

test('a guest outside joins with the key, hears who comes, and is sent away', async () => {
  const { uri, id, key } = room();
  const grace = await guest('grace', source(), true);
  const { answer, response } = await grace.joins(uri, key);
  assert.equal(answer.role, 'attendee');
  assert.equal(lab.meetings.roster(id).entries[0]?.displayName, 'grace');
  assert.doesNotMatch(response.bytes.toString(), INSIDE);
  await grace.subscribes(uri, key);
  const first = await grace.hears('NOTIFY');
  const info = readConferenceInfo(first.body);
  assert.ok(info.ok);
  assert.deepEqual(
    info.value.users?.list.map(({ entity }) => entity),
    ['sip:participant-1@anonymous.invalid'],
  );
  assert.doesNotMatch(first.bytes.toString(), INSIDE);
  const again = answerOf(
    await grace.inDialog('INVITE', 200, [['Accept', 'application/vnd.sallyport.conference+json']]),
  );
  assert.notEqual(again.token, answer.token);
  const { roster } = lab.meeting(id);
  const removed = roster.find(1);
  assert.ok(removed !== undefined);
  lab.meeting(id).remove(removed);
  const heard = [await grace.hears('BYE'), await grace.hears('NOTIFY')];
  assert.match(heard[0]?.header('Reason') ?? '', /cause=603;text="Removed"/);
  assert.equal(heard[1]?.header('Subscription-State'), 'terminated;reason=rejected');
});

test('the user agent of our own client joins, refreshes and hears the end, as a guest and as a user', async () => {
  const { uri, id, key } = room();
  const guest = { username: id, password: key, realm: DOMAIN };
  const user = { username: 'alice', password: PASSWORD };
  for (const [address, secret] of [
    ['sip:3f9c2b7d@anonymous.invalid', guest],
    ['sip:alice@example.com', user],
  ] as const) {
    const client = await lab.agent(source(), PAGE);
    const identity = { address, displayName: 'Grace', ...secret };
    if (secret === user) assert.ok((await client.agent.register(identity, 0)).ok);
    const invited = await client.agent.invite(uri, identity, ACCEPT, 0);
    assert.ok(invited.ok, JSON.stringify(invited));
    const { token } = answerOf(invited.value);
    const again = await client.agent.reinvite(ACCEPT, 0);
    assert.ok(again.ok, JSON.stringify(again));
    assert.notEqual(answerOf(again.value).token, token);
    if (secret === guest) {
      await client.agent.bye(0);
      assert.equal(lab.meetings.roster(id).entries.length, 0);
    } else {
      lab.meeting(id).end();
      await until(() => client.ended === 410);
    }
    client.close();
  }
});

test('nobody gets a token before the 200: not without the key, with a wrong one, or with that of another conference', async () => {
  const [one, other] = [room(), room()];
  const refusals: [string, string | undefined, number][] = [
    [one.uri, undefined, 401],
    [one.uri, WRONG, 403],
    [one.uri, other.key, 403],
    [UNKNOWN, one.key, 403],
    [UNKNOWN, undefined, 401],
    [`sip:budget@${DOMAIN}`, WRONG, 403],
  ];
  for (const [uri, key, status] of refusals) {
    const line = await guest('eve');
    assert.doesNotMatch((await line.isRefused(uri, status, key)).bytes.toString(), /token|Budget/);
    line.line.ends();
  }
  assert.equal(lab.meetings.roster(one.id).entries.length, 0);
});

test('wrong keys are throttled at the Access Edge: for one conference, then for whatever conferences', async () => {
  const { uri, key } = room();
  const from = source();
  for (let guess = 0; guess < 5; guess++) {
    const eve = await guest('eve', from);
    await eve.isRefused(uri, 403, WRONG);
    eve.line.ends();
  }
  const heard = await counted('wrong-key');
  const late = await guest('eve', from);
  assert.ok(
    (await late.isRefused(uri, 403, key)).has('Retry-After'),
    'refused by the edge, although the key is right',
  );
  late.line.ends();
  // Looking for conferences: none is asked more than once.
  for (let guess = 0; guess < 2; guess++) {
    const eve = await guest('eve', from);
    await eve.isRefused(`sip:${'ab'[guess]}aaaaaaaaaaaaaaa@${DOMAIN}`, 403, WRONG);
    eve.line.ends();
  }
  assert.equal(await counted('wrong-key'), heard + 2);
  const last = await guest('eve', from);
  assert.ok(!(await last.isRefused(`sip:caaaaaaaaaaaaaaa@${DOMAIN}`, 403, WRONG)).has('Retry-After'));
  // The source has used up what it may get wrong: it is not even shaken hands with.
  const shaken = lab.outside(from).then(
    (line) => line.isClosed().then(() => 'closed'),
    () => 'refused',
  );
  assert.match(await shaken, /closed|refused/);
  const honest = await guest('grace', source());
  await honest.joins(uri, key);
  lab.edge.document.policy.remoteAccess.guests.allowed = false;
  await lab.edge.commit();
  const off = await guest('grace');
  assert.ok(!(await off.isRefused(uri, 403, key)).has('WWW-Authenticate'));
  lab.edge.document.policy.remoteAccess.guests.allowed = true;
  await lab.edge.commit();
});

test('what a conference is not open for reaches the client as it is', async () => {
  const alice = await user('carol');
  const locked = room();
  lab.meeting(locked.id).setLocked(true);
  await alice.isRefused(locked.uri, 480);
  const removed = room();
  lab.meeting(removed.id).ban('carol@example.com');
  await alice.isRefused(removed.uri, 603);
  const ended = room();
  lab.meeting(ended.id).end();
  lab.meetings.flush();
  await alice.isRefused(ended.uri, 410);
  await alice.isRefused(UNKNOWN, 404);
  const closed = room({ guests: false });
  await (await guest('grace')).isRefused(closed.uri, 606, closed.key);
});

test('somebody of a partner joins through 5061, and is told when the meeting is over', async (t) => {
  const { uri, id } = room();
  const partner = await TestPartner.create(t, lab.edge);
  await partner.listen();
  const bob = await partner.dials(lab.edge);
  const invite = (to: string, from?: string) =>
    request('INVITE', to, {
      ...fromBob({ To: `<${to}>` }),
      ...(from === undefined ? {} : { From: from }),
      Contact: '<sip:bob@inner.partner.example:5061>',
      'Record-Route': '<sip:sip.partner.example:5061;transport=tls;lr>',
      Accept: 'application/vnd.sallyport.conference+json',
    });
  bob.sends(invite(uri));
  const accepted = await bob.receives(200);
  assert.deepEqual([answerOf(accepted).role, answerOf(accepted).places[0]?.host], ['attendee', DOMAIN]);
  assert.doesNotMatch(accepted.bytes.toString(), INSIDE);
  assert.equal(lab.meetings.roster(id).entries[0]?.kind, 'federated');
  const closed = room({ federated: false });
  for (const target of [closed.uri, UNKNOWN]) {
    bob.sends(invite(target));
    await bob.receives(404);
  }
  lab.meeting(id).end();
  const bye = await Promise.race([
    bob.receivesRequest('BYE'),
    partner.connection().then((one) => one.receivesRequest('BYE')),
  ]);
  assert.match(bye.header('Reason') ?? '', /cause=410/);
  assert.doesNotMatch(bye.bytes.toString(), INSIDE);
});

test('a focus that is dismissed and comes again by another connection still ends its dialogs', async () => {
  const { uri, id } = room();
  const alice = await user('alice');
  await alice.joins(uri);
  await lab.configure({}, { trustedPeers: [] });
  await until(() => lab.focus.nextHops().some(({ state }) => state === 'unhealthy'));
  const carol = await user('carol');
  await carol.isRefused(uri, 404);
  await lab.configure();
  await until(() => lab.focus.nextHops().every(({ state }) => state === 'healthy'));
  await carol.joins(uri);
  lab.meeting(id).end();
  for (const participant of [alice, carol]) await participant.hears('BYE');
});

test('the next hops are the document’s [setting webConferencing.nextHops[].name] [setting webConferencing.nextHops[].address] [setting webConferencing.nextHops[].port]', async () => {
  const { name } = lab.frontEnd.document.host;
  const own = { name, address: '127.0.9.33', port: lab.frontEnd.port };
  const states = () => lab.focus.nextHops().map(({ name: hop, state }) => [hop, state]);
  for (const wrong of [{ name: 'fe9.corp.example' }, { address: '127.0.9.34' }, { port: 1 }]) {
    await lab.configure({ nextHops: [{ ...own, ...wrong }] });
    // Dialled, and not taken.
    await until(() => lab.focus.nextHops().every(({ reason }) => /SLP-NET-\d{4}/.test(reason)));
    assert.equal(states()[0]?.[1], 'unhealthy');
  }
  await lab.configure({ nextHops: [own] });
  await until(() => states()[0]?.[1] === 'healthy');
  await lab.configure();
  await until(() => states()[0]?.[1] === 'healthy');
});

test('calls and subscriptions are bounded, and notices not too frequent [setting webConferencing.limits.calls] [setting webConferencing.limits.subscriptions] [setting webConferencing.notifySeconds]', async () => {
  const { uri, id } = room();
  const calls = lab.focus.focus.calls;
  await lab.configure({ notifySeconds: 1, limits: { calls: calls + 1, subscriptions: 1 } });
  const alice = await user('alice');
  await alice.joins(uri);
  const carol = await user('carol');
  await carol.isRefused(uri, 503);
  await alice.subscribes(uri);
  await alice.hears('NOTIFY');
  assert.equal(
    (await alice.asks('SUBSCRIBE', uri, undefined, 503, [['Event', 'conference']])).response.status,
    503,
  );
  await lab.configure({ notifySeconds: 1 });
  await carol.joins(uri);
  const partial = readConferenceInfo((await alice.hears('NOTIFY')).body);
  assert.equal(partial.ok && partial.value.userCount, 2);
  lab.meeting(id).setLocked(true);
  const soon = readConferenceInfo((await alice.hears('NOTIFY')).body);
  assert.equal(soon.ok && soon.value.locked, true);
  // With a minute between them, the next one has not come when the meeting ends.
  await lab.configure({ notifySeconds: 60 });
  lab.meeting(id).setLocked(false);
  assert.ok((await alice.hears('NOTIFY')).body.length > 0);
  lab.meeting(id).setLocked(true);
  await carol.inDialog('BYE', 200);
  lab.meeting(id).end();
  const last = [await alice.hears('BYE'), await alice.hears('NOTIFY')];
  assert.equal(last[1]?.header('Subscription-State'), 'terminated;reason=noresource');
  await lab.configure();
});

test('the service as it runs: a meeting that an operator makes is joined inside, by its own door, and ended', async (t) => {
  const service = await lab.service();
  t.after(() => service.stop());
  const ask = async (verb: string, args: object) =>
    (await service.verbs[verb]?.(args)) as { link: string; uri: string };
  const { uri, link } = await ask('create', { title: 'Plans', organizer: 'dave@example.com', guests: true });
  const dave = new ParticipantLine(await lab.inside(), 'dave@example.com');
  await dave.signsIn();
  const { answer } = await dave.joins(uri);
  const { name } = lab.frontEnd.document.host;
  assert.deepEqual(answer.places, [{ webSocket: `wss://${name}:8057/psom`, host: name, port: 8057 }]);
  // No edge has been dialled, so nobody outside can be told where to go.
  const grace = await guest('grace');
  const key = parseMeetingLink(link)?.key;
  assert.ok((await grace.isRefused(uri, 503, key)).has('Retry-After'));
  await ask('end', { meeting: uri });
  assert.match((await dave.hears('BYE')).header('Reason') ?? '', /cause=410/);
});

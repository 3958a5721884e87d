import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildResponse } from '#protocols/sip';
import { type AssertedSource, formatAssertedSource, parseAssertedSource } from '#protocols/trust-marking';
import type { AccessRights } from './external-access.ts';
import { request } from './testing/messages.ts';
import { Bench, branched, CONFERENCE_DOMAIN, EDGE, PEER_DOMAIN } from './testing/wire.ts';

const ROOM = `abcdefghij234567@${CONFERENCE_DOMAIN}`;
const ALICE = 'alice@example.test';
const GUEST = '3f9c@anonymous.invalid';
const MARK = 'Sallyport-Asserted-Source';
const policies = (federation: boolean) => ({
  global: {
    remote: true,
    federation,
    xmpp: false,
    publicProviders: federation,
    publicProviderMedia: false,
  } satisfies AccessRights,
  sites: [],
  users: [],
});

let count = 0;
function sent(sketch: Parameters<typeof request>[0]): Buffer {
  count += 1;
  return branched(request({ callId: `c${count}`, ...sketch }), `c${count}`);
}
type Headers = [string, string][];
/** A request to the conference, marked by the edge. */
function call(
  from: string,
  mark: Partial<AssertedSource> | undefined,
  more: Headers = [],
  method = 'INVITE',
) {
  const headers = [...more];
  if (mark !== undefined) {
    const told = { address: from.toLowerCase(), source: 'guest' as const, edge: EDGE, ...mark };
    headers.push([MARK, formatAssertedSource(told)]);
  }
  return sent({ method, uri: `sip:${ROOM}`, from: `sip:${from}`, to: `<sip:${ROOM}>`, headers });
}
const digest = (realm: string) =>
  `Digest username="abcdefghij234567",realm="${realm}",nonce="n",uri="sip:${ROOM}",response="${'0'.repeat(32)}"`;
const challenge = (realm: string) => `Digest realm="${realm}",nonce="n",algorithm=MD5,qop="auth"`;

test('a guest reaches conferences, marked as one, and nothing else [setting frontEnd.trustedPeers[].conferences]', async () => {
  const bench = await Bench.start(policies(true));
  const [edge, focus, other] = [bench.edge(), bench.focus(), bench.peer()];
  bench.arrives(edge, call(GUEST, {}));
  edge.response(100);
  const invite = focus.request('INVITE');
  assert.deepEqual(parseAssertedSource(invite.header(MARK) ?? ''), {
    address: GUEST,
    source: 'guest',
    edge: EDGE,
  });
  bench.arrives(edge, call(GUEST, {}, [['Event', 'conference']], 'SUBSCRIBE'));
  focus.request('SUBSCRIBE');
  bench.arrives(edge, call(GUEST, {}, [], 'MESSAGE'));
  edge.response(403);
  for (const uri of [`romeo@${PEER_DOMAIN}`, ALICE, 'bob@partner.example']) {
    const headers = [[MARK, formatAssertedSource({ address: GUEST, source: 'guest', edge: EDGE })]] as const;
    bench.arrives(
      edge,
      sent({ method: 'INVITE', uri: `sip:${uri}`, from: `sip:${GUEST}`, to: `<sip:${uri}>`, headers }),
    );
    assert.equal(edge.anyResponse().status, 403, uri);
  }
  for (const wire of [other, focus, bench.toEdge]) wire.isSilent();
});

test('a guest’s mark counts from an edge only, and for the very From', async () => {
  const bench = await Bench.start(policies(true));
  const [edge, focus, { wire: inside }, peer] = [bench.edge(), bench.focus(), bench.client(), bench.peer()];
  bench.arrives(inside, call(GUEST, {}));
  inside.response(403);
  bench.arrives(peer, call(GUEST, {}));
  peer.response(403);
  bench.arrives(edge, call(GUEST, { address: 'another@anonymous.invalid' }));
  edge.response(403);
  bench.arrives(edge, call(GUEST, undefined));
  edge.response(403);
  focus.isSilent();
});

test('the key is asked for by the conference’s domain only, and shown to nobody else', async () => {
  const bench = await Bench.start(policies(true));
  const [edge, focus] = [bench.edge(), bench.focus()];
  const credentials: Headers = [
    ['Authorization', digest('example.test')],
    ['Authorization', digest(CONFERENCE_DOMAIN)],
    ['Proxy-Authorization', digest(CONFERENCE_DOMAIN)],
  ];
  bench.arrives(edge, call(GUEST, {}, credentials));
  edge.response(100);
  const invite = focus.request('INVITE');
  assert.deepEqual(invite.values('Authorization'), [digest(CONFERENCE_DOMAIN)]);
  assert.ok(!invite.has('Proxy-Authorization'));
  const headers: Headers = [
    ['WWW-Authenticate', challenge(CONFERENCE_DOMAIN)],
    ['WWW-Authenticate', challenge('example.test')],
    ['Proxy-Authenticate', challenge(CONFERENCE_DOMAIN)],
  ];
  bench.arrives(focus, buildResponse(invite, 401, { toTag: 'f', headers }));
  focus.request('ACK');
  const refused = edge.response(401);
  assert.deepEqual(refused.values('WWW-Authenticate'), [challenge(CONFERENCE_DOMAIN)]);
  assert.ok(!refused.has('Proxy-Authenticate'));
});

test('users call as themselves: inside without a mark, outside with one; a conference gets no password of theirs', async () => {
  const bench = await Bench.start(policies(false));
  const [edge, focus, { wire: inside }] = [bench.edge(), bench.focus(), bench.client()];
  assert.equal(bench.signsIn(inside, ALICE), 200);
  const pretends: Headers = [
    [MARK, formatAssertedSource({ address: ALICE, source: 'federated', edge: EDGE })],
    ['Authorization', digest(CONFERENCE_DOMAIN)],
  ];
  bench.arrives(inside, call(ALICE, undefined, pretends));
  inside.response(100);
  const invite = focus.request('INVITE');
  assert.ok(!invite.has(MARK) && !invite.has('Authorization'));
  const headers: Headers = [['WWW-Authenticate', challenge(CONFERENCE_DOMAIN)]];
  bench.arrives(focus, buildResponse(invite, 401, { toTag: 'f', headers }));
  focus.request('ACK');
  assert.ok(!inside.response(401).has('WWW-Authenticate'));
  bench.arrives(edge, call(ALICE, { source: 'remote-user' }));
  edge.response(100);
  assert.equal(parseAssertedSource(focus.request('INVITE').header(MARK) ?? '')?.source, 'remote-user');
  // Nobody has proven this one.
  bench.arrives(edge, call('carol@example.test', undefined));
  edge.response(407);
  focus.isSilent();
});

test('people of partners call as the edge marked them, if the policy lets outsiders in', async () => {
  const bench = await Bench.start(policies(true));
  const [edge, focus] = [bench.edge(), bench.focus()];
  const bob = () => call('bob@partner.example', { source: 'federated', verified: true });
  bench.arrives(edge, bob());
  edge.response(100);
  const mark = parseAssertedSource(focus.request('INVITE').header(MARK) ?? '');
  assert.deepEqual(mark, { address: 'bob@partner.example', source: 'federated', verified: true, edge: EDGE });
  bench.configure(policies(false));
  bench.arrives(edge, bob());
  edge.response(403);
  bench.configure({
    ...policies(false),
    users: [
      {
        user: ROOM,
        remote: false,
        federation: true,
        xmpp: false,
        publicProviders: true,
        publicProviderMedia: false,
      },
    ],
  });
  bench.arrives(edge, bob());
  edge.response(100);
  focus.request('INVITE');
  // Who is meant for people's contact lists only is on none of a conference.
  bench.arrives(edge, call('eve@provider.example', { source: 'provider', verified: false }));
  edge.response(403);
  // The people of a gateway are no callers of conferences.
  bench.configure(policies(true));
  const peer = bench.peer();
  bench.arrives(peer, call(`romeo@${PEER_DOMAIN}`, undefined));
  peer.response(403);
  focus.isSilent();
});

test('within the dialog each knows the other: the guest is marked, the conference finds the guest’s edge', async () => {
  const bench = await Bench.start(policies(true));
  const [edge, focus, { wire: inside }] = [bench.edge(), bench.focus(), bench.client()];
  const edgeRoute = `<sip:token@${EDGE}:5061;transport=tls;lr>`;
  bench.arrives(edge, call(GUEST, {}, [['Record-Route', edgeRoute]]));
  edge.response(100);
  const invite = focus.request('INVITE');
  const routes = invite.values('Record-Route');
  assert.equal(routes.length, 2);
  bench.arrives(focus, buildResponse(invite, 200, { toTag: 'f' }));
  edge.response(200);
  const about = {
    callId: invite.callId,
    from: `sip:${GUEST}`,
    to: `<sip:${ROOM}>;tag=f`,
    uri: 'sip:focus@10.0.0.9',
  };
  const marked: Headers = [[MARK, formatAssertedSource({ address: GUEST, source: 'guest', edge: EDGE })]];
  const ours = routes.slice(0, 1).join(', ');
  bench.arrives(edge, sent({ ...about, method: 'INFO', cseq: 2, headers: [['Route', ours], ...marked] }));
  assert.equal(parseAssertedSource(focus.request('INFO').header(MARK) ?? '')?.source, 'guest');
  const back = {
    callId: invite.callId,
    from: `sip:${ROOM}`,
    to: `<sip:${GUEST}>;tag=f1`,
    uri: 'sip:3f9c@192.0.2.7',
  };
  const toGuest = [['Route', [ours, edgeRoute].join(', ')]] as const;
  bench.arrives(focus, sent({ ...back, method: 'BYE', headers: toGuest }));
  assert.equal(bench.toEdge.request('BYE').values('Route')[0], edgeRoute);
  // A guest cannot use the routes of others' dialogs.
  assert.equal(bench.signsIn(inside, ALICE), 200);
  bench.arrives(
    inside,
    sent({ method: 'INVITE', uri: `sip:${ROOM}`, from: `sip:${ALICE}`, to: `<sip:${ROOM}>` }),
  );
  inside.response(100);
  const both = focus.request('INVITE').values('Record-Route');
  const stolen: Headers = [['Route', both.join(', ')], ...marked];
  bench.arrives(edge, sent({ ...about, method: 'INFO', cseq: 3, headers: stolen }));
  edge.response(403);
});

test('a guest’s BYE and ACK go to no edge, and through none to anybody outside', async () => {
  const bench = await Bench.start(policies(true));
  const edge = bench.edge();
  const headers: Headers = [
    ['Route', `<sip:token@${EDGE}:5061;transport=tls;lr>`],
    [MARK, formatAssertedSource({ address: GUEST, source: 'guest', edge: EDGE })],
  ];
  const to = '<sip:bob@partner.example>;tag=b';
  bench.arrives(
    edge,
    sent({ method: 'BYE', uri: 'sip:bob@partner.example', from: `sip:${GUEST}`, to, headers }),
  );
  edge.response(403);
  bench.arrives(
    edge,
    sent({ method: 'ACK', uri: 'sip:bob@partner.example', from: `sip:${GUEST}`, to, headers }),
  );
  bench.toEdge.isSilent();
});

test('while no focus is connected a conference cannot be reached, and is not looked for outside', async () => {
  const bench = await Bench.start(policies(true));
  const edge = bench.edge();
  bench.peer();
  bench.arrives(edge, call(GUEST, {}));
  edge.response(503);
  bench.toEdge.isSilent();
});

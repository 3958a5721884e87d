import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { AccessLab } from './testing/lab.ts';
import { request } from './testing/messages.ts';
import { CHALLENGE, contactOf, dialogResponse, INSIDE, passBack, passOn, signIn } from './testing/plays.ts';
import type { SipPeer } from './testing/sip-peer.ts';

async function start(t: TestContext): Promise<{ lab: AccessLab; fe: SipPeer }> {
  const lab = await AccessLab.start(t);
  return { lab, fe: await lab.frontEnds[0].connection() };
}

test('a challenged REGISTER passes both ways, with Path, Flow-Timer and keep-alive [setting policy.limits.access.keepAliveSeconds]', async (t) => {
  const { lab, fe } = await start(t);
  const client = await lab.client({ alpn: ['sip/2'] });
  client.sends('\r\n\r\n');
  await client.receivesPong();
  const fields = {
    From: '<sip:alice@example.com>;tag=1',
    To: '<sip:alice@example.com>',
    Contact: `<${contactOf('alice')}>;reg-id=1`,
    Supported: 'path, outbound',
  };
  client.sends(request('REGISTER', 'sip:example.com', { ...fields, CSeq: '1 REGISTER' }));
  const first = await fe.receivesRequest('REGISTER');
  assert.match(first.header('Path') ?? '', /^<sip:[\w-]{20,}@edge1\.corp\.example:\d+;transport=tls;lr;ob>$/);
  fe.answers(first, 401, { headers: [['WWW-Authenticate', CHALLENGE]] });
  assert.equal((await client.receives(401)).header('WWW-Authenticate'), CHALLENGE);
  const credentials = 'Digest username="alice", realm="example.com", nonce="n1", response="00"';
  const Via = 'SIP/2.0/TLS 192.168.1.5:40001;branch=z9hG4bK2;rport';
  client.sends(
    request('REGISTER', 'sip:example.com', {
      ...fields,
      Via,
      CSeq: '2 REGISTER',
      Authorization: credentials,
    }),
  );
  const second = await fe.receivesRequest('REGISTER');
  assert.equal(second.header('Authorization'), credentials);
  fe.answers(second, 200, { headers: [['Contact', `<${contactOf('alice')}>;expires=300`]] });
  const accepted = await client.receives(200);
  assert.equal(accepted.header('Flow-Timer'), '270');
  assert.ok(!accepted.has('Path'));
  assert.match(accepted.topVia.parameters.get('received') ?? '', /^127\./);
  lab.document.policy.limits.access.keepAliveSeconds = 100;
  await lab.commit();
  client.sends(request('REGISTER', 'sip:example.com', { ...fields, Via: `${Via}x`, CSeq: '3 REGISTER' }));
  fe.answers(await fe.receivesRequest('REGISTER'), 200);
  assert.equal((await client.receives(200)).header('Flow-Timer'), '90');
});

test('the sender is marked only after sign-in on that very connection, and nothing forged gets through', async (t) => {
  const { lab, fe } = await start(t);
  const alice = await lab.client();
  const forged = {
    'Sallyport-Asserted-Source': '<sip:alice@example.com>',
    'P-Asserted-Identity': '<sip:x@y>',
  };
  alice.sends(request('MESSAGE', 'sip:carol@example.com', forged));
  const before = await fe.receivesRequest('MESSAGE');
  assert.ok(!before.has('Sallyport-Asserted-Source') && !before.has('P-Asserted-Identity'));
  fe.answers(before, 407, { headers: [['Proxy-Authenticate', CHALLENGE]] });
  await alice.receives(407);
  await signIn(alice, fe, 'alice');
  alice.sends(
    request('MESSAGE', 'sip:carol@example.com', { ...forged, Via: 'SIP/2.0/TLS h;branch=z9hG4bKm2' }),
  );
  const marked = await fe.receivesRequest('MESSAGE');
  assert.deepEqual(marked.values('Sallyport-Asserted-Source'), [
    '<sip:alice@example.com>;source=remote-user;edge=edge1.corp.example',
  ]);
  const mallory = await lab.client();
  mallory.sends(request('MESSAGE', 'sip:carol@example.com', forged));
  assert.ok(!(await fe.receivesRequest('MESSAGE')).has('Sallyport-Asserted-Source'));
});

test('a MESSAGE from one client to another, answered; nothing of the inside is shown', async (t) => {
  const { lab, fe } = await start(t);
  const [alice, carol] = [await lab.client(), await lab.client()];
  await signIn(alice, fe, 'alice');
  const path = await signIn(carol, fe, 'carol');
  alice.sends(request('MESSAGE', 'sip:carol@example.com', { 'Content-Type': 'text/plain' }, 'hello carol'));
  const passing = await fe.receivesRequest('MESSAGE');
  fe.sends(passOn(passing, contactOf('carol'), path));
  const received = await carol.receivesRequest('MESSAGE');
  assert.equal(received.uri, contactOf('carol'));
  assert.equal(received.body.toString(), 'hello carol');
  carol.answers(received, 200);
  const answer = await fe.receives(200);
  assert.equal(answer.topVia.host, 'fe1.corp.example');
  fe.sends(passBack(answer.bytes.toString()));
  const final = await alice.receives(200);
  assert.equal(final.vias().length, 1);
  for (const client of [alice, carol]) assert.doesNotMatch(client.shown, INSIDE);
});

test('a call from outside: INVITE, 180, 200, ACK, INFO from inside and BYE, one route set shown', async (t) => {
  const { lab, fe } = await start(t);
  const alice = await lab.client();
  await signIn(alice, fe, 'alice');
  alice.sends(
    request(
      'INVITE',
      'sip:bob@example.com',
      { To: '<sip:bob@example.com>', Contact: `<${contactOf('alice')}>` },
      'v=0',
    ),
  );
  const invite = await fe.receivesRequest('INVITE');
  assert.equal(invite.values('Record-Route').length, 2);
  // The front end records its own route on top, as a proxy inside does.
  const routes = ['<sip:fe1.corp.example;lr>', ...invite.values('Record-Route')];
  const inside = {
    tag: 'bob',
    Contact: '<sip:bob@10.45.32.99:5061;transport=tls>',
    'Record-Route': routes.join(', '),
  };
  fe.sends(dialogResponse(invite, 180, inside));
  await alice.receives(180);
  fe.sends(dialogResponse(invite, 200, inside));
  const answered = await alice.receives(200);
  const Route = answered.values('Record-Route').reverse();
  assert.equal(Route.length, 1);
  const target = /<([^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
  const dialog = { To: '<sip:bob@example.com>;tag=bob', Route };
  alice.sends(request('ACK', target, { ...dialog, CSeq: '1 ACK', Via: 'SIP/2.0/TLS h;branch=z9hG4bKack' }));
  const ack = await fe.receivesRequest('ACK');
  assert.equal(ack.uri, 'sip:bob@10.45.32.99:5061;transport=tls');
  assert.deepEqual(ack.values('Route'), ['<sip:fe1.corp.example;lr>']);
  // From inside: the route set as the far side has it.
  const back = { Route: invite.values('Record-Route').join(', ') };
  const callee = {
    Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKinfo',
    From: '<sip:bob@example.com>;tag=bob',
    To: '<sip:alice@example.com>;tag=a1',
    CSeq: '7 INFO',
    ...back,
  };
  fe.sends(request('INFO', contactOf('alice'), callee));
  const info = await alice.receivesRequest('INFO');
  assert.ok(!info.has('Route'));
  alice.answers(info, 200);
  await fe.receives(200);
  alice.sends(request('BYE', target, { ...dialog, CSeq: '2 BYE', Via: 'SIP/2.0/TLS h;branch=z9hG4bKbye' }));
  const bye = await fe.receivesRequest('BYE');
  assert.deepEqual(bye.values('Route'), ['<sip:fe1.corp.example;lr>']);
  fe.answers(bye, 200);
  await alice.receives(200);
  assert.doesNotMatch(alice.shown, INSIDE);
});

test('a call from inside to a client, cancelled: CANCEL follows, 487 comes back', async (t) => {
  const { lab, fe } = await start(t);
  const carol = await lab.client();
  const path = await signIn(carol, fe, 'carol');
  const Via =
    'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKcall, SIP/2.0/TLS 10.45.32.99;branch=z9hG4bKbob';
  const fields = {
    Via,
    Route: path,
    From: '<sip:bob@example.com>;tag=b1',
    'Call-ID': 'internal@10.45.32.99',
    Contact: '<sip:bob@10.45.32.99>',
    'Record-Route': '<sip:fe1.corp.example;lr>',
  };
  fe.sends(request('INVITE', contactOf('carol'), fields));
  const invite = await carol.receivesRequest('INVITE');
  carol.answers(invite, 180);
  await fe.receives(180);
  fe.sends(
    request('CANCEL', contactOf('carol'), { ...fields, Via: Via.split(',')[0] ?? '', CSeq: '1 CANCEL' }),
  );
  await fe.receives(200);
  const cancel = await carol.receivesRequest('CANCEL');
  assert.equal(cancel.callId, invite.callId);
  carol.answers(cancel, 200);
  carol.answers(invite, 487);
  const refused = await fe.receives(487);
  assert.equal(refused.callId, 'internal@10.45.32.99');
  assert.equal(refused.vias().length, 2);
  await carol.receivesRequest('ACK');
  assert.doesNotMatch(carol.shown, INSIDE);
});

test('a client cancels its own call', async (t) => {
  const { lab, fe } = await start(t);
  const alice = await lab.client();
  await signIn(alice, fe, 'alice');
  alice.sends(request('INVITE', 'sip:bob@example.com'));
  const invite = await fe.receivesRequest('INVITE');
  fe.answers(invite, 180);
  await alice.receives(180);
  alice.sends(request('CANCEL', 'sip:bob@example.com', { CSeq: '1 CANCEL' }));
  await alice.receives(200);
  fe.answers(await fe.receivesRequest('CANCEL'), 200);
  fe.answers(invite, 487);
  await fe.receivesRequest('ACK');
  await alice.receives(487);
});

test('a request for a connection that is gone is 430, for a forged token 403, without a token 404; each is counted', async (t) => {
  const { lab, fe } = await start(t);
  const carol = await lab.client();
  const path = await signIn(carol, fe, 'carol');
  const send = (branch: string, Route: string | undefined) =>
    fe.sends(
      request('MESSAGE', contactOf('carol'), { Via: `SIP/2.0/TLS fe1;branch=z9hG4bK${branch}`, Route }),
    );
  send(
    'forged',
    path.replace(/:[\w-]+@/, (token) => `:${token.slice(1, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}@`),
  );
  await fe.receives(403);
  send('none', undefined);
  await fe.receives(404);
  send('elsewhere', '<sip:elsewhere.example;lr>');
  await fe.receives(404);
  carol.ends();
  await until(() => lab.service.remaining() === 0);
  send('dead', path);
  await fe.receives(430);
  const counters = (await lab.service.verbs.counters?.({})) as { refusals: Record<string, number> };
  assert.equal(counters.refusals['forged-token'], 1);
  assert.equal(counters.refusals['dead-flow'], 1);
  assert.equal(counters.refusals['no-flow'], 2);
});

test('the next hop may use a connection of its own (port row int-02), if it is named in the document', async (t) => {
  const { lab, fe } = await start(t);
  const carol = await lab.client();
  const path = await signIn(carol, fe, 'carol');
  const pool = await lab.internalPeer(['pool.corp.example']);
  pool.sends(request('MESSAGE', contactOf('carol'), { Route: path }));
  carol.answers(await carol.receivesRequest('MESSAGE'), 200);
  await pool.receives(200);
  pool.sends(request('OPTIONS', 'sip:edge1.corp.example', { Via: 'SIP/2.0/TLS fe1;branch=z9hG4bKo' }));
  await pool.receives(200);
  const stranger = await lab.internalPeer(['other.corp.example']);
  await stranger.isClosed();
  const nobody = await lab.internalPeer(undefined).catch(() => undefined);
  await nobody?.isClosed();
  lab.document.policy.nextHop.name = 'other.corp.example';
  await lab.commit();
  const renamed = await lab.internalPeer(['other.corp.example']);
  renamed.sends(request('OPTIONS', 'sip:edge1.corp.example'));
  await renamed.receives(200);
});

test('clients are told apart from the inside: foreign routes, NEGOTIATE, hops, extensions', async (t) => {
  const { lab } = await start(t);
  const client = await lab.client();
  let branch = 0;
  const refused = async (status: number, method: string, change: Record<string, string>) => {
    branch += 1;
    client.sends(
      request(method, 'sip:x@example.com', { Via: `SIP/2.0/TLS h;branch=z9hG4bK${branch}`, ...change }),
    );
    return client.receives(status);
  };
  await refused(403, 'MESSAGE', { Route: '<sip:10.45.32.11;lr>' });
  await refused(403, 'MESSAGE', { Route: '<sip:forged@sip.example.com;lr>' });
  await refused(501, 'NEGOTIATE', { 'Max-Forwards': '0' });
  await refused(483, 'MESSAGE', { 'Max-Forwards': '0' });
  assert.equal((await refused(420, 'MESSAGE', { 'Proxy-Require': 'foo' })).header('Unsupported'), 'foo');
  client.sends(request('OPTIONS', 'sip:sip.example.com', { Via: 'SIP/2.0/TLS h;branch=z9hG4bKoptions' }));
  await client.receives(200);
});

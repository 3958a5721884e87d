import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import { contactOf, dialogResponse, INSIDE, passBack, passOn, signIn } from '../testing/plays.ts';
import {
  fromAlice,
  fromBob,
  PARTNER,
  refusedWith,
  startFederation,
  TestPartner,
} from './testing/partners.ts';

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@partner.example';

test('a partner sends a message in: marked, its routes kept, nothing of the inside shown', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  partner.sends(
    request('MESSAGE', ALICE, {
      ...fromBob(),
      'P-Asserted-Identity': '<sip:bob@partner.example>',
      'X-Secret': 'let me in',
      'Sallyport-Asserted-Source': '<sip:alice@example.com>;source=remote-user;edge=edge1.corp.example',
      'ms-edge-proxy-message-trust': 'ms-source-type=AuthorizedServer',
      'ms-asserted-verification-level': 'ms-source-verified-user=verified',
    }),
  );
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.deepEqual(arrived.values('Sallyport-Asserted-Source'), [
    '<sip:bob@partner.example>;source=federated;verified=yes;edge=edge1.corp.example',
  ]);
  assert.equal(
    arrived.header('ms-edge-proxy-message-trust'),
    'ms-source-type=DirectPartner;ms-ep-fqdn=edge1.corp.example;ms-source-verified-user=verified;ms-source-network=federation',
  );
  assert.equal(arrived.header('P-Asserted-Identity'), '<sip:bob@partner.example>');
  assert.ok(!arrived.has('X-Secret') && !arrived.has('ms-asserted-verification-level'));
  assert.equal(arrived.vias()[1]?.host, PARTNER.proxy);
  fe.answers(arrived, 200, {
    headers: [
      ['ms-diagnostics', '1;source="fe1.corp.example";reason="x"'],
      ['ms-diagnostics-public', '4003;reason="y"'],
      ['Reason', 'SIP;cause=200;text="fine"'],
    ],
  });
  const answer = await partner.receives(200);
  assert.equal(answer.header('ms-diagnostics-public'), '4003;reason="y"');
  assert.equal(answer.header('Reason'), 'SIP;cause=200;text="fine"');
  assert.ok(!answer.has('ms-diagnostics'));
  assert.equal(answer.header('ms-asserted-verification-level'), 'ms-source-verified-user=verified');
  assert.doesNotMatch(partner.shown, INSIDE);
});

test('a message goes out to a partner over a connection of the edge, from the Access address [setting policy.federation.markOutgoing]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  fe.sends(
    request('MESSAGE', BOB, {
      ...fromAlice(),
      'P-Asserted-Identity': '"Alice" <sip:alice@example.com>',
      'ms-edge-proxy-message-trust': 'ms-source-type=InternetUser;ms-ep-fqdn=edge1.corp.example',
      'X-Server': 'fe1.corp.example',
    }),
  );
  const theirs = await partner.connection();
  assert.equal(theirs.socket.remoteAddress, '127.0.9.10');
  const arrived = await theirs.receivesRequest('MESSAGE');
  assert.equal(arrived.topVia.host, 'sip.example.com');
  assert.equal(arrived.topVia.port, lab.document.policy.ports.accessFederation);
  assert.equal(arrived.header('ms-asserted-verification-level'), 'ms-source-verified-user=verified');
  assert.ok(!arrived.has('X-Server') && !arrived.has('ms-edge-proxy-message-trust'));
  theirs.answers(arrived, 200);
  const answer = await fe.receives(200);
  assert.match(answer.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=DirectPartner;/);
  lab.document.policy.federation.markOutgoing = false;
  await lab.commit();
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const second = await theirs.receivesRequest('MESSAGE');
  assert.ok(!second.has('ms-asserted-verification-level'));
  assert.doesNotMatch(theirs.shown, INSIDE);
});

test('a call from a partner: routes of both sides are kept, requests of the dialog find their way', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const proxies = ['<sip:sip.partner.example:5061;transport=tls;lr>', '<sip:inner.partner.example;lr>'];
  const call: Record<string, string | string[]> = {
    ...fromBob({ 'Record-Route': proxies.join(', ') }),
    Contact: '<sip:bob@phone.partner.example:5061;transport=tls>',
  };
  partner.sends(request('INVITE', ALICE, call));
  const invite = await fe.receivesRequest('INVITE');
  const recorded = invite.values('Record-Route');
  assert.match(recorded[0] ?? '', /^<sip:f\.[\w-]+@edge1\.corp\.example:\d+;transport=tls;lr>$/);
  assert.match(recorded[1] ?? '', /^<sip:f\.[\w-]+@sip\.example\.com:\d+;transport=tls;lr>$/);
  assert.deepEqual(recorded.slice(2), proxies);
  const own = '<sip:tok@fe1.corp.example:5061;lr>';
  fe.sends(
    passBack(
      dialogResponse(invite, 200, {
        tag: 'callee',
        Contact: '<sip:alice@10.45.1.7:5061>',
        'Record-Route': [own, ...recorded].join(', '),
      }).toString(),
    ),
  );
  const answered = await partner.receives(200);
  const shown = answered.values('Record-Route');
  assert.match(shown[0] ?? '', /^<sip:f\.[\w-]+@sip\.example\.com:\d+;transport=tls;lr;behind=[\w-]+>$/);
  assert.deepEqual(shown.slice(1), proxies);
  const target = /<(sip:~[^>]+)>/.exec(answered.header('Contact') ?? '')?.[1] ?? '';
  const Route = shown[0] ?? '';
  partner.sends(request('ACK', target, { ...call, Route, To: answered.header('To') ?? '', CSeq: '1 ACK' }));
  const ack = await fe.receivesRequest('ACK');
  assert.equal(ack.uri, 'sip:alice@10.45.1.7:5061');
  assert.deepEqual(ack.values('Route'), [own]);
  const server = await TestPartner.create(t, lab);
  await server.listen();
  // The other way: what the next hop sends within the dialog goes by our two routes to the partner's own.
  const bye = { ...fromAlice(), 'Call-ID': String(call['Call-ID']) };
  fe.sends(
    request('BYE', 'sip:bob@phone.partner.example:5061;transport=tls', {
      ...bye,
      From: answered.header('To') ?? '',
      To: String(call.From),
      Route: recorded.join(', '),
    }),
  );
  const theirs = await server.connection();
  const ended = await theirs.receivesRequest('BYE');
  assert.deepEqual(ended.values('Route'), proxies);
  theirs.answers(ended, 200);
  await fe.receives(200);
  assert.doesNotMatch(partner.shown + theirs.shown, INSIDE);
});

test('a call to a partner: its answer shows the next hop every route, and its requests come back in', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const inside = '<sip:tok@fe1.corp.example:5061;lr>';
  const call = fromAlice({ 'Record-Route': inside, Contact: '<sip:alice@10.45.1.7:5061>' });
  fe.sends(request('INVITE', BOB, call));
  const theirs = await partner.connection();
  const invite = await theirs.receivesRequest('INVITE');
  const [ours = '', ...others] = invite.values('Record-Route');
  assert.deepEqual(others, []);
  assert.doesNotMatch(invite.callId, INSIDE);
  const proxy = '<sip:sip.partner.example:5061;transport=tls;lr>';
  theirs.sends(
    dialogResponse(invite, 200, {
      tag: 'bob',
      Contact: '<sip:bob@phone.partner.example:5061>',
      'Record-Route': `${proxy}, ${ours}`,
    }),
  );
  const answered = await fe.receives(200);
  const routes = answered.values('Record-Route');
  assert.equal(routes[0], proxy);
  assert.match(routes[1] ?? '', /@sip\.example\.com:/);
  assert.match(routes[2] ?? '', /@edge1\.corp\.example:/);
  assert.equal(routes[3], inside);
  assert.equal(answered.callId, String(call['Call-ID']));
  const target = /<(sip:[^>]+)>/.exec(invite.header('Contact') ?? '')?.[1] ?? '';
  const dialling = await partner.dials(lab);
  dialling.sends(
    request('BYE', target, {
      ...fromBob({ Route: ours, 'Call-ID': invite.callId }),
      To: invite.header('From') ?? '',
    }),
  );
  const bye = await fe.receivesRequest('BYE');
  assert.equal(bye.callId, String(call['Call-ID']));
  assert.equal(bye.uri, 'sip:alice@10.45.1.7:5061');
  assert.deepEqual(bye.values('Route'), [inside]);
  assert.doesNotMatch(theirs.shown + dialling.shown, INSIDE);
});

test('S9 a certificate speaks for its own domain only: From, P-Asserted-Identity, Via and Record-Route', async (t) => {
  const { lab, fe } = await startFederation(t, ({ policy }) => {
    const other = {
      domain: 'other.example',
      proxy: 'sip.other.example',
      verification: 'use-source',
    } as const;
    policy.federation.allowed.push(other);
  });
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const attempts: [rule: string, change: Record<string, string>][] = [
    ['from-not-verified', { From: '<sip:eve@other.example>;tag=1' }],
    ['unlisted-domain', { From: '<sip:eve@elsewhere.example>;tag=1' }],
    ['own-domain', { From: '<sip:carol@example.com>;tag=1' }],
    ['from-not-verified', { From: '<tel:+15551234>;tag=1' }],
    ['asserted-identity', { 'P-Asserted-Identity': '<sip:ceo@other.example>' }],
    ['asserted-identity', { 'P-Asserted-Identity': '<sip:bob@partner.example>, <sip:carol@example.com>' }],
    ['via-host', { Via: 'SIP/2.0/TLS sip.other.example:5061;branch=z9hG4bKforged' }],
    ['record-route-host', { 'Record-Route': '<sip:sip.other.example;lr>' }],
  ];
  for (const [rule, change] of attempts) {
    const before = lab.events.take(100).length;
    partner.sends(request('INVITE', ALICE, fromBob(change)));
    refusedWith(await partner.receives(403), rule === 'own-domain' ? 1017 : 1002);
    partner.sends(request('ACK', ALICE, fromBob(change)));
    const event = lab.events.take(100).find(({ name }) => name === 'partner-message-refused');
    assert.equal(event?.fields.rule, rule, `${before} ${JSON.stringify(change)}`);
  }
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await fe.receivesRequest('MESSAGE')).from.uri, BOB, 'only this one got through');
});

test('S15 no password is asked for by a partner, tried through one, or shown to one', async (t) => {
  const { lab, fe } = await startFederation(t);
  const elsewhere = await TestPartner.create(t, lab);
  await elsewhere.listen();
  const partner = await elsewhere.dials(lab);
  const digest =
    'Digest username="alice", realm="example.com", nonce="n", uri="sip:alice@example.com", response="00"';
  const credentials = { Authorization: digest, 'proxy-AUTHORIZATION': [digest, 'Basic YWxpY2U6eA=='] };
  partner.sends(request('MESSAGE', ALICE, { ...fromBob(), ...credentials }));
  const inward = await fe.receivesRequest('MESSAGE');
  assert.ok(!inward.has('Authorization') && !inward.has('Proxy-Authorization'));
  fe.answers(inward, 200);
  await partner.receives(200);
  fe.sends(request('MESSAGE', BOB, { ...fromAlice(), ...credentials }));
  const asked = await elsewhere.connection();
  const outward = await asked.receivesRequest('MESSAGE');
  assert.ok(!outward.has('Authorization') && !outward.has('Proxy-Authorization'));
  const challenge = 'Digest realm="example.com", nonce="chosen", algorithm=MD5';
  asked.answers(outward, 407, { headers: [['Proxy-Authenticate', challenge]] });
  const answer = await fe.receives(407);
  assert.ok(!answer.has('Proxy-Authenticate') && !answer.has('WWW-Authenticate'));
});

test('S12 no way from one stranger to another: no transit, no foreign or forged route', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const attempts: [status: number, uri: string, change: Record<string, string>][] = [
    [403, 'sip:victim@elsewhere.example', {}],
    [403, 'sip:10.45.32.11:5061', {}],
    [403, 'tel:+15551234', {}],
    [403, `${ALICE};maddr=10.45.32.11`, {}],
    [403, `${ALICE};transport=tls;MADDR=elsewhere.example`, {}],
    [403, ALICE, { Route: '<sip:fe1.corp.example:5061;lr>' }],
    [403, ALICE, { Route: '<sip:f.AAAA@sip.example.com;lr>' }],
    [403, ALICE, { Route: '<sip:sip.example.com;lr;behind=AAAA>' }],
    [483, ALICE, { 'Max-Forwards': '0' }],
    [440, ALICE, { 'Max-Breadth': '0' }],
  ];
  for (const [status, uri, change] of attempts) {
    partner.sends(request('MESSAGE', uri, fromBob(change)));
    await partner.receives(status);
  }
  fe.sends(request('MESSAGE', BOB, fromAlice({ From: '<sip:bob@elsewhere.example>;tag=1' })));
  refusedWith(await fe.receives(403), 1017);
  fe.sends(request('MESSAGE', BOB, fromAlice({ Route: '<sip:127.0.0.1:22;lr>' })));
  await fe.receives(403);
});

test('S12 a spiral by way of a partner passes, and one that goes round is a loop; ours is what a Via proves to be so', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const client = await lab.client();
  const path = await signIn(client, fe, 'alice');
  const group = 'sip:group@example.com';
  const goesOn = (inside: SipRequest, uri: string, at: number) =>
    fe.sends(passOn(inside, uri, path).toString().replace('=z9hG4bKfe1', `=z9hG4bKon${at}`));
  /** Bob's message goes to alice's device, which forwards it to the partner, which sends it to us for a group of ours. */
  const round = async (at: number, vias: string[]): Promise<void> => {
    const Via = [String(fromBob().Via), ...vias];
    partner.sends(request('MESSAGE', group, { ...fromBob({ 'Call-ID': 'round' }), Via }));
    const inside = await fe.receivesRequest('MESSAGE');
    assert.match(
      inside.header('Sallyport-Asserted-Source') ?? '',
      /^<sip:bob@partner\.example>;source=federated/,
    );
    goesOn(inside, contactOf('alice'), at);
  };
  await round(1, ['SIP/2.0/TLS sip.example.com;branch=z9hG4bKm']);
  const first = await client.receivesRequest('MESSAGE');
  await round(2, first.values('Via'));
  await fe.receives(482);
  const Via = [String(fromBob().Via), ...first.values('Via')];
  partner.sends(request('MESSAGE', ALICE, { ...fromBob({ 'Call-ID': 'round' }), Via }));
  const spiral = await fe.receivesRequest('MESSAGE');
  assert.equal(spiral.uri, ALICE);
  goesOn(spiral, 'sip:alice@192.168.1.6', 3);
  assert.equal((await client.receivesRequest('MESSAGE')).uri, 'sip:alice@192.168.1.6');
});

test('S12 what the next hop sends to a partner and gets back is a loop once it is round', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const call = fromAlice();
  fe.sends(request('MESSAGE', BOB, call));
  const theirs = await partner.connection();
  const sent = await theirs.receivesRequest('MESSAGE');
  // What is sent again with the Vias that it left with has been round, in whatever way.
  const vias = ['SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKagain', ...sent.values('Via')];
  fe.sends(request('MESSAGE', BOB, { ...call, Via: vias }));
  const refused = await fe.receives(482);
  assert.match(refused.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=EdgeProxyGenerated;/);
  fe.sends(request('MESSAGE', 'sip:carol@partner.example', { ...call, Via: vias }));
  const onwards = await theirs.receivesRequest('MESSAGE');
  const trail = (branch = '') => branch.split('-').slice(1);
  assert.deepEqual(
    trail(onwards.topVia.branch).slice(1),
    trail(sent.topVia.branch),
    'what was hidden is known still',
  );
});

test('REGISTER, SERVICE, PUBLISH and provisioning are not for partners, nor asked of them', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  const Event = 'vnd-microsoft-provisioning-v2';
  for (const [method, change] of [
    ['REGISTER', {}],
    ['SERVICE', {}],
    ['PUBLISH', {}],
    ['SUBSCRIBE', { Event }],
    ['SUBSCRIBE', { Event: 'vnd-microsoft-roaming-contacts' }],
  ] as const) {
    partner.sends(request(method, ALICE, fromBob(change)));
    refusedWith(await partner.receives(403), 1027);
    fe.sends(request(method, BOB, fromAlice(change)));
    refusedWith(await fe.receives(403), 1027);
  }
  partner.sends(request('SUBSCRIBE', ALICE, fromBob({ Event: 'presence' })));
  await fe.receivesRequest('SUBSCRIBE');
});

test('who is on no list, or on the block list, is refused in both directions [setting policy.federation.allowed[].domain] [setting policy.federation.blocked[].domain]', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await (await TestPartner.create(t, lab)).dials(lab);
  fe.sends(request('MESSAGE', 'sip:x@elsewhere.example', fromAlice()));
  const refused = await fe.receives(403);
  refusedWith(refused, 1002);
  assert.match(refused.header('ms-edge-proxy-message-trust') ?? '', /^ms-source-type=EdgeProxyGenerated;/);
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
  const [entry] = lab.document.policy.federation.allowed;
  assert.ok(entry !== undefined);
  entry.domain = 'renamed.example';
  await lab.commit();
  // The certificate still names the proxy of a listed partner, so the connection stays; the domain is nobody's.
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  await partner.receives(403);
  entry.domain = PARTNER.domain;
  lab.document.policy.federation.blocked = [{ domain: PARTNER.domain }];
  await lab.commit();
  partner.sends(request('MESSAGE', ALICE, fromBob()));
  await partner.receives(403);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await fe.receives(403);
  const rules = lab.events
    .take(100)
    .flatMap(({ fields }) => (fields.rule === undefined ? [] : [fields.rule]));
  assert.deepEqual(rules, ['unlisted-domain', 'unlisted-domain', 'blocked-domain', 'blocked-domain']);
});

test('a partner that the document gives another edge is spoken to there [setting policy.federation.allowed[].proxy]', async (t) => {
  const { lab, names, fe } = await startFederation(t);
  names.hosts.set('second.partner.example', ['127.0.9.42']);
  const first = await TestPartner.create(t, lab);
  await first.listen();
  const second = await TestPartner.create(t, lab, { hosts: ['second.partner.example'] });
  await second.listen('127.0.9.42');
  const arrives = async (partner: TestPartner): Promise<SipRequest> => {
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    const theirs = await partner.connection();
    const arrived = await theirs.receivesRequest('MESSAGE');
    theirs.answers(arrived, 200);
    await fe.receives(200);
    return arrived;
  };
  await arrives(first);
  const [entry] = lab.document.policy.federation.allowed;
  assert.ok(entry !== undefined);
  entry.proxy = 'second.partner.example';
  await lab.commit();
  await arrives(second);
});

test('BENOTIFY passes in both directions, and nothing waits for an answer that nobody gives', async (t) => {
  const { lab, fe } = await startFederation(t);
  const partner = await TestPartner.create(t, lab);
  await partner.listen();
  const state = { Event: 'presence', 'Subscription-State': 'active;expires=599' };
  fe.sends(request('BENOTIFY', BOB, { ...fromAlice(), ...state }));
  await (await partner.connection()).receivesRequest('BENOTIFY');
  const theirs = await partner.dials(lab);
  theirs.sends(request('BENOTIFY', ALICE, { ...fromBob(), ...state }));
  await fe.receivesRequest('BENOTIFY');
  const metrics = await lab.metrics.text();
  assert.match(metrics, /^sallyport_access_sip_server_transactions[^ ]* 0$/m);
  assert.match(metrics, /^sallyport_access_sip_client_transactions[^ ]* 0$/m);
});

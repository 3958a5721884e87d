import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '#kernel';
import { TestAgent } from './testing/agent.ts';
import { ClientProxy } from './testing/client-proxy.ts';
import { AccessLab } from './testing/lab.ts';
import { parsed, request } from './testing/messages.ts';
import { contactOf, dialogResponse, INSIDE, passOn, signIn } from './testing/plays.ts';
import { Traffic } from './testing/traffic.ts';

/*
 * Clients that are proxies: a private branch exchange with people behind it, or one that passes a call on to somebody else. A
 * dialog goes on along the way that it began, in both directions (RFC 3261 §12.2, §16.12).
 */

/** alice and carol, outside; bob's exchange; somebody inside. */
async function scene(t: TestContext, records: boolean, callee?: (traffic: Traffic) => string) {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const traffic = new Traffic([lab], [fe]);
  await traffic.arrive(2);
  const [alice, carol] = traffic.clients;
  assert.ok(alice !== undefined && carol !== undefined);
  const peer = await lab.client();
  const bob = await traffic.welcome(peer);
  const toEdge = { sends: (bytes: Buffer) => peer.sends(bytes) };
  const behind: TestAgent = new TestAgent({
    address: bob.options.address,
    contact: 'sip:bob@10.20.30.40:5070',
    sentBy: '10.20.30.40:5070',
    ledger: traffic.ledger,
    hop: () => exchange.fromBehind,
  });
  const toBob = { sends: (bytes: Buffer) => behind.handle(parsed(bytes), exchange.fromBehind) };
  const exchange = new ClientProxy(toEdge, toBob, {
    records,
    ...(callee === undefined ? {} : { callee: callee(traffic) }),
  });
  peer.automaton = (message) => exchange.handle(message, toEdge);
  return { lab, traffic, alice: alice.agent, carol: carol.agent, bob, behind, inside: traffic.inside, peer };
}

/** A whole call: both ends find one another, and whoever likes ends it. */
async function talk(traffic: Traffic, caller: TestAgent, callee: TestAgent, to = callee.options.address) {
  for (const ends of [caller, callee]) {
    const callId = await caller.call('call', to);
    await until(() => traffic.ledger.has(callId, 'ACK'));
    for (const [end, method] of [
      [caller, 'INFO'],
      [callee, 'INFO'],
      [callee, 'UPDATE'],
      [ends, 'BYE'],
    ] as const) {
      const answer = await end.within('call', callId, method);
      assert.equal(answer.status, 200, `${method}: ${answer.bytes.toString()}`);
    }
  }
  traffic.ledger.balances();
}

for (const records of [true, false]) {
  const how = records ? 'that records its route' : 'that records no route';

  test(`an exchange ${how}: its people are called, and call, from inside and from outside`, async (t) => {
    const { traffic, alice, behind, inside, peer } = await scene(t, records);
    await talk(traffic, inside, behind);
    await talk(traffic, behind, inside);
    await talk(traffic, alice, behind);
    await talk(traffic, behind, alice);
    assert.doesNotMatch(peer.shown, INSIDE);
  });

  test(`an exchange ${how} passes a call on to somebody outside, and the call goes on by it`, async (t) => {
    const { traffic, alice, carol, bob, inside, peer } = await scene(t, records, ({ clients }) => {
      return clients[1]?.agent.options.address ?? '';
    });
    await talk(traffic, alice, carol, bob.options.address);
    await talk(traffic, inside, carol, bob.options.address);
    assert.doesNotMatch(peer.shown, INSIDE);
  });

  test(`an exchange ${how} passes a call on to somebody inside, and the call goes on by it`, async (t) => {
    const { traffic, alice, bob, inside, peer } = await scene(t, records, () => 'sip:insider@example.com');
    await talk(traffic, alice, inside, bob.options.address);
    assert.doesNotMatch(peer.shown, INSIDE);
  });
}

for (const records of [true, false]) {
  const how = records ? 'with its route recorded' : 'without';
  test(`two people behind one exchange call one another by us, ${how}`, async (t) => {
    const lab = await AccessLab.start(t);
    const traffic = new Traffic([lab], [await lab.frontEnds[0].connection()]);
    const peer = await lab.client();
    const toEdge = { sends: (bytes: Buffer) => peer.sends(bytes) };
    const people: TestAgent[] = [];
    for (let at = 0; at < 2; at++) {
      const { address, contact } = (await traffic.welcome(peer)).options;
      const sentBy = `10.20.30.4${at}:5070`;
      people.push(
        new TestAgent({ address, contact, sentBy, ledger: traffic.ledger, hop: () => exchange.fromBehind }),
      );
    }
    const toPeople = {
      sends: (bytes: Buffer) => {
        const message = parsed(bytes);
        const whose = people.find(({ options: { contact, sentBy } }) =>
          message.kind === 'request'
            ? message.uri === contact
            : `${message.topVia.host}:${message.topVia.port}` === sentBy,
        );
        (whose ?? assert.fail(bytes.toString())).handle(message, exchange.fromBehind);
      },
    };
    const exchange = new ClientProxy(toEdge, toPeople, { records });
    peer.automaton = (message) => exchange.handle(message, toEdge);
    const [bob, dave] = people;
    assert.ok(bob !== undefined && dave !== undefined);
    await talk(traffic, bob, dave);
    await talk(traffic, dave, bob);
    assert.doesNotMatch(peer.shown, INSIDE);
  });
}

/** Mallory and alice outside, and what mallory learnt of alice: her flow token, and what was sealed for a call between the two. */
async function rogue(t: TestContext) {
  const lab = await AccessLab.start(t);
  const fe = await lab.frontEnds[0].connection();
  const [alice, mallory] = [await lab.client(), await lab.client()];
  const pathOfAlice = await signIn(alice, fe, 'alice');
  const pathOfMallory = await signIn(mallory, fe, 'mallory');
  const token = /sip:([^@]+)@/.exec(pathOfAlice)?.[1] ?? assert.fail();
  alice.sends(
    request('INVITE', 'sip:mallory@example.com', {
      Contact: `<${contactOf('alice')}>`,
      'Call-ID': 'between',
      Via: 'SIP/2.0/TLS h;branch=z9hG4bKbetween',
    }),
  );
  const arrived = await fe.receivesRequest('INVITE');
  const passed = passOn(arrived, contactOf('mallory'), pathOfMallory).toString();
  const recorded = `Record-Route: <sip:fe1.corp.example;lr>, ${arrived.values('Record-Route').join(', ')}`;
  fe.sends(passed.replace(/^Route:/m, `${recorded}\r\nRoute:`));
  const sealed = (await mallory.receivesRequest('INVITE')).header('Record-Route') ?? '';
  assert.match(sealed, /;behind=/);
  await alice.receives(100);
  await fe.receives(100);
  const port = lab.document.policy.ports.accessInternal;
  const evil = [
    '<sip:10.45.32.11;lr>',
    '<sip:strict.example.net>',
    `<sip:${token}@edge1.corp.example:${port};transport=tls;lr>`,
    `<sip:${token}@sip.example.com:${lab.externalPort};transport=tls;lr>`,
    sealed,
  ];
  return { lab, fe, alice, mallory, pathOfMallory, evil };
}

test('whatever routes a client records in its request, they lead nowhere but back to it', async (t) => {
  const { fe, alice, mallory, evil } = await rogue(t);
  const Via = 'SIP/2.0/TLS h;branch=z9hG4bKrogue';
  const From = '<sip:mallory@example.com>;tag=m';
  const fields = { Via, From, 'Call-ID': 'rogue', Contact: `<${contactOf('mallory')}>` };
  mallory.sends(request('INVITE', 'sip:bob@example.com', { ...fields, 'Record-Route': evil }));
  const invite = await fe.receivesRequest('INVITE');
  const routes = invite.values('Record-Route');
  assert.deepEqual(routes.slice(2), evil);
  fe.sends(
    dialogResponse(invite, 200, {
      tag: 'bob',
      Contact: '<sip:bob@10.45.32.99>',
      'Record-Route': ['<sip:fe1.corp.example;lr>', ...routes].join(', '),
    }),
  );
  const answer = await mallory.receives(200);
  assert.deepEqual(answer.values('Record-Route').slice(1), evil, 'what it said itself, and no more');
  const bye = { From: '<sip:bob@example.com>;tag=bob', To: From, 'Call-ID': 'rogue', Route: routes };
  const own = { Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKbye', CSeq: '1 BYE' };
  fe.sends(request('BYE', contactOf('mallory'), { ...bye, ...own }));
  const ended = await mallory.receivesRequest('BYE');
  assert.deepEqual(ended.values('Route'), evil);
  mallory.answers(ended, 200);
  await fe.receives(200);
  // Nothing of it came to alice: the next that she gets is what is sent to her.
  mallory.sends(
    request('MESSAGE', 'sip:alice@example.com', { ...fields, CSeq: '2 MESSAGE', Route: evil[0] }),
  );
  await mallory.receives(403);
  alice.sends('\r\n\r\n');
  await alice.receivesPong();
});

test('whatever routes a client records in its answer, they lead nowhere but back to it', async (t) => {
  const { fe, alice, mallory, pathOfMallory, evil } = await rogue(t);
  const OWN = '<sip:fe1.corp.example;lr>';
  const fields = {
    From: '<sip:bob@example.com>;tag=bob',
    To: '<sip:mallory@example.com>',
    'Call-ID': 'answer',
  };
  const via = (name: string) => `SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bK${name}`;
  const first = { ...fields, Via: via('invite'), Route: pathOfMallory, Contact: '<sip:bob@10.45.32.99>' };
  fe.sends(request('INVITE', contactOf('mallory'), { ...first, 'Record-Route': OWN }));
  const invite = await mallory.receivesRequest('INVITE');
  const shown = invite.values('Record-Route');
  const answers = async (routes: readonly string[]) => {
    const more = { Contact: `<${contactOf('mallory')}>`, 'Record-Route': routes.join(', ') };
    mallory.sends(dialogResponse(invite, 200, { tag: 'm', ...more }));
    return (await fe.receives(200)).values('Record-Route');
  };
  const plain = await answers(shown);
  assert.deepEqual(plain.slice(2), [OWN]);
  // With ours in another place, or not at all, some of theirs are lost.
  for (const routes of [[], evil, evil.slice(0, 4), [...shown, ...evil]]) {
    const recorded = await answers(routes);
    assert.deepEqual(recorded.slice(-plain.length), plain);
    assert.ok(recorded.slice(0, -plain.length).every((value) => routes.includes(value)));
  }
  const recorded = await answers([...evil, ...shown]);
  assert.deepEqual(recorded, [...evil, ...plain]);
  const Route = recorded.slice(0, -1).reverse();
  const within = { ...fields, To: `${fields.To};tag=m`, Via: via('info'), CSeq: '2 INFO', Route };
  fe.sends(request('INFO', contactOf('mallory'), within));
  assert.deepEqual((await mallory.receivesRequest('INFO')).values('Route'), [...evil].reverse());
  alice.sends('\r\n\r\n');
  await alice.receivesPong();
});

test('who signs in by a proxy behind us is reached by that proxy, and nobody else by what it says (RFC 3327)', async (t) => {
  const { fe, alice, mallory, evil } = await rogue(t);
  const address = '<sip:mallory@example.com>';
  const fields = {
    From: `${address};tag=r`,
    To: address,
    Contact: '<sip:device@192.168.7.7>',
    Supported: 'path',
  };
  const Via = ['SIP/2.0/TLS 192.168.1.5;branch=z9hG4bKpath', 'SIP/2.0/UDP 192.168.7.7;branch=z9hG4bKdevice'];
  const theirs = ['<sip:192.168.1.5;lr>', ...evil];
  mallory.sends(request('REGISTER', 'sip:example.com', { ...fields, Via, Path: theirs }));
  const register = await fe.receivesRequest('REGISTER');
  const path = register.values('Path');
  assert.deepEqual(path.slice(1), theirs);
  assert.doesNotMatch(path[0] ?? '', /;ob/);
  fe.answers(register, 200, { headers: [['Path', path.join(', ')]] });
  assert.ok(!(await mallory.receives(200)).has('Path'));
  const message = { Via: 'SIP/2.0/TLS fe1.corp.example:5061;branch=z9hG4bKto', Route: path };
  fe.sends(request('MESSAGE', 'sip:device@192.168.7.7', message));
  const arrived = await mallory.receivesRequest('MESSAGE');
  assert.deepEqual(arrived.values('Route'), theirs);
  mallory.answers(arrived, 200);
  await fe.receives(200);
  alice.sends('\r\n\r\n');
  await alice.receivesPong();
  mallory.sends(request('REGISTER', 'sip:example.com', { ...fields, Path: 'sip:192.168.1.5;lr' }));
  await mallory.receives(400);
});

test('what is no route set is refused, and none goes on where no dialog begins', async (t) => {
  const { fe, mallory } = await rogue(t);
  const From = '<sip:mallory@example.com>;tag=m';
  const send = (method: string, branch: string, routes: string) =>
    mallory.sends(
      request(method, 'sip:bob@example.com', {
        Via: `SIP/2.0/TLS h;branch=z9hG4bK${branch}`,
        From,
        'Call-ID': branch,
        'Record-Route': routes,
      }),
    );
  for (const routes of ['sip:192.168.1.5;lr', '<sip:192.168.1.5', '"']) {
    send('INVITE', `bad${routes.length}`, routes);
    await mallory.receives(400);
  }
  send('MESSAGE', 'message', '<sip:192.168.1.5;lr>');
  assert.ok(!(await fe.receivesRequest('MESSAGE')).has('Record-Route'));
});

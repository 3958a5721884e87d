import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Phone } from '#apps/softphone';
import type { SipRequest } from '#protocols/sip';
import { Perimeter } from '../testing/perimeter.ts';
import { change, edit } from './documents.ts';
import { Person } from './person.ts';
import { RawSip, requestText } from './raw-sip.ts';
import { eventually, until } from './until.ts';

/*
 * Settings of the front end, and those of the edge that only show through the whole perimeter: each is changed in
 * the document of a running program, and a peer sees the difference.
 */

/** 127.75.x.y is the addresses of this file. */
const NETWORK = 75;
const DOMAIN = 'lab.test';
let perimeter: Perimeter;
const opened: (RawSip | Socket)[] = [];
const people: Person[] = [];

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  await perimeter.start();
});
after(async () => {
  closeAll();
  for (const person of people) await person.leave();
  await perimeter.stop();
});

function person(user: string): Person {
  const made = new Person(perimeter, user);
  people.push(made);
  return made;
}

async function inside(): Promise<RawSip> {
  const client = await RawSip.inside(perimeter);
  opened.push(client);
  return client;
}
function closeAll(): void {
  for (const one of opened.splice(0)) {
    if (one instanceof RawSip) one.close();
    else one.destroy();
  }
}
function limit(name: string, value: unknown): Promise<void> {
  return change(perimeter, 'internal', { [`frontEnd.limits.${name}`]: value });
}

/** The status with which a request from inside is answered, or `closed`. */
async function outcome(text: string, callId: string): Promise<number | 'closed'> {
  const client = await inside();
  void client.send(text);
  try {
    return (await client.answer(callId)).status;
  } catch (problem) {
    if (client.closed) return 'closed';
    throw problem;
  } finally {
    client.close();
  }
}
async function accepted(fields: Record<string, string | string[]>, body = ''): Promise<boolean> {
  const { text, callId } = requestText('OPTIONS', `sip:fe1.int.${DOMAIN}`, fields, body);
  return (await outcome(text, callId)) === 200;
}

test('the length of a message [setting frontEnd.limits.messageBytes]', async () => {
  const sends = () => accepted({ 'Content-Type': 'text/plain' }, 'x'.repeat(10_000));
  assert.equal(await sends(), true);
  await limit('messageBytes', 8192);
  assert.equal(await sends(), false);
  await limit('messageBytes', 65_536);
  assert.equal(await sends(), true);
});

test('the length of a header line [setting frontEnd.limits.headerLineBytes]', async () => {
  const sends = () => accepted({ Subject: 'x'.repeat(1000) });
  assert.equal(await sends(), true);
  await limit('headerLineBytes', 512);
  assert.equal(await sends(), false);
  await limit('headerLineBytes', 8192);
  assert.equal(await sends(), true);
});

test('the number of header fields [setting frontEnd.limits.headers]', async () => {
  const sends = () => accepted({ Subject: Array<string>(60).fill('x') });
  assert.equal(await sends(), true);
  await limit('headers', 32);
  assert.equal(await sends(), false);
  await limit('headers', 200);
  assert.equal(await sends(), true);
});

test('the time for one message [setting frontEnd.limits.messageSeconds]', async () => {
  const { text, callId } = requestText('OPTIONS', `sip:fe1.int.${DOMAIN}`);
  await limit('messageSeconds', 300);
  const patient = await inside();
  void patient.send(text.slice(0, 60));
  // Answered, so that the part above is there too when the setting changes.
  assert.equal(await accepted({}), true);
  await limit('messageSeconds', 1);
  const hurried = await inside();
  void hurried.send(text.slice(0, 60));
  await hurried.isClosed();
  void patient.send(text.slice(60));
  assert.equal((await patient.answer(callId)).status, 200);
  await limit('messageSeconds', 30);
  closeAll();
});

test('the time for a handshake [setting frontEnd.limits.handshakeSeconds]', async () => {
  const silent = async () => {
    const { address, port } = perimeter.plan.frontEnd;
    const socket = connect({ host: address, port, localAddress: perimeter.plan.clients.bob });
    opened.push(socket);
    socket.on('error', () => {}).resume();
    await once(socket, 'connect');
    return socket;
  };
  await limit('handshakeSeconds', 120);
  const before = await silent();
  await limit('handshakeSeconds', 1);
  // One that begins now, and one that had begun with far more time.
  const after = await silent();
  await until('both silent connections are closed', () => before.destroyed && after.destroyed);
  await limit('handshakeSeconds', 10);
  closeAll();
});

test('connections at a time [setting frontEnd.limits.connections]', async () => {
  /** How many more can be opened; they stay open. */
  const room = async () => {
    for (let count = 0; count < 50; count += 1) {
      try {
        await inside();
      } catch {
        return count;
      }
    }
    throw new Error('there is room without end');
  };
  await limit('connections', 12);
  const first = await room();
  assert.ok(first <= 12, `${first} of 12`);
  await limit('connections', 20);
  assert.equal(await room(), 8);
  await limit('connections', 10_000);
  await inside();
  closeAll();
});

test('transactions at a time [setting frontEnd.limits.transactions]', async () => {
  /** Unanswered challenges are INVITE transactions that wait for their ACK. */
  const refused = async () => {
    const client = await inside();
    const invites = Array.from({ length: 150 }, () => requestText('INVITE', `sip:bob@${DOMAIN}`));
    for (const { text } of invites) void client.send(text);
    const answers = await Promise.all(invites.map(({ callId }) => client.answer(callId)));
    client.close();
    const full = answers.filter(({ status }) => status === 503);
    for (const answer of full) assert.ok(answer.has('Retry-After'));
    assert.equal(answers.filter(({ status }) => status === 407).length, answers.length - full.length);
    return full.length;
  };
  assert.equal(await refused(), 0);
  await limit('transactions', 100);
  await until(
    'transactions of the connections of before are forgotten',
    async () => (await accepted({})) === true,
  );
  const full = await refused();
  assert.ok(full >= 50, `${full} refused`);
  await limit('transactions', 50_000);
  assert.equal(await refused(), 0);
});

test('a client that does not read [setting frontEnd.limits.outboundBytes]', async () => {
  // Answers repeat Call-ID and the tag of From: 15 KB each, 24 MB in all, more than the kernel keeps for both ends.
  const answers = 1600;
  const flood = async () => {
    const client = await inside();
    client.pause();
    for (let sent = 0; sent < answers && !client.closed; sent += 1) {
      const { text } = requestText('OPTIONS', `sip:fe1.int.${DOMAIN}`, {
        'Call-ID': `${sent}-${'c'.repeat(7500)}`,
        From: `<sip:nobody@${DOMAIN}>;tag=${'t'.repeat(7500)}`,
      });
      await client.send(text);
    }
    return client;
  };
  await limit('outboundBytes', 67_108_864);
  const patient = await flood();
  patient.resume();
  await until('every answer is read', () => patient.responses.length === answers);
  await limit('outboundBytes', 131_072);
  const slow = await flood();
  await until('the front end has given it up', async () => {
    const metrics = await (await fetch(metricsOf('internal'))).text();
    return /^sallyport_front_end_sip_flows_closed_total\{[^}]*reason="slow-reader"\} [1-9]/m.test(metrics);
  });
  slow.resume();
  await slow.isClosed();
  assert.ok(slow.responses.length < answers);
  await limit('outboundBytes', 1_048_576);
  closeAll();
});

test('whose users live here [setting frontEnd.sipDomains]', async () => {
  const register = async () => {
    const address = '<sip:dora@second.test>';
    const { text, callId } = requestText('REGISTER', 'sip:second.test', {
      From: `${address};tag=r`,
      To: address,
      Contact: '<sip:dora@127.75.4.50:5061;transport=tls>',
    });
    return outcome(text, callId);
  };
  assert.equal(await register(), 403);
  await change(perimeter, 'internal', { 'frontEnd.sipDomains': [DOMAIN, 'second.test'] });
  assert.equal(await register(), 401);
  await change(perimeter, 'internal', { 'frontEnd.sipDomains': [DOMAIN] });
});

test('where the front end looks for its edges [setting frontEnd.edges[].address] [setting frontEnd.edges[].port] [setting frontEnd.edges[].avAuthenticationPort]', async () => {
  const listen = async () => {
    const server = createServer((socket) => {
      opened.push(socket);
      socket.on('error', () => {});
    });
    server.listen(0, `127.${NETWORK}.2.99`);
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return { server, port: address.port };
  };
  const [access, authentication] = [await listen(), await listen()];
  const dialled = [once(access.server, 'connection'), once(authentication.server, 'connection')];
  await change(perimeter, 'internal', {
    'frontEnd.edges.1': {
      name: `edge2.int.${DOMAIN}`,
      address: `127.${NETWORK}.2.99`,
      port: access.port,
      avAuthenticationPort: authentication.port,
    },
  });
  for (const [socket] of await Promise.all(dialled)) {
    assert.equal((socket as Socket).remoteAddress, perimeter.plan.frontEnd.address);
  }
  await change(perimeter, 'internal', { 'frontEnd.edges.1': undefined });
  closeAll();
  access.server.close();
  authentication.server.close();
});

test('by what name an edge is known [setting frontEnd.edges[].name]', async () => {
  const bob = person('bob');
  const known = (await bob.connect()).mrasUri;
  await change(perimeter, 'internal', { 'frontEnd.edges.0.name': `edge9.int.${DOMAIN}` });
  assert.notEqual(
    (await bob.connect()).mrasUri,
    known,
    'users are sent to the relay service of another edge',
  );
  // The certificate of the edge does not hold that name, so that it is nobody's edge.
  const stranger = await RawSip.open(perimeter, {
    ...perimeter.plan.frontEnd,
    localAddress: perimeter.plan.internal.address,
    name: perimeter.plan.names.frontEnd,
    identity: perimeter.files.edge,
  });
  await stranger.isClosed();
  await change(perimeter, 'internal', { 'frontEnd.edges.0.name': perimeter.plan.names.edge });
  await eventually('credentials come through the edge again', () => bob.obtainRelay());
  await bob.leave();
});

test('a peer is trusted by its name, for its domains [setting frontEnd.trustedPeers[].name] [setting frontEnd.trustedPeers[].domains]', async () => {
  const bob = person('bob');
  await bob.connect();
  // The edge's certificate is at hand; it stands for the peer's here.
  const connects = () =>
    RawSip.open(perimeter, {
      ...perimeter.plan.frontEnd,
      localAddress: perimeter.plan.internal.address,
      name: perimeter.plan.names.frontEnd,
      identity: perimeter.files.edge,
    });
  const writes = async (peer: RawSip, domain: string) => {
    const from = `<sip:romeo@${domain}>;tag=r`;
    const { text, callId } = requestText(
      'MESSAGE',
      bob.address,
      { From: from, 'Content-Type': 'text/plain' },
      'O',
    );
    void peer.send(text);
    return (await peer.answer(callId)).status;
  };
  await change(perimeter, 'internal', {
    'frontEnd.edges.0.name': `edge9.int.${DOMAIN}`,
    'frontEnd.externalAccess.global.federation': true,
    'frontEnd.externalAccess.global.xmpp': true,
    'frontEnd.trustedPeers': [{ name: perimeter.plan.names.edge, domains: ['montague.test'] }],
  });
  const peer = await connects();
  assert.equal(await writes(peer, 'montague.test'), 200);
  assert.equal(await writes(peer, 'capulet.test'), 403);
  await change(perimeter, 'internal', {
    'frontEnd.trustedPeers.0.domains': ['montague.test', 'capulet.test'],
  });
  assert.equal(await writes(peer, 'capulet.test'), 200);
  await change(perimeter, 'internal', { 'frontEnd.trustedPeers.0.name': `gateway.int.${DOMAIN}` });
  await peer.isClosed();
  await (await connects()).isClosed();
  await change(perimeter, 'internal', {
    'frontEnd.edges.0.name': perimeter.plan.names.edge,
    'frontEnd.externalAccess.global.federation': undefined,
    'frontEnd.externalAccess.global.xmpp': undefined,
    'frontEnd.trustedPeers': undefined,
  });
  await eventually('credentials come through the edge again', () => bob.obtainRelay());
  await bob.leave();
});

test('hosts that clients may see stay as they are [setting policy.names.webConferencing]', async () => {
  const [alice, bob] = [person('alice'), person('bob')];
  await bob.connect();
  await alice.connect();
  const { phone } = alice;
  const received: SipRequest[] = [];
  phone.onRequest = (request, flow, transaction) => {
    received.push(request);
    Phone.prototype.onRequest.call(phone, request, flow, transaction);
  };
  const replyTo = `<sip:room@rooms.${DOMAIN};transport=tls>`;
  /** What alice is shown of the address that bob wants to be answered at. */
  const shown = async () => {
    await bob.phone.request({
      ...bob.phone.plan('MESSAGE', alice.address),
      headers: [['Reply-To', replyTo]],
    });
    return received.at(-1)?.header('Reply-To');
  };
  const hidden = await shown();
  assert.ok(hidden !== undefined && !hidden.includes(`rooms.${DOMAIN}`), hidden);
  await change(perimeter, 'edge', { 'policy.names.webConferencing': `rooms.${DOMAIN}` });
  assert.equal(await shown(), replyTo);
  await alice.leave();
  await bob.leave();
});

test('where the accounts are [setting frontEnd.database]', async () => {
  const bob = person('bob');
  await bob.connect();
  await bob.leave();
  const restart = async (database: string) => {
    await perimeter.internal.stop();
    edit(perimeter, 'internal', { 'frontEnd.database': database });
    await perimeter.internal.start();
  };
  await restart(join(perimeter.plan.folder, 'empty.sqlite'));
  await assert.rejects(bob.connect(), /REGISTER: 401/);
  await restart('front-end.sqlite');
  await bob.connect();
  await bob.leave();
});

function metricsOf(program: 'edge' | 'internal'): string {
  const { metrics } = perimeter.plan;
  return `http://${metrics.address}:${metrics[program]}/metrics`;
}

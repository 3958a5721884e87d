import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../cli/index.ts';
import { change, edit } from './faults/documents.ts';
import { Person } from './faults/person.ts';
import { until } from './faults/until.ts';
import { Perimeter } from './testing/perimeter.ts';
import { ProxyEnd } from './testing/proxy-end.ts';

/*
 * The gateway as a process beside the front end, and the far end of its links in this one: settings that show in
 * connections, and what a restart leaves.
 */

/** 127.63.x.y is the addresses of this file. */
const NETWORK = 63;
const JULIET = 'juliet@partner.example';
const BALCONY = `${JULIET}/balcony`;
const BOB = 'bob@lab.test';
let perimeter: Perimeter;
let proxy: ProxyEnd;
let bob: Person;

const place = () => perimeter.plan.internal.address;
const edge = () => ({ name: perimeter.plan.names.edge, address: place() });
const chat = (text: string) =>
  `<message from='${BALCONY}' to='${BOB}' type='chat' id='m'><body>${text}</body></message>`;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  edit(perimeter, 'internal', {
    'frontEnd.externalAccess.global': { remote: true, federation: true, xmpp: true },
    'frontEnd.trustedPeers': [{ name: perimeter.plan.names.frontEnd, domains: ['partner.example'] }],
    xmppGateway: { edges: [edge()], database: 'gateway.sqlite' },
  });
  proxy = await ProxyEnd.start(perimeter);
  await perimeter.internal.start();
  await proxy.untilLinked();
  bob = new Person(perimeter, 'bob');
  await bob.connect();
});
after(async () => {
  await bob.leave();
  await proxy.stop();
  await perimeter.stop();
});

/** Juliet writes to Bob, who reads it. */
async function reaches(text: string): Promise<void> {
  await proxy.say(chat(text));
  await until(`bob reads "${text}"`, () => bob.inbox.some((one) => one.text === text));
}

async function gatewayPid(): Promise<number> {
  const services = (await perimeter.internal.status())?.services ?? [];
  const pid = services.find(({ name }) => name === 'xmpp-gateway')?.pid;
  return pid ?? assert.fail('the gateway has no process');
}

test('messages go both ways between a partner and a phone at the front end, unknown users are errors', async () => {
  await reaches('Art thou not Romeo?');
  assert.equal(bob.inbox.at(-1)?.from, `sip:${JULIET};gr=balcony`);
  await bob.phone.message(`sip:${JULIET}`, 'Neither, fair saint');
  const answer = await proxy.hears(/Neither, fair saint/);
  assert.match(answer, /^<message from="bob@lab.test" to="juliet@partner.example" .*type="chat"/);
  await proxy.say(chat('x').replace(BOB, 'nobody@lab.test'));
  assert.match(await proxy.hears(/nobody/), /type="error".*<item-not-found /);
});

test('an operator sees links and contacts, and takes an invitation back', async () => {
  const ask = async (...words: string[]) => {
    const lines: string[] = [];
    const terminal = {
      out: (text: string) => void lines.push(text),
      error: (text: string) => void lines.push(text),
    };
    const socket = ['--socket', perimeter.files.internalSocket];
    const status = await runCommandLine(['internal', 'xmpp', ...words, ...socket], terminal);
    return `${status} ${lines.join('\n')}`;
  };
  const links = await ask('links');
  assert.match(links, /^0 EDGE.*edge1\.int\.lab\.test +127\.63\.2\.10 +open.*fe1\.int\.lab\.test .*healthy/s);
  assert.equal(await ask('contacts', BOB), `0 ${JULIET}`);
  assert.match(await ask('subscriptions'), /^0 DIRECTION/);
  assert.match(await ask('contacts', 'nonsense'), /^1 SLP-XMPP-0102 /);
  const stranger = 'public-unverified';
  await proxy.say(chat('still there?'), stranger);
  await until('bob reads it', () => bob.inbox.some(({ text }) => text === 'still there?'));
  assert.match(await ask('forget-contact', BOB, JULIET), /^0 /);
  assert.match(await ask('forget-contact', BOB, JULIET), /^1 SLP-XMPP-0103 /);
  await proxy.say(chat('and now?'), stranger);
  assert.match(await proxy.hears(/error/), /<forbidden /);
});

test('the user’s policy decides at the front end: without the right for XMPP nothing passes', async () => {
  const rights = 'frontEnd.externalAccess.global';
  await change(perimeter, 'internal', { [rights]: { remote: true, federation: true, xmpp: false } });
  await assert.rejects(bob.phone.message(`sip:${JULIET}`, 'x'), /403/);
  await proxy.say(chat('x'));
  assert.match(await proxy.hears(/error/), /<item-not-found /);
  await change(perimeter, 'internal', { [rights]: { remote: true, federation: true, xmpp: true } });
  await reaches('and now?');
});

test('a stanza that comes again after a kill of the gateway is not said twice [setting xmppGateway.database]', async () => {
  assert.ok(existsSync(join(perimeter.plan.folder, 'gateway.sqlite')));
  await proxy.say(chat('once'), 'federated', 'a-stream', 1);
  process.kill(await gatewayPid(), 'SIGKILL');
  await until('the link is gone', () => !proxy.linked);
  await proxy.untilLinked();
  await proxy.say(chat('once'), 'federated', 'a-stream', 1);
  await proxy.say(chat('twice'), 'federated', 'a-stream', 2);
  await until('bob reads on', () => bob.inbox.some(({ text }) => text === 'twice'));
  assert.equal(bob.inbox.filter(({ text }) => text === 'once').length, 1);
});

test('the gateway is killed in the moment in which a device takes a message: nobody reads it twice, and its sender is told', async () => {
  const pid = await gatewayPid();
  bob.onRead = (text) => {
    if (text === 'my last words') process.kill(pid, 'SIGKILL');
  };
  // The proxy brings it again when the gateway is back.
  const acknowledged = proxy.say(chat('my last words'));
  assert.match(
    await proxy.hears(/type="error"/),
    /to="juliet@partner.example\/balcony" id="m" .*<internal-server-error .*not known whether the message arrived/,
  );
  await acknowledged;
  bob.onRead = undefined;
  await reaches('and on');
  assert.equal(bob.inbox.filter(({ text }) => text === 'my last words').length, 1);
});

test('the edge is reached at its address and port, and only under its name [setting xmppGateway.edges[].address] [setting xmppGateway.edges[].port] [setting xmppGateway.edges[].name]', async () => {
  const other = await ProxyEnd.start(perimeter, { address: `127.${NETWORK}.2.11`, port: 23457 });
  try {
    const there = { ...edge(), address: `127.${NETWORK}.2.11`, port: 23457 };
    await change(perimeter, 'internal', { 'xmppGateway.edges': [{ ...there, name: 'other.lab.test' }] });
    await until('the link to the first edge is closed', () => !proxy.linked);
    await until('it was tried', () => other.attempts > 1);
    assert.equal(other.linked, false);
    await change(perimeter, 'internal', { 'xmppGateway.edges': [there] });
    await other.untilLinked();
  } finally {
    await other.stop();
    await change(perimeter, 'internal', { 'xmppGateway.edges': [edge()] });
    await proxy.untilLinked();
  }
});

test('the next hop is reached at its address and port, and only under its name [setting xmppGateway.nextHops[].address] [setting xmppGateway.nextHops[].port] [setting xmppGateway.nextHops[].name]', async () => {
  const { frontEnd, names } = perimeter.plan;
  const hop = { name: names.frontEnd, address: frontEnd.address, port: frontEnd.port };
  const hears = async (change_: object, expected: RegExp) => {
    await change(perimeter, 'internal', { 'xmppGateway.nextHops': [{ ...hop, ...change_ }] });
    await until('the gateway has seen the change', async () => {
      const { nextHops } = (await perimeter.internal.ask('xmpp-gateway', 'links')) as {
        nextHops: { name: string; address: string; state: string; reason: string }[];
      };
      return nextHops.some(({ state, reason }) => expected.test(`${state} ${reason}`));
    });
  };
  await hears({ name: 'other.lab.test' }, /^unhealthy .*SLP-NET-00/);
  await hears({ port: 9 }, /^unhealthy .*ECONNREFUSED/);
  await hears({ address: `127.${NETWORK}.4.99` }, /^unhealthy .*ECONNREFUSED/);
  await proxy.say(chat('nobody is there'));
  assert.match(await proxy.hears(/error/), /<remote-server-timeout /);
  await hears({}, /^healthy/);
  await reaches('and back');
  await change(perimeter, 'internal', { 'xmppGateway.nextHops': undefined });
});

test('a quiet link shows that it lives as often as it is told when it is opened [setting xmppGateway.keepAliveSeconds]', async () => {
  const address = `127.${NETWORK}.2.12`;
  const other = await ProxyEnd.start(perimeter, { address, second: true });
  try {
    await change(perimeter, 'internal', { 'xmppGateway.edges': [] });
    await until('the link is closed', () => !proxy.linked);
    await change(perimeter, 'internal', {
      'xmppGateway.keepAliveSeconds': 3600,
      'xmppGateway.edges': [edge()],
    });
    await proxy.untilLinked();
    await reaches('the last words');
    const quiet = proxy.connections.at(-1);
    await until('all is acknowledged', () => proxy.links.pending === 0);
    const before = quiet?.bytesReceived;
    await change(perimeter, 'internal', {
      'xmppGateway.keepAliveSeconds': 2,
      'xmppGateway.edges': [edge(), { name: perimeter.plan.names.access, address }],
    });
    await other.untilLinked();
    const lively = other.connections.at(-1);
    const from = lively?.bytesReceived ?? 0;
    await until('the second link is heard of', () => (lively?.bytesReceived ?? 0) > from);
    assert.equal(quiet?.bytesReceived, before);
  } finally {
    await other.stop();
  }
});

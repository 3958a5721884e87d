import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type HeardPresence, PresenceClient } from '#apps/softphone';
import type { Watcher } from '#protocols/presence';
import { poolOrder } from '#protocols/xmpp';
import { change, edit } from './faults/documents.ts';
import { Person } from './faults/person.ts';
import { until } from './faults/until.ts';
import { Perimeter } from './testing/perimeter.ts';
import { ProxyEnd } from './testing/proxy-end.ts';

/*
 * Presence both ways: our phone at our front end with its presence agent, the gateway, and a partner at the far end of
 * the link. The gateway and the front end are killed in the middle of it, and everything becomes right again.
 */

/** 127.64.x.y is the addresses of this file. */
const NETWORK = 64;
const JULIET = 'juliet@partner.example';
const BOB = 'bob@lab.test';
/** Another partner, of which nobody has heard anything in the tests before. */
const OTHER = 'other.example';
let perimeter: Perimeter;
let proxy: ProxyEnd;
let bob: Person;
let presence: PresenceClient;

const says = (type: string) => proxy.say(`<presence from='${JULIET}' to='${BOB}' type='${type}'/>`);
const shows = (inside: string) =>
  proxy.say(`<presence from='${JULIET}/balcony' to='${BOB}'>${inside}</presence>`);

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  const { names, internal } = perimeter.plan;
  edit(perimeter, 'internal', {
    'frontEnd.externalAccess.global': { remote: true, federation: true, xmpp: true },
    'frontEnd.trustedPeers': [{ name: names.frontEnd, domains: ['partner.example', OTHER] }],
    'frontEnd.presence.notifySeconds': 1,
    xmppGateway: { edges: [{ name: names.edge, address: internal.address }] },
  });
  proxy = await ProxyEnd.start(perimeter);
  await perimeter.internal.start();
  await proxy.untilLinked();
  bob = new Person(perimeter, 'bob');
  await bob.connect();
  presence = new PresenceClient(bob.phone);
});
after(async () => {
  await bob.leave();
  await proxy.stop();
  await perimeter.stop();
});

async function kill(name: string): Promise<void> {
  const services = (await perimeter.internal.status())?.services ?? [];
  const pid = services.find((service) => service.name === name)?.pid;
  if (typeof pid !== 'number') throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
}
async function killGateway(meanwhile: () => Promise<void>): Promise<void> {
  await kill('xmpp-gateway');
  await until('the link is gone', () => !proxy.linked);
  await meanwhile();
  await proxy.untilLinked();
}

test('a partner’s user asks to watch, is approved, sees changes, also those while the gateway was away, and leaves', async () => {
  let watchers: readonly Watcher[] = [];
  await presence.watchers((list) => {
    watchers = list;
  });
  await says('subscribe');
  await until('bob sees who asks', () => watchers.some(({ status }) => status === 'pending'));
  assert.equal(watchers[0]?.uri, `sip:${JULIET}`);
  assert.ok(!proxy.heard.some((text) => text.includes('subscribed')));
  await presence.decide(`sip:${JULIET}`, 'allow');
  await proxy.hears(/<presence from="bob@lab.test" to="juliet@partner.example" type="subscribed"/);
  await proxy.hears(/<presence from="bob@lab.test\/[^"]+" to="juliet@partner.example"\/>/);
  await presence.publish({ show: 'away', note: { text: 'at lunch' } });
  assert.match(await proxy.hears(/<show>/), /<show>away<\/show><status>at lunch<\/status>/);
  await killGateway(() => presence.publish({ show: 'dnd', note: { text: 'in a meeting' } }));
  assert.match(await proxy.hears(/<show>/), /<show>dnd<\/show><status>in a meeting<\/status>/);
  await says('probe');
  assert.match(await proxy.hears(/<show>/), /<show>dnd<\/show>/);
  await says('unsubscribe');
  await proxy.hears(/type="unsubscribed"/);
  await until('bob sees that she has gone', () => watchers.every(({ status }) => status !== 'active'));
});

test('a user who is blocked by the one who is watched hears unsubscribed', async () => {
  await says('subscribe');
  await proxy.hears(/type="subscribed"/);
  await presence.decide(`sip:${JULIET}`, 'block');
  await proxy.hears(/type="unsubscribed"/);
  await says('subscribe');
  await proxy.hears(/type="unsubscribed"/);
  await presence.decide(`sip:${JULIET}`, 'allow');
});

test('the front end is killed: the partner’s user still watches, and sees the user leave', async () => {
  await says('subscribe');
  await proxy.hears(/type="subscribed"/);
  await kill('front-end');
  await until('bob has signed in again', async () => {
    await bob.connect();
    return true;
  });
  presence = new PresenceClient(bob.phone);
  await presence.publish({ show: 'xa' });
  await proxy.hears(/<show>xa<\/show>/);
  await bob.phone.signOut();
  await proxy.hears(/from="bob@lab.test\/[^"]+" [^>]*type="unavailable"/);
  await bob.connect();
  presence = new PresenceClient(bob.phone);
  await says('unsubscribe');
});

test('our user watches a partner’s: asks, is approved, sees changes, also after a kill of the gateway, and leaves', async () => {
  const heard: HeardPresence[] = [];
  const last = () => {
    const tuple = heard.at(-1)?.document?.tuples[0];
    return `${heard.at(-1)?.state} ${tuple?.basic ?? '-'} ${tuple?.show ?? '-'}`;
  };
  const hears = (expected: string) =>
    until(`bob hears ${expected}, not ${last()}`, () => last() === expected);
  const watching = await presence.watch(`sip:${JULIET}`, (one) => heard.push(one));
  await proxy.hears(/<presence from="bob@lab.test" to="juliet@partner.example" type="subscribe"\/>/);
  await hears('pending - -');
  await says('subscribed');
  await hears('active - -');
  await shows('<show>away</show>');
  await hears('active open away');
  await killGateway(async () => {});
  await proxy.hears(/<presence from="bob@lab.test" to="juliet@partner.example" type="probe"\/>/);
  await shows('<show>xa</show>');
  await hears('active open xa');
  await proxy.say(`<presence from='${JULIET}/balcony' to='${BOB}' type='unavailable'/>`);
  await hears('active closed -');
  await watching.end();
  await hears('terminated closed -');
  await proxy.hears(/<presence from="bob@lab.test" to="juliet@partner.example" type="unavailable"\/>/);
});

test('who declines ends the subscription', async () => {
  const heard: HeardPresence[] = [];
  await says('unsubscribed');
  await presence.watch(`sip:${JULIET}`, (one) => heard.push(one));
  await proxy.hears(/type="subscribe"/);
  await says('unsubscribed');
  await until('bob hears it', () => heard.at(-1)?.reason === 'rejected');
});

test('an edge is gone for good with presence that it had acknowledged: another edge tells it again, and what changes then', async () => {
  const { names, internal } = perimeter.plan;
  const address = internal.address.replace(/\d+$/, '12');
  const other = await ProxyEnd.start(perimeter, { address, second: true });
  await change(perimeter, 'internal', {
    'xmppGateway.edges': [
      { name: names.edge, address: internal.address },
      { name: names.access, address },
    ],
  });
  await other.untilLinked();
  const [first] = poolOrder(OTHER, [names.edge, names.access]);
  const [serving, standing] = first === names.edge ? [proxy, other] : [other, proxy];
  try {
    const asks = `<presence from='nurse@${OTHER}' to='${BOB}' type='subscribe'/>`;
    await serving.say(asks, 'federated', 'a stream of the nurse’s', 1);
    await presence.decide(`sip:nurse@${OTHER}`, 'allow');
    await presence.publish({ show: 'dnd', note: { text: 'the last that it heard' } });
    await serving.hears(/to="nurse@other.example".*the last that it heard/);
    await until('it is acknowledged', () => serving.links.pending === 0);
    await serving.stop();
    await standing.hears(/to="nurse@other.example".*the last that it heard/);
    await presence.publish({ show: 'away' });
    await standing.hears(/to="nurse@other.example".*<show>away<\/show>/);
  } finally {
    await other.stop();
  }
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type HeardPresence, PresenceClient } from '#apps/softphone';
import { LabAuthority } from '#platform/pki';
import type { Watcher } from '#protocols/presence';
import { startDnsmasq } from '../../platform/dns/testing/dnsmasq.ts';
import { type MoodyNameServer, startMoodyNameServer } from '../../platform/dns/testing/moody-name-server.ts';
import { SeverableWire } from '../../platform/net/testing/severable-wire.ts';
import type { PersonEvent, Person as XmppPerson } from '../../platform/xmpp-endpoint/testing/person.ts';
import { Prosody } from '../../platform/xmpp-endpoint/testing/prosody.ts';
import { edit } from './faults/documents.ts';
import { Person } from './faults/person.ts';
import { until } from './faults/until.ts';
import { Perimeter } from './testing/perimeter.ts';

/*
 * The whole way: slixmpp on Debian's Prosody as the partner, the XMPP proxy of our edge, the gateway, the front end
 * with its presence agent, and our phone.
 */

/** 127.65.x.y is the addresses of this file. */
const NETWORK = 65;
const PARTNER = 'xmpp.example';
/** Where the DNS says that the partner's server is, and where it is; the same for our edge, as the partner sees it. */
const PLACE = `127.${NETWORK}.6.10`;
const SERVER = `127.${NETWORK}.6.11`;
const EDGE_PLACE = `127.${NETWORK}.6.20`;
const NAMES = `127.${NETWORK}.6.53`;
/** A minute, when it is asked for (`npm run long:xmpp-away`); the suite looks at the same in less. */
const AWAY_SECONDS = Number(process.env.SALLYPORT_XMPP_AWAY_SECONDS ?? 4);
const JULIET = `juliet@${PARTNER}`;
const BOB = 'bob@lab.test';
/** Pauses of the gateway grow to two minutes. */
const RETOLD_MS = 300_000;
const endings: (() => unknown)[] = [];
const ending = { after: (end: unknown) => void endings.unshift(end as () => unknown) };
let perimeter: Perimeter;
let bob: Person;
let presence: PresenceClient;
let juliet: XmppPerson;
let names: MoodyNameServer;
let toPartner: SeverableWire;
let fromPartner: SeverableWire;
const typed: string[] = [];

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  const { plan, files } = perimeter;
  const authority = await LabAuthority.create({ name: 'The authority of the partner' });
  await authority.writeCertificate(join(plan.folder, 'partner-ca.pem'));
  const nameServer = await startDnsmasq(
    ending as never,
    [
      `--host-record=host.${PARTNER},${PLACE}`,
      `--srv-host=_xmpp-server._tcp.${PARTNER},host.${PARTNER},5269`,
      '--local=/example/',
    ],
    true,
  );
  names = await startMoodyNameServer(ending as never, NAMES, nameServer);
  toPartner = new SeverableWire({ address: PLACE, port: 5269 }, { address: SERVER, port: 5269 });
  fromPartner = new SeverableWire(
    { address: EDGE_PLACE, port: 5269 },
    { address: plan.access.address, port: 5269 },
  );
  for (const wire of [toPartner, fromPartner]) {
    await wire.mend();
    ending.after(() => wire.cut());
  }
  edit(perimeter, 'edge', {
    'host.resolvers': [NAMES],
    'host.partnerCa': 'partner-ca.pem',
    'policy.features': { xmpp: true },
    'policy.xmpp': {
      partners: [{ domain: PARTNER, type: 'public-verified', sasl: 'optional', dialback: true }],
      allowedNetworks: [`127.${NETWORK}.6.0/24`],
    },
  });
  edit(perimeter, 'internal', {
    'frontEnd.externalAccess.global': { remote: true, federation: true, xmpp: true },
    'frontEnd.trustedPeers': [{ name: plan.names.frontEnd, domains: [PARTNER] }],
    'frontEnd.presence.notifySeconds': 1,
    xmppGateway: { edges: [{ name: plan.names.edge, address: plan.internal.address }] },
  });
  await perimeter.start();
  // Prosody's resolver answers for names under .test by itself.
  const hosts = join(plan.folder, 'hosts-of-prosody');
  writeFileSync(hosts, `${EDGE_PLACE} ${plan.domain}\n`);
  const prosody = await Prosody.start(ending as never, {
    domain: PARTNER,
    address: SERVER,
    nameServer,
    identity: await authority.issue({ name: PARTNER, hosts: [PARTNER] }),
    authorityPem: readFileSync(files.authority, 'utf8'),
    secure: false,
    accounts: ['juliet'],
    hosts,
  });
  juliet = await prosody.person(ending as never, 'juliet');
  bob = new Person(perimeter, 'bob', undefined, (_, typing) => typed.push(typing));
  await bob.connect();
  presence = new PresenceClient(bob.phone);
  await perimeter.until('the gateway has its link', async () => {
    const { edges } = (await perimeter.internal.ask('xmpp-gateway', 'links')) as {
      edges: { ready: boolean }[];
    };
    return edges.some(({ ready }) => ready);
  });
});
after(async () => {
  await bob.leave();
  for (const end of endings) await end();
  await perimeter.stop();
});

async function killProxy(): Promise<void> {
  const services = (await perimeter.edge.status())?.services ?? [];
  const pid = services.find(({ name }) => name === 'xmpp-proxy')?.pid;
  if (typeof pid !== 'number') throw new Error('the XMPP proxy does not run');
  process.kill(pid, 'SIGKILL');
  await until('another one runs', async () => {
    const now = (await perimeter.edge.status())?.services ?? [];
    return now.some(({ name, pid: other, health }) => name === 'xmpp-proxy' && other !== pid && health.ok);
  });
}

const chat = (body: string, more = '', to = BOB) =>
  `<message to='${to}' type='chat' id='${body.length}'><body>${body}</body>${more}</message>`;

test('message, reply, receipts and typing in both directions', async () => {
  juliet.say(chat('Art thou not Romeo?', "<request xmlns='urn:xmpp:receipts'/>"));
  await until('bob reads it', () => bob.inbox.some(({ text }) => text === 'Art thou not Romeo?'));
  assert.equal(bob.inbox.at(-1)?.from, `sip:${JULIET};gr=desk`);
  assert.equal((await juliet.event(({ event }) => event === 'receipt')).id, '19');
  await bob.phone.message(`sip:${JULIET}`, 'Neither, fair saint');
  const reply = await juliet.event(({ body }) => body === 'Neither, fair saint');
  assert.deepEqual([reply.from, reply.type], [BOB, 'chat']);
  await bob.phone.typing(`sip:${JULIET}`, 'active');
  await juliet.event(({ event, state }) => event === 'state' && state === 'composing');
  const composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
  juliet.say(`<message to='${BOB}' type='chat'>${composing}</message>`);
  await until('bob sees that she types', () => typed.includes('active'));
});

test('nobody of that name is an error on either side', async () => {
  juliet.say(chat('Who is there?', '', 'nobody@lab.test'));
  const error = await juliet.event(({ type }) => type === 'error');
  assert.equal(error.condition, 'item-not-found');
  await assert.rejects(bob.phone.message(`sip:nobody@${PARTNER}`, 'x'), /403/);
  await assert.rejects(bob.phone.message('sip:juliet@unlisted.example', 'x'), /40|50/);
});

test('she watches him: asks, is approved, sees him change, leaves, and he is gone for her', async () => {
  let watchers: readonly Watcher[] = [];
  await presence.watchers((list) => {
    watchers = list;
  });
  juliet.say(`<presence to='${BOB}' type='subscribe'/>`);
  await until('bob sees who asks', () => watchers.some(({ status }) => status === 'pending'));
  await presence.decide(`sip:${JULIET}`, 'allow');
  await juliet.event(({ event, type }) => event === 'presence' && type === 'subscribed');
  await juliet.event(({ event, from }) => event === 'presence' && (from ?? '').startsWith(`${BOB}/`));
  await presence.publish({ show: 'dnd', note: { text: 'at the feast' } });
  await juliet.event(({ show, status }) => show === 'dnd' && status === 'at the feast');
  await bob.phone.signOut();
  await juliet.event(({ from, type }) => (from ?? '').startsWith(BOB) && type === 'unavailable');
  await bob.connect();
  presence = new PresenceClient(bob.phone);
  juliet.say(`<presence to='${BOB}' type='unsubscribe'/>`);
  await presence.watchers((list) => {
    watchers = list;
  });
  await until('nobody watches him any more', () => watchers.every(({ status }) => status !== 'active'));
});

test('the XMPP proxy is killed in the middle of it: what is said afterwards arrives, once, in both directions', async () => {
  juliet.say(chat('Before'));
  await until('bob reads it', () => bob.inbox.some(({ text }) => text === 'Before'));
  await killProxy();
  juliet.say(chat('After'));
  await until('bob reads what she said after it', () => bob.inbox.some(({ text }) => text === 'After'));
  await until('bob can answer', async () => {
    await bob.phone.message(`sip:${JULIET}`, 'And here');
    return true;
  });
  await juliet.event(({ body }) => body === 'And here');
  for (const said of ['Before', 'After'])
    assert.equal(bob.inbox.filter(({ text }) => text === said).length, 1);
});

test('the partner is away, then the name server is silent: each message is answered for, nothing comes twice, and presence becomes right on both sides', async () => {
  const heard: HeardPresence[] = [];
  const shown = () => {
    const tuple = heard.at(-1)?.document?.tuples[0];
    return `${heard.at(-1)?.state} ${tuple?.basic ?? '-'} ${tuple?.show ?? '-'}`;
  };
  const bobSees = (expected: string, ms?: number) =>
    until(`bob sees ${expected}, not ${shown()}`, () => shown() === expected, ms);
  // His phone has published before, and what it said then is still there beside what it says now.
  const ofBob = ({ event, from, status }: PersonEvent) =>
    event === 'presence' && (from ?? '').startsWith(`${BOB}/`) && status !== 'at the feast';
  await presence.watch(`sip:${JULIET}`, (one) => heard.push(one));
  await juliet.event(({ event, type, from }) => event === 'presence' && type === 'subscribe' && from === BOB);
  juliet.say(`<presence to='${BOB}' type='subscribed'/>`);
  await bobSees('active open -');
  juliet.say(`<presence to='${BOB}' type='subscribe'/>`);
  await presence.publish({ show: 'chat' });
  await juliet.event((event) => ofBob(event) && event.show === 'chat');
  const others = () => juliet.left((event) => ofBob(event) && event.show !== 'chat');
  const before = others();
  await Promise.all([toPartner.cut(), fromPartner.cut()]);
  await bobSees('active closed -');
  await presence.publish({ show: 'dnd' });
  await assert.rejects(bob.phone.message(`sip:${JULIET}`, 'lost 1'), /40[48]/);
  juliet.say('<presence><show>away</show></presence>');
  juliet.say(chat('lost 2'));
  const refused = await juliet.event(({ event, type }) => event === 'message' && type === 'error');
  assert.equal(refused.condition, 'remote-server-not-found');
  await presence.publish({ show: 'xa' });
  await new Promise((resolve) => setTimeout(resolve, AWAY_SECONDS * 1000)); // so long the partner is away
  names.silent = true;
  await Promise.all([toPartner.mend(), fromPartner.mend()]);
  await assert.rejects(bob.phone.message(`sip:${JULIET}`, 'lost 3'), /40[48]/);
  names.silent = false;
  await juliet.event((event) => ofBob(event) && event.show === 'xa', RETOLD_MS);
  await bobSees('active open away', RETOLD_MS);
  await bob.phone.message(`sip:${JULIET}`, 'found');
  await juliet.event(({ body }) => body === 'found');
  juliet.say(chat('found, too'));
  await until('bob reads it', () => bob.inbox.some(({ text }) => text === 'found, too'));
  assert.equal(
    juliet.left(({ body, type }) => (body ?? '').startsWith('lost') && type !== 'error'),
    0,
  );
  assert.equal(others(), before, 'no state twice, and none of between');
  assert.equal(bob.inbox.filter(({ text }) => text.startsWith('lost')).length, 0);
  juliet.say(`<presence to='${BOB}' type='unsubscribe'/><presence to='${BOB}' type='unsubscribed'/>`);
  await until('bob hears that she shows him nothing any more', () => heard.at(-1)?.reason === 'rejected');
});

test('he watches her: asks, is approved, sees her go away and offline, and leaves', async () => {
  const heard: HeardPresence[] = [];
  const shown = () => `${heard.at(-1)?.state} ${heard.at(-1)?.document?.tuples[0]?.basic ?? '-'}`;
  const hears = (expected: string) =>
    until(`bob hears ${expected}, not ${shown()}`, () => shown() === expected);
  const watching = await presence.watch(`sip:${JULIET}`, (one) => heard.push(one));
  await juliet.event(({ event, type, from }) => event === 'presence' && type === 'subscribe' && from === BOB);
  await hears('pending -');
  juliet.say(`<presence to='${BOB}' type='subscribed'/>`);
  await hears('active open');
  juliet.say('<presence><show>away</show><status>on the balcony</status></presence>');
  await until(`bob sees that she is away, not ${JSON.stringify(heard.at(-1)?.document)}`, () =>
    JSON.stringify(heard.at(-1)?.document ?? {}).includes('on the balcony'),
  );
  await juliet.leave();
  await hears('active closed');
  await watching.end();
  await hears('terminated closed');
});

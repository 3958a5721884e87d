import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SystemClock, SystemRandom, until } from '#kernel';
import { loadCredentials, loadTrustAnchors } from '#platform/pki';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import { loadInternalDocument } from '#platform/topology';
import { conferenceSigningKey } from '#protocols/tokens';
import { Kamailio } from '../../../apps/lab/testing/kamailio.ts';
import { Perimeter } from '../../../apps/lab/testing/perimeter.ts';
import { ClientLine } from '../../front-end/testing/client-line.ts';
import { Meetings } from '../meetings.ts';
import { settingsOf } from '../settings.ts';
import { ConferenceStore } from '../store/conference-store.ts';
import { withoutFiles } from '../testing/no-files.ts';
import { Tokens } from '../tokens.ts';
import { focusMetrics } from './focus-metrics.ts';
import { FocusSide } from './focus-side.ts';
import { ParticipantLine } from './testing/participant-line.ts';

/*
 * Debian's Kamailio as the next hop, with the configuration that docs/guides/kamailio-next-hop ships, and the focus as
 * its trusted peer.
 */
const NETWORK = 97;
const DOMAIN = 'conf.lab.test';
const PLACE = { webSocket: `wss://${DOMAIN}/psom`, host: DOMAIN, port: 443 };

let perimeter: Perimeter;
let kamailio: Kamailio;
let focus: FocusSide;
let meetings: Meetings;

before(async () => {
  perimeter = await Perimeter.prepare({
    ...{ network: NETWORK, frontEnd: false },
    change: ({ policy }) => {
      policy.remoteAccess = { guests: { allowed: true, conferenceDomains: [DOMAIN] } };
    },
  });
  const { plan, secrets } = perimeter;
  const address = `127.${NETWORK}.4.77`;
  const conferences = { domain: DOMAIN, name: plan.names.frontEnd, sip: `sip:${address}:5061;transport=tls` };
  kamailio = Kamailio.start({ plan, accounts: secrets.passwords, conferences });
  await perimeter.start();
  startFocus(address);
  await until(() => focus.nextHops().every(({ state }) => state === 'healthy'));
});
after(async () => {
  focus?.stop();
  await kamailio?.stop();
  await perimeter?.stop();
});

function startFocus(address: string): void {
  const { plan, files } = perimeter;
  const file = join(plan.folder, 'focus.yaml');
  const text = {
    version: 1,
    host: {
      name: plan.names.frontEnd,
      stateDirectory: 'focus-state',
      addresses: { internal: [address] },
      certificates: { internal: files.frontEnd },
      internalCa: files.authority,
    },
    frontEnd: {
      sipDomains: [plan.domain],
      edges: [{ name: plan.names.edge, address: plan.internal.address }],
    },
    webConferencing: { domain: DOMAIN, nextHops: [{ name: plan.names.frontEnd, ...plan.frontEnd }] },
  };
  writeFileSync(file, JSON.stringify(text));
  const document = loadInternalDocument(file);
  assert.ok(document.ok, JSON.stringify(document));
  const credentials = loadCredentials(files.frontEnd, Date.now());
  const trust = loadTrustAnchors(files.authority);
  const store = ConferenceStore.open(':memory:');
  const settings = settingsOf(document.value);
  assert.ok(credentials.ok && trust.ok && store.ok && settings !== undefined);
  const [clock, random, log, metrics] = [new SystemClock(), new SystemRandom(), memoryLog(), new Metrics()];
  const signing = conferenceSigningKey(random.bytes(32));
  const tokens = new Tokens({ current: signing, all: [signing] }, plan.names.frontEnd, random);
  meetings = new Meetings({ clock, random, log, store: store.value, tokens, ...withoutFiles(), settings });
  const events = new EventRing(clock, { items: 100, bytes: 1 << 20 });
  const sockets = { plan: () => [], tcp: () => assert.fail(), udp: () => assert.fail() };
  const prepared = { document: document.value, credentials: credentials.value, trust: trust.value };
  const context = { clock, random, log, metrics, events, sockets };
  focus = new FocusSide(context, focusMetrics(metrics), prepared, meetings, () => [PLACE]);
}

async function outside(address: string): Promise<ParticipantLine> {
  const { plan, files } = perimeter;
  const line = await ClientLine.tls({
    ...{ host: plan.access.address, port: plan.access.port, servername: plan.names.access },
    ca: readFileSync(files.authority, 'utf8'),
  });
  return new ParticipantLine(line, address, address.split('@')[0]);
}
function room() {
  const organizer = `alice@${perimeter.plan.domain}`;
  const made = meetings.create({
    title: 'Budget',
    organizer,
    presenters: [],
    guests: true,
    federated: false,
  });
  assert.ok(made.ok);
  return { ...made.value, uri: `sip:${made.value.id}@${DOMAIN}` };
}

test('a user joins by Kamailio as who Kamailio knows that it is, refreshes, and is sent away at the end', async () => {
  const { uri, id } = room();
  const { plan, secrets } = perimeter;
  const alice = await outside(`alice@${plan.domain}`);
  const password = { username: 'alice', password: secrets.passwords.alice };
  await alice.asks('REGISTER', `sip:${plan.domain}`, password, 200);
  const { answer } = await alice.joins(uri);
  assert.equal(answer.role, 'presenter');
  const [entry] = meetings.roster(id).entries;
  assert.deepEqual([entry?.address, entry?.kind, entry?.outside], [`alice@${plan.domain}`, 'user', true]);
  await alice.inDialog('INVITE', 200, [['Accept', 'application/vnd.sallyport.conference+json']]);
  meetings.open(id)?.end();
  assert.match((await alice.hears('BYE')).header('Reason') ?? '', /cause=410/);
});

test('a guest joins by the key, which Kamailio leaves to the conference, and is refused with a wrong one', async () => {
  const { uri, id, key } = room();
  const eve = await outside('eve@anonymous.invalid');
  await eve.isRefused(uri, 403, 'AAAAAAAAAAAAAAAA');
  const grace = await outside('grace@anonymous.invalid');
  assert.equal((await grace.joins(uri, key)).answer.role, 'attendee');
  await grace.subscribes(uri, key);
  assert.match((await grace.hears('NOTIFY')).body.toString(), /participant-1@anonymous\.invalid/);
  await grace.inDialog('BYE', 200);
  assert.deepEqual(meetings.roster(id).entries, []);
  // Nobody's guest reaches a user.
  const other = await outside('mallory@anonymous.invalid');
  await other.isRefused(`sip:alice@${perimeter.plan.domain}`, 403);
});

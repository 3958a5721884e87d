import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Clock, ManualClock, SystemClock } from '#kernel';
import type { EdgeDocument } from '#platform/topology';
import type { SipRequest } from '#protocols/sip';
import { request } from '../testing/messages.ts';
import { dialogResponse } from '../testing/plays.ts';
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
type Discovery = EdgeDocument['policy']['federation']['discovery'];

async function start(t: TestContext, change: Partial<Discovery> = {}, clock: Clock = new SystemClock()) {
  const stage = await startFederation(
    t,
    ({ policy }) => {
      policy.federation.allowed = [];
      Object.assign(policy.federation.discovery, { enabled: true, ...change });
    },
    { clock },
  );
  stage.names.publish(PARTNER.domain, PARTNER.proxy);
  const partner = await TestPartner.create(t, stage.lab);
  return { ...stage, partner, dialled: await partner.dials(stage.lab) };
}

test('domains on no list are partners only where discovery is on [setting policy.federation.discovery.enabled] [setting policy.federation.discovery.verification]', async (t) => {
  const { lab, fe, partner, dialled } = await start(t);
  const marked = async (): Promise<string> => {
    dialled.sends(request('MESSAGE', ALICE, fromBob()));
    const arrived = await fe.receivesRequest('MESSAGE');
    fe.answers(arrived, 200);
    await dialled.receives(200);
    return arrived.header('ms-edge-proxy-message-trust') ?? '';
  };
  assert.match(await marked(), /^ms-source-type=AutoFederation;.*=unverified;/);
  await partner.listen();
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
  lab.document.policy.federation.discovery.verification = 'always-verifiable';
  await lab.commit();
  assert.match(await marked(), /=verified;/);
  lab.document.policy.federation.discovery.enabled = false;
  await lab.commit();
  await dialled.isClosed();
});

test('S9 a discovered domain is spoken for by the hosts of its own records only', async (t) => {
  const { fe, names, dialled } = await start(t);
  names.publish('victim.example', 'sip.victim.example');
  names.publish('evil.example', PARTNER.proxy);
  for (const [domain, status] of [
    ['victim.example', 403],
    ['evil.example', 403],
    ['nowhere.example', 403],
  ] as const) {
    dialled.sends(request('MESSAGE', ALICE, fromBob({ From: `<sip:ceo@${domain}>;tag=1` })));
    await dialled.receives(status);
  }
  assert.deepEqual(names.asked, [], 'no stranger has us ask the DNS for names that are not theirs');
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await fe.receivesRequest('MESSAGE')).from.uri, BOB);
});

test('a discovered partner is held to its rate; one on the list is not [setting policy.federation.discovery.messagesPerSecond] [setting policy.federation.discovery.suspiciousMessagesPerSecond]', async (t) => {
  const { lab, fe, dialled } = await start(t, { messagesPerSecond: 1 });
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  assert.equal((await dialled.receives(503)).header('Retry-After'), '5');
  const event = lab.events.take(100).find(({ name }) => name === 'discovered-partner-limited');
  assert.equal(event?.fields.rule, 'partner-rate');
  const { federation } = lab.document.policy;
  federation.discovery.messagesPerSecond = 1000;
  federation.discovery.suspiciousMessagesPerSecond = 2;
  await lab.commit();
  for (let failed = 0; failed < 20; failed++) {
    dialled.sends(request('MESSAGE', ALICE, fromBob()));
    fe.answers(await fe.receivesRequest('MESSAGE'), 404);
    await dialled.receives(404);
  }
  for (let passed = 0; passed < 2; passed++) {
    dialled.sends(request('MESSAGE', ALICE, fromBob()));
    fe.answers(await fe.receivesRequest('MESSAGE'), 404);
    await dialled.receives(404);
  }
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  await dialled.receives(503);
  federation.allowed = [{ domain: PARTNER.domain, proxy: PARTNER.proxy, verification: 'use-source' }];
  await lab.commit();
  const ended = lab.events
    .take(1000)
    .filter(({ name, fields }) => name === 'discovered-partner-limited' && fields.state === 'ended');
  assert.deepEqual(
    ended.map(({ fields }) => `${fields.rule}: ${fields.lifted}`),
    [
      'partner-rate: the document allows more now',
      'partner-suspicious: partner.example is allowed-server by the document now',
    ],
  );
  dialled.sends(request('MESSAGE', ALICE, fromBob()));
  await fe.receivesRequest('MESSAGE');
});

test('[S14] a discovered partner is held to its rate in whatever it sends: ACK, and what is refused', async (t) => {
  const clock = new ManualClock({ wall: Date.now() });
  const { fe, dialled } = await start(t, { messagesPerSecond: 3, suspiciousMessagesPerSecond: 1 }, clock);
  const writes = (address: string, method = 'MESSAGE') =>
    dialled.sends(request(method, `sip:${address}`, fromBob()));
  writes('alice@example.com');
  fe.answers(await fe.receivesRequest('MESSAGE'), 200);
  await dialled.receives(200);
  for (const user of ['carol', 'dave', 'erin', 'frank']) writes(`${user}@example.com`, 'ACK');
  writes('alice@example.com');
  await dialled.receives(503);
  clock.advance(1000);
  writes('alice@example.com', 'INFO');
  for (const user of ['carol', 'dave']) assert.match((await fe.receivesRequest('ACK')).uri, new RegExp(user));
  await fe.receivesRequest('INFO');
  // Whoever asks for what is never there is found out by that, too.
  for (let second = 0; second < 6; second++) {
    clock.advance(1000);
    for (const _ of ['first', 'second', 'third']) {
      writes('x@elsewhere.example');
      await dialled.receives(403);
    }
  }
  clock.advance(1000);
  for (const status of [403, 403, 503]) {
    writes('x@elsewhere.example');
    await dialled.receives(status);
  }
});

test('a discovered partner addresses so many users of ours [setting policy.federation.discovery.users] [setting policy.federation.discovery.limitUsers]', async (t) => {
  const { lab, fe, dialled } = await start(t, { users: 1 });
  const passes = async (user: string): Promise<void> => {
    dialled.sends(request('MESSAGE', `sip:${user}@example.com`, fromBob()));
    await fe.receivesRequest('MESSAGE');
  };
  const changes = () =>
    lab.events
      .take(1000)
      .flatMap(({ name, fields }) =>
        name === 'discovered-partner-limited' ? [`${fields.rule} ${fields.state} ${fields.users}`] : [],
      );
  await passes('alice');
  dialled.sends(request('MESSAGE', 'sip:carol@example.com', fromBob()));
  await dialled.receives(403);
  assert.deepEqual(changes(), ['partner-users begun 1']);
  // She is one user in every spelling, and another one is none of hers by a password.
  for (const alice of ['alice', 'ALICE', '%61lice', 'alice:secret']) await passes(alice);
  dialled.sends(request('MESSAGE', 'sip:carol:secret@example.com', fromBob()));
  await dialled.receives(403);
  lab.document.policy.federation.discovery.limitUsers = false;
  await lab.commit();
  assert.deepEqual(changes(), ['partner-users ended 1']);
  await passes('carol');
});

test('S14 a route of a dialog leads a discovered partner to nobody new', async (t) => {
  const { fe, dialled } = await start(t, { users: 1 });
  dialled.sends(request('INVITE', ALICE, fromBob({ Contact: '<sip:bob@phone.partner.example>' })));
  const invite = await fe.receivesRequest('INVITE');
  const routes = ['<sip:tok@fe1.corp.example:5061;lr>', ...invite.values('Record-Route')].join(', ');
  const Contact = '<sip:alice@10.45.1.7:5061>';
  fe.sends(dialogResponse(invite, 200, { tag: 'callee', Contact, 'Record-Route': routes }));
  const answer = await dialled.receives(200);
  const Route = answer.values('Record-Route')[0] ?? '';
  assert.match(Route, /;behind=/);
  dialled.sends(request('MESSAGE', 'sip:carol@example.com', fromBob({ Route })));
  await dialled.receives(403);
  const target = /<([^>]+)>/.exec(answer.header('Contact') ?? '')?.[1] ?? '';
  const To = answer.header('To') ?? '';
  dialled.sends(request('INFO', target, fromBob({ Route, To, 'Call-ID': answer.callId })));
  assert.equal((await fe.receivesRequest('INFO')).uri, 'sip:alice@10.45.1.7:5061');
});

test('the default route carries everything for whoever is on no list [setting policy.federation.routing] [setting policy.federation.defaultRoute.proxy] [setting policy.federation.defaultRoute.verification]', async (t) => {
  const clearing = 'clearing.partner.example';
  const { lab, names, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.routing = 'default-route';
    policy.federation.defaultRoute = {
      proxy: clearing,
      publicProvider: false,
      verification: 'always-verifiable',
    };
  });
  names.hosts.set(clearing, [PARTNER.address]);
  const carrier = await TestPartner.create(t, lab, { hosts: [clearing] });
  await carrier.listen();
  const dialled = await carrier.dials(lab);
  const stranger = fromBob({
    From: '<sip:x@anywhere.example>;tag=1',
    Via: `SIP/2.0/TLS ${clearing};branch=z9hG4bKdr1`,
  });
  dialled.sends(request('MESSAGE', ALICE, stranger));
  const arrived = await fe.receivesRequest('MESSAGE');
  assert.match(arrived.header('ms-edge-proxy-message-trust') ?? '', /=verified;/);
  fe.answers(arrived, 200);
  await dialled.receives(200);
  fe.sends(request('MESSAGE', 'sip:x@anywhere.example', fromAlice()));
  await (await carrier.connection()).receivesRequest('MESSAGE');
  // A partner on the list is not spoken for by the carrier.
  const bob = fromBob({ Via: `SIP/2.0/TLS ${clearing};branch=z9hG4bKdr2` });
  dialled.sends(request('MESSAGE', ALICE, bob));
  await dialled.receives(403);
  lab.document.policy.federation.routing = 'dns';
  await lab.commit();
  await dialled.isClosed();
});

test('[S12] a blocked domain, our own ones and our hosts are the same in every spelling, and behind a default route, too', async (t) => {
  const clearing = 'clearing.partner.example';
  const { lab, names, fe } = await startFederation(t, ({ policy }) => {
    policy.federation.routing = 'default-route';
    policy.federation.defaultRoute = {
      proxy: clearing,
      publicProvider: false,
      verification: 'always-verifiable',
    };
    policy.federation.blocked = [{ domain: 'blocked.example' }];
  });
  names.hosts.set(clearing, [PARTNER.address]);
  const carrier = await TestPartner.create(t, lab, { hosts: [clearing] });
  await carrier.listen();
  const dialled = await carrier.dials(lab);
  const claims = (host: string) => {
    const Via = `SIP/2.0/TLS ${clearing};branch=z9hG4bK${host.replaceAll(/[^a-z0-9]/gi, '')}`;
    dialled.sends(request('MESSAGE', ALICE, fromBob({ From: `<sip:x@${host}>;tag=1`, Via })));
  };
  const theirs = ['blocked.example', 'BLOCKED.example.', 'blocked.example..'];
  const ours = ['example.com', 'Example.com.', 'sip.example.com', 'fe1.corp.example', 'edge1.corp.example.'];
  for (const host of [...theirs, ...ours, '10.45.32.11', '[2001:db8::1]', '0x7f.1']) {
    claims(host);
    await dialled.receives(403);
  }
  for (const host of theirs.slice(0, 2)) {
    fe.sends(request('MESSAGE', `sip:x@${host}`, fromAlice({ To: `<sip:x@${host}>` })));
    refusedWith(await fe.receives(403), 1002);
  }
  claims('anywhere.example');
  await fe.receivesRequest('MESSAGE');
  fe.sends(request('MESSAGE', 'sip:x@Anywhere.example.', fromAlice()));
  await (await carrier.connection()).receivesRequest('MESSAGE');
});

test('what leaves says that it is archived, where the document says so [setting policy.federation.archivingDisclaimer]', async (t) => {
  const { lab, fe, dialled, partner } = await start(t);
  await partner.listen();
  const outward = async (): Promise<SipRequest> => {
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    const arrived = await theirs.receivesRequest('MESSAGE');
    theirs.answers(arrived, 200, { headers: [['ms-archiving-notice', 'archived=yes']] });
    await fe.receives(200);
    return arrived;
  };
  const notices = async (): Promise<(string | undefined)[]> => {
    dialled.sends(request('MESSAGE', ALICE, fromBob()));
    fe.answers(await fe.receivesRequest('MESSAGE'), 200);
    const answer = await dialled.receives(200);
    return [answer, await outward()].map((message) => message.header('ms-archiving-notice'));
  };
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  const theirs = await partner.connection();
  theirs.answers(await theirs.receivesRequest('MESSAGE'), 200);
  await fe.receives(200);
  assert.deepEqual(await notices(), [undefined, undefined]);
  lab.document.policy.federation.archivingDisclaimer = true;
  await lab.commit();
  assert.deepEqual(await notices(), ['archived=yes', 'archived=yes'], 'answers and requests');
});

test('S12 no record leads the edge to the inside, to itself, or to places that nobody has [setting policy.federation.allowedNetworks]', async (t) => {
  const { lab, names, fe, partner } = await start(t);
  await partner.listen();
  const refused = async (...addresses: string[]): Promise<void> => {
    names.hosts.set(PARTNER.proxy, addresses);
    fe.sends(request('MESSAGE', BOB, fromAlice()));
    assert.match((await fe.receives(504)).header('ms-diagnostics-public') ?? '', /^1014;/, addresses.join());
  };
  await refused('10.45.32.11');
  await refused('127.0.9.20', '127.0.9.10', '127.0.0.1');
  await refused('169.254.169.254', '::ffff:10.45.32.11', '64:ff9b::10.45.32.11');
  lab.document.policy.federation.allowedNetworks = [];
  await lab.commit();
  await refused(PARTNER.address);
  lab.document.policy.federation.allowedNetworks = [`${PARTNER.address}/32`];
  await lab.commit();
  names.hosts.set(PARTNER.proxy, ['10.45.32.11', PARTNER.address]);
  fe.sends(request('MESSAGE', BOB, fromAlice()));
  await (await partner.connection()).receivesRequest('MESSAGE');
});

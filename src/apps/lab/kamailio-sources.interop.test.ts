import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, createServer, type Server } from 'node:tls';
import { LabAuthority } from '#platform/pki';
import { request } from '../../edge/access/testing/messages.ts';
import { SipPeer } from '../../edge/access/testing/sip-peer.ts';
import { Arrivals } from './testing/arrivals.ts';
import { Kamailio } from './testing/kamailio.ts';
import { KamailioPartner } from './testing/kamailio-partner.ts';
import { Perimeter } from './testing/perimeter.ts';
import { SoftphoneUser } from './testing/softphone-user.ts';

/*
 * The Kamailio of docs/guides/kamailio-next-hop tells apart who stands behind a request: a user of ours outside, somebody at
 * a partner, somebody at a public provider, a guest. Another Kamailio is the edge of the two in the middle; a bare TLS server
 * stands for the conferences, the only ones to whom a guest may speak.
 */
const NETWORK = 63;
const OUTSIDE = `127.${NETWORK}.3.10`;
const PARTNER = { domain: 'partner.example', proxy: 'sip.partner.example' };
const PROVIDER = { domain: 'messenger.example', proxy: 'federation.messenger.example' };

const CONFERENCES = { domain: 'conf.lab.test', address: `127.${NETWORK}.4.77` };
const ROOM = `sip:room1@${CONFERENCES.domain}`;

let perimeter: Perimeter;
let focus: Server;
const conferences = new Arrivals<SipPeer>('a connection to the conferences');
let kamailio: Kamailio;
let partner: KamailioPartner;
let alice: SoftphoneUser;
const folder = mkdtempSync(join(tmpdir(), 'kamailio-sources-'));

before(async () => {
  const authority = await LabAuthority.create({ name: 'Public authority' });
  const partnerCa = join(folder, 'public-ca.pem');
  writeFileSync(partnerCa, authority.certificatePem);
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: false,
    clientAuth: true, // without it Kamailio does not let the edge in when that dials
    hosts: { [PARTNER.proxy]: OUTSIDE, [PROVIDER.proxy]: OUTSIDE },
    change: ({ host, policy }, { metrics }) => {
      Object.assign(host, { partnerCa, resolvers: [metrics.address] });
      policy.features = { federation: true, publicProviders: true };
      policy.federation = {
        allowed: [{ ...PARTNER, verification: 'always-verifiable' }],
        allowedNetworks: [`${OUTSIDE}/32`],
      };
      policy.publicProviders = [
        {
          ...{ name: 'Messenger', kind: 'public', proxy: PROVIDER.proxy, enabled: true },
          ...{ domains: [PROVIDER.domain], verification: 'always-unverifiable' },
        },
      ];
      policy.revocation = { shortLivedDays: 10_000 };
      policy.remoteAccess = { guests: { allowed: true, conferenceDomains: [CONFERENCES.domain] } };
    },
  });
  const { plan, secrets, files } = perimeter;
  focus = await startFocus();
  kamailio = Kamailio.start({
    ...{ plan, accounts: secrets.passwords, outsiders: 'federated|provider', logLevel: 2 },
    conferences: {
      domain: CONFERENCES.domain,
      name: plan.names.frontEnd,
      sip: `sip:${CONFERENCES.address}:5061;transport=tls`,
    },
  });
  partner = await KamailioPartner.start({
    folder: join(folder, 'partner'),
    addresses: [OUTSIDE],
    certificate: await authority.issue({ name: 'partner', hosts: [PARTNER.proxy, PROVIDER.proxy] }),
    authorityPem: readFileSync(files.authority, 'utf8'),
  });
  await perimeter.start();
  alice = await SoftphoneUser.connect({ perimeter, person: 'alice', tone: 400 });
  await alice.signIn();
});

after(async () => {
  await Promise.allSettled([alice?.close(), partner?.stop(), kamailio?.stop()]);
  focus?.close();
  await perimeter?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Where Kamailio finds conferences. */
async function startFocus(): Promise<Server> {
  const { frontEnd, authority } = perimeter.files;
  const server = createServer(
    {
      ...{ cert: readFileSync(frontEnd.certificate), key: readFileSync(frontEnd.key) },
      ...{ ca: readFileSync(authority), requestCert: true },
    },
    (socket) => conferences.put(new SipPeer(socket)),
  );
  server.listen(5061, CONFERENCES.address);
  await once(server, 'listening');
  return server;
}

/** Somebody outside who has a TLS connection to the edge, and no account. */
async function stranger(): Promise<SipPeer> {
  const { access, names, clients } = perimeter.plan;
  const socket = connect({
    ...{ host: access.address, port: access.port, servername: names.access, localAddress: clients.bob },
    ca: readFileSync(perimeter.files.authority),
  });
  await once(socket, 'secureConnect');
  return new SipPeer(socket);
}

/** A message of `from` by way of the partner's edge; gives the status of the answer. */
function writes(from: string, text: string): Promise<string> {
  const edge = `${perimeter.plan.access.address}:5061`;
  return partner.sends({ from, to: alice.phone.address, edge, socket: OUTSIDE, text });
}

describe('Kamailio as the next hop knows who stands behind a request', () => {
  test('somebody at a partner: federated and verified', async () => {
    assert.equal(await writes(`sip:bob@${PARTNER.domain}`, 'from a partner'), '200');
    const { from, text } = await alice.messages.next();
    assert.deepEqual([from, text], [`sip:bob@${PARTNER.domain}`, 'from a partner']);
    await kamailio.program.printed(
      /MESSAGE of sip:bob@partner\.example to .*: source=federated verified=yes/,
    );
  });

  test('somebody at a public provider: a provider, and not verified', async () => {
    assert.equal(await writes(`sip:dave@${PROVIDER.domain}`, 'from a provider'), '200');
    assert.equal((await alice.messages.next()).text, 'from a provider');
    await kamailio.program.printed(
      /MESSAGE of sip:dave@messenger\.example to .*: source=provider verified=no/,
    );
  });

  test('a guest: to a conference, with the mark, unchallenged; a user is not reached, whatever the guest says of itself', async () => {
    const guest = await stranger();
    const from = 'sip:grace@anonymous.invalid';
    const { edge } = perimeter.plan.names;
    const mark = `<${from}>;source=guest;edge=${edge}`;
    const says = (method: string, uri: string, branch: string) =>
      guest.sends(
        request(method, uri, {
          ...{
            Via: `SIP/2.0/TLS h.invalid;branch=z9hG4bK${branch}`,
            From: `<${from}>;tag=g`,
            To: `<${uri}>`,
          },
          ...{ 'Call-ID': branch, Contact: '<sip:grace@h.invalid>' },
          'Sallyport-Asserted-Source': `<${alice.phone.address}>;source=remote-user;edge=${edge}`,
        }),
      );
    says('INVITE', ROOM, 'joins');
    const conference = await conferences.next();
    const invite = await conference.receivesRequest('INVITE');
    assert.deepEqual(invite.values('Sallyport-Asserted-Source'), [mark]);
    conference.answers(invite, 486);
    await guest.receives(486);
    await kamailio.program.printed(
      /INVITE of sip:grace@anonymous\.invalid to sip:room1@conf\.lab\.test: source=guest/,
    );
    says('INVITE', alice.phone.address, 'calls');
    await guest.receives(403);
    guest.ends();
    await conference.receivesRequest('ACK');
    // The conference is told of users of ours as what they are, too.
    const speaking = alice.phone.message(ROOM, 'hello, all');
    const message = await conference.receivesRequest('MESSAGE');
    assert.deepEqual(message.values('Sallyport-Asserted-Source'), [
      `<${alice.phone.address}>;source=remote-user;edge=${edge}`,
    ]);
    conference.answers(message, 200);
    await speaking;
    conference.ends();
  });

  test('a user of ours outside: a remote user, who is not asked for the password again', async () => {
    await alice.phone.message(alice.phone.address, 'a note to myself');
    assert.deepEqual(await alice.messages.next(), { from: alice.phone.address, text: 'a note to myself' });
    await kamailio.program.printed(
      /MESSAGE of sip:alice@lab\.test to sip:alice@lab\.test: source=remote-user\n/,
    );
    const unmarked = await stranger();
    const sent = { From: `<${alice.phone.address}>;tag=m`, To: `<${alice.phone.address}>` };
    unmarked.sends(request('MESSAGE', alice.phone.address, { ...sent, 'Call-ID': 'unmarked' }));
    const challenge = await unmarked.receives(407);
    assert.match(challenge.header('Proxy-Authenticate') ?? '', /^Digest realm="lab\.test"/);
    unmarked.ends();
    assert.equal(
      [...kamailio.program.output.matchAll(/MESSAGE of sip:alice@lab\.test to sip:alice@/g)].length,
      1,
      'whom the edge has not marked is not taken for a user of ours',
    );
  });

  test('a user of ours writes to both, by way of the edge', async () => {
    for (const [user, domain] of [
      ['bob', PARTNER.domain],
      ['dave', PROVIDER.domain],
    ]) {
      await alice.phone.message(`sip:${user}@${domain}`, `to ${domain}`);
      const line = await partner.took(`to ${domain}`);
      assert.match(line, /verified=1 san=sip\.lab\.test/);
    }
    await assert.rejects(() => alice.phone.message('sip:x@elsewhere.example', 'nobody'), /MESSAGE: 403/);
  });

  test('who claims to be one of us from outside is refused by the edge, not by Kamailio', async () => {
    assert.equal(await writes(alice.phone.address, 'from within?'), '403');
  });
});

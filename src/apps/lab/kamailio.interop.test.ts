import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import type { KeyPairFiles } from '#platform/topology';
import { Baresip } from './testing/baresip.ts';
import { Kamailio } from './testing/kamailio.ts';
import { Perimeter } from './testing/perimeter.ts';
import { SoftphoneUser } from './testing/softphone-user.ts';

/*
 * Debian's Kamailio as the next hop in place of our front end, with the configuration of
 * docs/guides/kamailio-next-hop as it is shipped; what differs at every site is given by -A.
 */
const NETWORK = 62;
const TONES = { alice: 400, carol: 1400, bob: 440 } as const;
/** Packets that each has to hear. */
const ENOUGH = 100;

let perimeter: Perimeter;
let kamailio: Kamailio;
let alice: SoftphoneUser;
let carol: SoftphoneUser;
let bob: Baresip | undefined;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: false });
  const { plan, secrets } = perimeter;
  kamailio = Kamailio.start({ plan, accounts: secrets.passwords });
  await perimeter.start();
  alice = await SoftphoneUser.connect({ perimeter, person: 'alice', tone: TONES.alice });
  carol = await SoftphoneUser.connect({ perimeter, person: 'carol', tone: TONES.carol });
});

after(async () => {
  await Promise.allSettled([alice?.close(), carol?.close(), bob?.stop(), kamailio?.stop()]);
  await perimeter?.stop();
});

describe('Kamailio as the next hop', () => {
  test('users outside sign in: its challenge, their digest, registrations with Path', async () => {
    for (const user of [alice, carol]) {
      const { outside, mrasUri } = await user.signIn();
      assert.ok(outside);
      const { edge } = perimeter.plan.names;
      assert.equal(mrasUri, `sip:${edge}@${perimeter.plan.domain};gruu;opaque=srvr:MRAS:${edge}`);
    }
  });

  test('messages both ways, and nobody is challenged again on a connection that signed in', async () => {
    const before = await forwardedInward();
    await alice.phone.message(carol.phone.address, 'Hello by way of Kamailio');
    const { from, text } = await carol.messages.next();
    assert.deepEqual([from, text], [alice.phone.address, 'Hello by way of Kamailio']);
    await carol.phone.message(alice.phone.address, 'Hello yourself');
    assert.equal((await alice.messages.next()).text, 'Hello yourself');
    assert.equal(await forwardedInward(), before + 2);
    assert.equal(await nextHopConnections(), 2, 'the edge has dialled Kamailio, and Kamailio the edge');
  });

  test('a mark that a client writes itself is worth nothing', async () => {
    const { edge } = perimeter.plan.names;
    const mallory = await SoftphoneUser.connect({
      ...{ perimeter, person: 'alice', tone: TONES.alice },
      password: 'not the password',
    });
    const mark = `<${alice.phone.address}>;source=remote-user;edge=${edge}`;
    const plan = mallory.phone.plan('MESSAGE', carol.phone.address);
    const sent = mallory.phone.request({ ...plan, headers: [['Sallyport-Asserted-Source', mark]] });
    await assert.rejects(sent, /MESSAGE: 407/);
    await mallory.close();
  });

  test('only the edge is heard: no certificate, no handshake; another name, 403', async () => {
    await assert.rejects(askDirectly(undefined), /certificate required/);
    assert.match(await askDirectly(perimeter.files.frontEnd), /^SIP\/2\.0 403 Not The Edge/);
  });

  test('relay credentials: SERVICE reaches the A/V Authentication service', async () => {
    for (const user of [alice, carol]) {
      assert.equal((await user.fetchRelayCredentials()).host, perimeter.plan.names.av);
    }
  });

  test('a call between two outside, relayed', async () => {
    const before = await perimeter.switched();
    const calling = alice.call(carol.phone.address);
    const ringing = await carol.ringing.next();
    assert.equal(ringing.from, alice.phone.address);
    await ringing.answer();
    const call = await calling;
    alice.startAudio(TONES.carol);
    carol.startAudio(TONES.alice);
    await heardEnough(alice, carol);
    await call.hangUp();
    assert.ok((await perimeter.switched()) - before >= 2 * ENOUGH);
  });

  test('baresip signs in as RFC 5626 says, gives up a call, makes one', async () => {
    const phone = await baresip();
    await phone.registered();
    await phone.command('dial', alice.phone.address);
    await alice.ringing.next();
    await phone.event('CALL_RINGING');
    await phone.command('hangup');
    await phone.event('CALL_CLOSED');
    await phone.command('dial', alice.phone.address);
    await (await alice.ringing.next()).answer();
    await phone.event('CALL_ESTABLISHED');
    alice.startAudio(TONES.bob);
    await heardEnough(alice);
    await phone.command('hangup');
    await phone.event('CALL_CLOSED');
    assert.equal((await phone.statistics()).errors, 0);
  });

  test('a device that vanished and came back is found once, in its new place', async () => {
    await bob?.stop('SIGKILL');
    const phone = await baresip();
    await phone.registered();
    await alice.phone.message(`sip:bob@${perimeter.plan.domain}`, 'There you are');
    await phone.received(alice.phone.address, 'There you are');
  });

  test('a connection that is gone takes its registration with it', async () => {
    await carol.close();
    const message = () => alice.phone.message(carol.phone.address, 'Anybody there?');
    await assert.rejects(message, /MESSAGE: 430/);
    await assert.rejects(message, /MESSAGE: 480/);
  });
});

/** Opens a connection to Kamailio past the edge, sends a MESSAGE that bears the edge's mark, and gives the answer. */
async function askDirectly(identity: KeyPairFiles | undefined): Promise<string> {
  const { plan, files } = perimeter;
  const socket = connect({
    host: plan.frontEnd.address,
    port: plan.frontEnd.port,
    servername: plan.names.frontEnd,
    ca: readFileSync(files.authority),
    ...(identity === undefined
      ? {}
      : { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) }),
  });
  try {
    socket.write(
      [
        `MESSAGE ${carol.phone.address} SIP/2.0`,
        `Via: SIP/2.0/TLS ${plan.clients.bob}:5061;branch=z9hG4bKpast`,
        'Max-Forwards: 70',
        `From: <${alice.phone.address}>;tag=past`,
        `To: <${carol.phone.address}>`,
        'Call-ID: past-the-edge',
        'CSeq: 1 MESSAGE',
        `Sallyport-Asserted-Source: <${alice.phone.address}>;source=remote-user;edge=${plan.names.edge}`,
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return chunk.toString();
  } finally {
    socket.destroy();
  }
}

/** Connections between the edge and its next hop, whoever opened them; each is mutual TLS. */
async function nextHopConnections(): Promise<number> {
  const { address, edge } = perimeter.plan.metrics;
  const metrics = await (await fetch(`http://${address}:${edge}/metrics`)).text();
  return Number(/^sallyport_access_next_hop_connections\S* (\d+)/m.exec(metrics)?.[1]);
}

/** Requests that the edge has passed to Kamailio so far. */
async function forwardedInward(): Promise<number> {
  const counters = (await perimeter.edge.ask('access', 'counters')) as { requests: { inward: number } };
  return counters.requests.inward;
}

/** Waits until these have heard enough of what they listen for, then ends their audio. */
async function heardEnough(...users: SoftphoneUser[]): Promise<void> {
  await perimeter.until('all have heard enough', async () =>
    users.every((user) => user.audio().received >= ENOUGH),
  );
  for (const user of users) {
    user.stopAudio();
    assert.ok(user.audio().tone > 0.9, 'what was heard is what was played');
    assert.equal(user.audio().lost, 0);
    await user.closePath();
  }
}

async function baresip(): Promise<Baresip> {
  const { plan, secrets, files, names } = perimeter;
  bob = await Baresip.start({
    folder: join(plan.folder, 'bob'),
    address: plan.clients.bob,
    nameServer: names.place,
    authority: files.authority,
    user: 'bob',
    domain: plan.domain,
    password: secrets.passwords.bob,
    server: `${plan.names.access}:${plan.access.port}`,
    relay: { server: `${plan.names.av}:${plan.av.port}`, credential: perimeter.relayCredential('bob') },
    contact: `sip:alice@${plan.domain}`,
    instance: '6b0f0c5e-4b52-4c1e-9d7a-2f1d3c4b5a69',
    tone: TONES.bob,
  });
  return bob;
}

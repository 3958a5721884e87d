import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Baresip } from './testing/baresip.ts';
import { Perimeter } from './testing/perimeter.ts';

/*
 * Two softphones that we did not write, outside, through the Access Edge and the A/V Edge to one another. What they
 * need of their network is what any client needs: the CA, and a name service for the external names.
 */
const NETWORK = 61;
const INSTANCE = '3f2b5c1e-9a4d-4e7b-8c6f-0d1e2a3b4c5d';
/** Datagrams through the relay before the call is hung up: some seconds of audio both ways. */
const ENOUGH = 300;

let perimeter: Perimeter;
let alice: Baresip;
let carol: Baresip;

function phone(user: 'alice' | 'carol', contact: 'alice' | 'carol', instance?: string): Promise<Baresip> {
  const { plan, secrets, files, names } = perimeter;
  return Baresip.start({
    folder: join(plan.folder, user),
    address: plan.clients[user],
    nameServer: names.place,
    authority: files.authority,
    user,
    domain: plan.domain,
    password: secrets.passwords[user],
    server: `${plan.names.access}:${plan.access.port}`,
    relay: {
      server: `${plan.names.av}:${plan.av.port}`,
      credential: perimeter.relayCredential(user),
    },
    contact: `sip:${contact}@${plan.domain}`,
    ...(instance === undefined ? {} : { instance }),
  });
}

before(async () => {
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: true,
    accounts: { alice: 'MD5', carol: 'MD5' },
  });
  await perimeter.start();
});

after(async () => {
  await Promise.allSettled([alice?.stop(), carol?.stop()]);
  await perimeter?.stop();
});

function address(user: string): string {
  return `sip:${user}@${perimeter.plan.domain}`;
}

/** What the relay has counted so far: packets into allocations, out of them to clients. */
async function relay(): Promise<{ switched: number; delivered: number; allocations: number }> {
  const { allocations, relayed } = (await perimeter.edge.ask('av', 'counters')) as {
    allocations: number;
    relayed: { switchedPackets: number; receivedPackets: number };
  };
  return { switched: relayed.switchedPackets, delivered: relayed.receivedPackets, allocations };
}

async function bindings(user: string): Promise<unknown[]> {
  return (await perimeter.internal.ask('front-end', 'bindings', {
    address: `${user}@${perimeter.plan.domain}`,
  })) as unknown[];
}

describe('two baresip outside, through the edge', () => {
  test('sign in: TLS, MD5 digest; one of them as RFC 5626 says', async () => {
    [alice, carol] = await Promise.all([phone('alice', 'carol'), phone('carol', 'alice', INSTANCE)]);
    await Promise.all([alice.registered(), carol.registered()]);
    assert.equal((await bindings('alice')).length, 1);
    assert.equal((await bindings('carol')).length, 1);
  });

  test('write to one another', async () => {
    await alice.command('message', 'Hello from outside');
    await carol.received(address('alice'), 'Hello from outside');
    await carol.command('message', 'And back');
    await alice.received(address('carol'), 'And back');
  });

  test('a call given up before it is answered', async () => {
    await alice.command('dial', address('carol'));
    await carol.event('CALL_INCOMING');
    await alice.event('CALL_RINGING');
    await alice.command('hangup');
    await Promise.all([alice.event('CALL_CLOSED'), carol.event('CALL_CLOSED')]);
    assert.ok(!alice.toldOf('CALL_ESTABLISHED') && !carol.toldOf('CALL_ESTABLISHED'));
    await perimeter.until('the allocations are given back', async () => (await relay()).allocations === 0);
  });

  test('a call, its audio relayed both ways by the A/V Edge', async () => {
    const before = await relay();
    await alice.command('dial', address('carol'));
    await carol.event('CALL_INCOMING');
    await carol.command('accept');
    await Promise.all([alice.event('CALL_ESTABLISHED'), carol.event('CALL_ESTABLISHED')]);
    await perimeter.until('audio flows', async () => (await relay()).switched - before.switched > ENOUGH);
    await alice.command('hangup');
    await Promise.all([alice.event('CALL_CLOSED'), carol.event('CALL_CLOSED')]);
    const statistics = await Promise.all([alice.statistics(), carol.statistics()]);
    const after = await relay();
    for (const [index, phone] of [alice, carol].entries()) {
      const { received, errors } = statistics[index] ?? { received: 0, errors: 0 };
      assert.ok(received > ENOUGH / 3, `heard ${received} packets`);
      assert.equal(errors, 0);
      const [, source] = await phone.program.printed(
        /incoming rtp for 'audio' established, receiving from (\S+):/,
      );
      assert.equal(source, perimeter.plan.av.address, 'it hears the relay and nobody else');
    }
    const heard = statistics.reduce((sum, { received }) => sum + received, 0);
    const delivered = after.delivered - before.delivered;
    assert.ok(heard <= delivered, `${heard} packets heard, ${delivered} delivered by the relay`);
    assert.ok(heard >= delivered * 0.95, `${heard} packets heard of ${delivered} delivered by the relay`);
    await perimeter.until('the allocations are given back', async () => (await relay()).allocations === 0);
  });

  test('a client that vanished comes back, and is found in its new place', async () => {
    await carol.stop('SIGKILL');
    carol = await phone('carol', 'alice', INSTANCE);
    await carol.registered();
    assert.equal((await bindings('carol')).length, 1, 'its instance has one binding');
    await alice.command('message', 'Are you there again?');
    await carol.received(address('alice'), 'Are you there again?');
  });
});

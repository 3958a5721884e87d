import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Perimeter } from '../testing/perimeter.ts';
import { change } from './documents.ts';
import { RawSip, type RawSipOptions, requestText } from './raw-sip.ts';

/*
 * Settings of the Access Edge service that decide where it listens: the supervisor binds by them while the program runs, and
 * who connects sees it.
 */

/** 127.99.x.y is the addresses of this file. */
const NETWORK = 99;
let perimeter: Perimeter;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: true });
  await perimeter.start();
});
after(() => perimeter.stop());

type At = Pick<RawSipOptions, 'address' | 'port'>;

/** What becomes of an OPTIONS there: its status, `closed` in place of an answer, or `nobody` where nobody listens. */
async function meets(options: RawSipOptions): Promise<number | 'closed' | 'nobody'> {
  let client: RawSip;
  try {
    client = await RawSip.open(perimeter, options);
  } catch (problem) {
    const { code } = problem as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED' ? 'nobody' : 'closed';
  }
  const { text, callId } = requestText('OPTIONS', `sip:${options.name}`);
  void client.send(text);
  try {
    return (await client.answer(callId)).status;
  } catch {
    return 'closed';
  } finally {
    client.close();
  }
}
/** Somebody outside. */
function outside(at: At): ReturnType<typeof meets> {
  const { names, clients } = perimeter.plan;
  return meets({ ...at, localAddress: clients.alice, name: names.access });
}
/** The next hop. */
function inside(at: At): ReturnType<typeof meets> {
  const { names, frontEnd } = perimeter.plan;
  const identity = perimeter.files.frontEnd;
  return meets({ ...at, localAddress: frontEnd.address, name: names.edge, identity });
}

test('users outside have a port while they are served, and the one that is written [setting policy.features.remoteUsers] [setting policy.ports.accessClients]', async () => {
  const { access } = perimeter.plan;
  const other = { ...access, port: access.port + 1 };
  assert.equal(await outside(access), 200);
  await change(perimeter, 'edge', { 'policy.features.remoteUsers': false });
  assert.equal(await outside(access), 'nobody');
  await change(perimeter, 'edge', { 'policy.features.remoteUsers': true });
  assert.equal(await outside(access), 200);
  await change(perimeter, 'edge', { 'policy.ports.accessClients': other.port });
  assert.deepEqual([await outside(access), await outside(other)], ['nobody', 200]);
  await change(perimeter, 'edge', { 'policy.ports.accessClients': access.port });
});

test('partners have a port while there is federation, and the one that is written [setting policy.features.federation] [setting policy.ports.accessFederation]', async () => {
  const { address } = perimeter.plan.access;
  const [usual, other] = [16_061, 16_062].map((port) => ({ address, port })) as [At, At];
  await change(perimeter, 'edge', { 'policy.ports.accessFederation': usual.port });
  assert.equal(await outside(usual), 'nobody');
  // Whoever shows no certificate is let in nowhere there.
  await change(perimeter, 'edge', { 'policy.features.federation': true });
  assert.equal(await outside(usual), 'closed');
  await change(perimeter, 'edge', { 'policy.ports.accessFederation': other.port });
  assert.deepEqual([await outside(usual), await outside(other)], ['nobody', 'closed']);
  // The organisation's own switch refuses and opens or closes no port: that is what the flag is for.
  await change(perimeter, 'edge', { 'policy.federation.enabled': false });
  assert.equal(await outside(other), 'closed');
  await change(perimeter, 'edge', { 'policy.features.federation': false });
  assert.equal(await outside(other), 'nobody');
});

test('the next hop is served at the port that is written [setting policy.ports.accessInternal]', async () => {
  const { address, sip } = perimeter.plan.internal;
  const [usual, other] = [sip, 15_067].map((port) => ({ address, port })) as [At, At];
  assert.equal(await inside(usual), 200);
  await change(perimeter, 'edge', { 'policy.ports.accessInternal': other.port });
  assert.deepEqual([await inside(usual), await inside(other)], ['nobody', 200]);
  await change(perimeter, 'edge', { 'policy.ports.accessInternal': sip });
  assert.equal(await inside(usual), 200);
});

test('it listens at the addresses that are written, outside and inside [setting host.addresses.access] [setting host.addresses.internal]', async () => {
  const { access, internal } = perimeter.plan;
  const [further, deeper] = [`127.${NETWORK}.1.77`, `127.${NETWORK}.2.77`];
  const out = { ...access, address: further };
  const into = { address: deeper, port: internal.sip };
  assert.deepEqual([await outside(out), await inside(into)], ['nobody', 'nobody']);
  await change(perimeter, 'edge', {
    'host.addresses.access': [access.address, further],
    'host.addresses.internal': [internal.address, deeper],
  });
  assert.deepEqual([await outside(out), await inside(into)], [200, 200]);
  await change(perimeter, 'edge', {
    'host.addresses.access': [access.address],
    'host.addresses.internal': [internal.address],
  });
  assert.deepEqual([await outside(out), await inside(into)], ['nobody', 'nobody']);
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { change, edit } from './faults/documents.ts';
import { Baresip } from './testing/baresip.ts';
import { BrowserPhone, type OpenPhone, PhonePage } from './testing/browser-phone.ts';
import { Perimeter } from './testing/perimeter.ts';

/*
 * A browser and a phone that we did not write, outside: SIP.js over Chromium's WebSocket and baresip over TLS, on the same
 * port of the edge. The browser verifies the edge's certificate, as baresip does not.
 */
const NETWORK = 78;

let perimeter: Perimeter;
let page: PhonePage;
let stranger: PhonePage;
let browser: BrowserPhone;
let alice: OpenPhone;
let carol: Baresip;

before(async () => {
  [page, stranger] = await Promise.all([PhonePage.serve(), PhonePage.serve()]);
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: true,
    accounts: { alice: 'MD5', carol: 'MD5' },
  });
  edit(perimeter, 'edge', {
    'policy.remoteAccess': { webSocket: { enabled: true, origins: [page.origin] } },
  });
  await perimeter.start();
  const { plan, files } = perimeter;
  browser = await BrowserPhone.start({
    folder: join(plan.folder, 'browser'),
    authority: files.authority,
    edge: { name: plan.names.access, ...plan.access },
  });
});

after(async () => {
  await Promise.allSettled([browser?.stop(), carol?.stop()]);
  page?.stop();
  stranger?.stop();
  await perimeter?.stop();
});

function address(user: string): string {
  return `sip:${user}@${perimeter.plan.domain}`;
}

/** Who is signed in at the edge, and over what. */
async function signedIn(): Promise<[transport: string, addresses: string[]][]> {
  const { clients } = (await perimeter.edge.ask('access', 'connections')) as {
    clients: { transport: string; addresses: string[] }[];
  };
  return clients.map(({ transport, addresses }) => [transport, addresses]);
}
/** Requests that the edge has passed on so far. */
async function passed(): Promise<{ inward: number; outward: number }> {
  const counters = (await perimeter.edge.ask('access', 'counters')) as {
    requests: { inward: number; outward: number };
  };
  return counters.requests;
}

describe('Chromium with SIP.js over WebSocket (port rows ext-05, pic-03)', () => {
  test('signs in with digest, over a WebSocket that the edge says is one', async () => {
    alice = await browser.open(page);
    await alice.signIn(address('alice'), 'alice', perimeter.secrets.passwords.alice);
    assert.deepEqual(await signedIn(), [['WebSocket', [`alice@${perimeter.plan.domain}`]]]);
  });

  test('exchanges messages with baresip, both ways', async () => {
    const { plan, secrets, files, names } = perimeter;
    carol = await Baresip.start({
      folder: join(plan.folder, 'carol'),
      address: plan.clients.carol,
      nameServer: names.place,
      authority: files.authority,
      user: 'carol',
      domain: plan.domain,
      password: secrets.passwords.carol,
      server: `${plan.names.access}:${plan.access.port}`,
      relay: { server: `${plan.names.av}:${plan.av.port}`, credential: perimeter.relayCredential('carol') },
      contact: address('alice'),
    });
    await carol.registered();
    assert.deepEqual(await signedIn(), [
      ['WebSocket', [`alice@${plan.domain}`]],
      ['TLS', [`carol@${plan.domain}`]],
    ]);
    const before = await passed();
    assert.equal(await alice.say(address('carol'), 'From a page: grüezi'), 200);
    await carol.received(address('alice'), 'From a page: grüezi');
    await carol.command('message', 'And back to the page');
    await alice.hears(`${address('carol')}: And back to the page`);
    const { inward, outward } = await passed();
    assert.deepEqual([inward - before.inward, outward - before.outward], [2, 2], 'each went in and out');
  });

  test('a page of an origin that the document does not list opens nothing, until it is listed', async () => {
    const other = await browser.open(stranger);
    assert.equal(await other.opens(address('alice')), 'refused');
    await change(perimeter, 'edge', {
      'policy.remoteAccess': { webSocket: { enabled: true, origins: [page.origin, stranger.origin] } },
    });
    assert.equal(await other.opens(address('alice')), 'open');
    assert.equal(await alice.say(address('carol'), 'Still here'), 200);
  });

  test('signs out, and is not reached any more', async () => {
    await alice.leave();
    await perimeter.until('the binding is gone', async () => {
      const bindings = await perimeter.internal.ask('front-end', 'bindings', {
        address: `alice@${perimeter.plan.domain}`,
      });
      return (bindings as unknown[]).length === 0;
    });
  });
});

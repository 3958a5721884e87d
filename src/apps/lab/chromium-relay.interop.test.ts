import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MediaTokenIssuer, parseMediaKey } from '#protocols/credentials';
import { CallBrowser, type CallPage, type IceServer } from './testing/browser-call.ts';
import { Perimeter } from './testing/perimeter.ts';

/*
 * Two pages of a browser that we did not write, each allowed to use its relay and nothing else: audio and a data channel,
 * relayed address to relayed address, by each transport, from outside (port rows ext-14, ext-15) and from inside (int-06,
 * int-07). The browser verifies both certificates of turns:.
 */
const NETWORK = 79;
/** Of 20 ms each. */
const PACKETS = 100;
const HOUR_MS = 3_600_000;

type Side = 'outside' | 'inside';
type Transport = 'udp' | 'tcp' | 'tls';

let perimeter: Perimeter;
let browser: CallBrowser;

before(async () => {
  perimeter = await Perimeter.prepare({ network: NETWORK, frontEnd: false });
  await perimeter.edge.start();
  const { plan, files } = perimeter;
  browser = await CallBrowser.start({
    folder: join(plan.folder, 'browser'),
    authority: files.authority,
    hosts: new Map([
      [plan.names.av, plan.av.address],
      [plan.names.edge, plan.internal.address],
    ]),
  });
});

after(async () => {
  await browser?.stop();
  await perimeter?.stop();
});

/** Outside with a credential of a static secret, as a web application makes it; inside with an issued token. */
function relay(side: Side, transport: Transport): IceServer {
  const { names, av, internal } = perimeter.plan;
  const [name, address] = side === 'outside' ? [names.av, av.address] : [names.edge, internal.address];
  const { username, password } =
    side === 'outside' ? perimeter.relayCredential('a page') : issuedToken('another page');
  const urls = {
    // The browser's own resolver rules count for TLS only.
    udp: `turn:${address}:3478?transport=udp`,
    tcp: `turn:${address}:443?transport=tcp`,
    tls: `turns:${name}:443?transport=tcp`,
  };
  return { urls: urls[transport], username, credential: password };
}

function issuedToken(identity: string): { username: string; password: string } {
  const key = parseMediaKey(readFileSync(perimeter.files.mediaKey));
  assert.ok(key.ok);
  return new MediaTokenIssuer(key.value).issue(identity, Date.now() + HOUR_MS);
}

async function openPair(from: IceServer, to: IceServer): Promise<[CallPage, CallPage]> {
  return Promise.all([browser.open(from, true), browser.open(to, false)]);
}

describe('two Chromium pages that may only use the relay', () => {
  for (const from of ['outside', 'inside'] as const) {
    for (const transport of ['udp', 'tcp', 'tls'] as const) {
      test(`${from} to inside, both over ${transport}: audio and a data channel`, async () => {
        const before = await perimeter.switched();
        const pages = await openPair(relay(from, transport), relay('inside', transport));
        const [caller, callee] = pages;
        await caller.call(callee);
        for (const page of pages) {
          const { local, remote, transport: by, relayed, lost } = await page.hearsAudio(PACKETS);
          assert.deepEqual([local, remote, by, lost], ['relay', 'relay', transport, 0]);
          assert.equal(relayed.split(' ')[0], perimeter.plan.av.address, 'on the external address');
        }
        await caller.say('words over the relay');
        await caller.hears('echo: words over the relay');
        assert.ok((await perimeter.switched()) - before > 2 * PACKETS, 'inside the service');
        await Promise.all(pages.map((page) => page.close()));
        await perimeter.until('the allocations are given back', async () => {
          return (await perimeter.allocations()) === 0;
        });
      });
    }
  }

  test('a wrong password gets no candidate, and the page is told 401', async () => {
    const page = await browser.open({ ...relay('outside', 'udp'), credential: 'wrong' }, true);
    assert.deepEqual(await page.candidates(), []);
    assert.ok((await page.errors()).some((error) => error.startsWith('401')));
    await page.close();
  });

  test('turns: of a name that the certificate does not hold gets no candidate', async () => {
    const server = relay('outside', 'tls');
    const urls = `turns:${perimeter.plan.av.address}:443?transport=tcp`;
    const page = await browser.open({ ...server, urls }, true);
    assert.deepEqual(await page.candidates(), []);
    await page.close();
  });
});

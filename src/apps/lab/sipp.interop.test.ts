import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket, type TcpNetConnectOpts } from 'node:net';
import { after, before, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { change } from './faults/documents.ts';
import { Perimeter } from './testing/perimeter.ts';
import { playSipp } from './testing/sipp.ts';

/*
 * SIPp, which we did not write, as a watcher and as a publisher inside (port row more-02). Debian's speaks no TLS, so that
 * its octets go through a socket of ours to the front end, as they are.
 */
const NETWORK = 85;

let perimeter: Perimeter;
let tunnel: Server;
const ends: Socket[] = [];

before(async () => {
  perimeter = await Perimeter.prepare({
    network: NETWORK,
    frontEnd: true,
    accounts: { alice: 'MD5', carol: 'MD5' },
  });
  await perimeter.start();
  await change(perimeter, 'internal', { 'frontEnd.presence': { notifySeconds: 0 } });
  const { frontEnd, clients, names } = perimeter.plan;
  const ca = readFileSync(perimeter.files.authority);
  tunnel = createServer((inner) => {
    const { address: host, port } = frontEnd;
    const options: ConnectionOptions & TcpNetConnectOpts = { host, port, localAddress: clients.bob };
    const outer = connect({ ...options, servername: names.frontEnd, ca });
    inner.on('data', (chunk) => outer.write(chunk)).on('error', () => {});
    outer.on('data', (chunk) => inner.writable && inner.write(chunk)).on('error', () => {});
    // The way to the front end stays open when SIPp is done, as that of a phone would.
    ends.push(inner, outer);
  });
  tunnel.listen(0, clients.bob);
  await once(tunnel, 'listening');
});
after(async () => {
  for (const end of ends) end.destroy();
  tunnel?.close();
  await perimeter?.stop();
});

/** Plays one scenario once; resolves with what SIPp said when it was not content. */
async function plays(scenario: string, user: 'alice' | 'carol', other: string): Promise<string> {
  const { plan, secrets } = perimeter;
  const { port } = tunnel.address() as AddressInfo;
  const said = await playSipp({
    ...{ scenario, user, other, folder: plan.folder, domain: plan.domain, address: plan.clients.bob },
    ...{ server: `${plan.clients.bob}:${port}`, password: secrets.passwords[user] },
  });
  return said === '' ? '' : `${said}\n${perimeter.logs()}`;
}

test('SIPp subscribes, is notified of what SIPp publishes, refreshes and ends (RFC 3856, RFC 3903, RFC 6665)', async () => {
  const watching = plays('watcher', 'alice', 'carol');
  await perimeter.until('the watcher has subscribed', async () => {
    const address = `carol@${perimeter.plan.domain}`;
    const { watchers } = (await perimeter.internal.ask('front-end', 'presence', { address })) as {
      watchers: { subscriptions: number }[];
    };
    return watchers.some(({ subscriptions }) => subscriptions > 0);
  });
  assert.equal(await plays('publisher', 'carol', 'alice'), '');
  assert.equal(await watching, '');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProxyBench, partner, THEIRS } from '../../../edge/xmpp-proxy/testing/bench.ts';
import { chat, PartnerServer, TestGateway } from '../../../edge/xmpp-proxy/testing/ends.ts';
import { sallyport } from '../testing/printed.ts';

/** The proxy behind an administration socket. */
async function administered(t: TestContext): Promise<{ bench: ProxyBench; socket: string }> {
  const bench = await ProxyBench.start(t, ({ policy }) => {
    policy.xmpp.partners.push(partner('nowhere.example', { server: 'host.nowhere.example' }));
  });
  const socket = join(bench.folder, 'admin.sock');
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { service, verb, arguments: given } = JSON.parse(body) as Record<string, unknown>;
    assert.deepEqual([request.url, service], ['/call', 'xmpp-proxy']);
    response.end(JSON.stringify(await bench.verb(String(verb), given as object)));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(socket);
  await once(server, 'listening');
  t.after(() => server.close());
  return { bench, socket };
}

test('xmpp partners, streams and test print what the proxy knows', async (t) => {
  const { bench, socket } = await administered(t);
  const [server, gateway] = [await PartnerServer.start(t, bench), await TestGateway.start(t, bench)];
  await server.send(chat('in'));
  await gateway.arrivals.count(1);
  const partners = await sallyport('xmpp', 'partners', '--socket', socket);
  assert.equal(partners.status, 0, partners.error);
  assert.match(partners.out, /xmpp\.example +- +public-unverified +sasl-external +DNS +1/);
  assert.match(
    partners.out,
    /nowhere\.example +- +public-unverified +sasl-external +host\.nowhere\.example +0/,
  );
  const streams = await sallyport('xmpp', 'streams', '--socket', socket);
  assert.match(streams.out, /in +xmpp\.example +127\.0\.3\.61 +TLSv1\.3 +sasl-external +yes +0/);
  assert.match(streams.out, /fe1\.corp\.example +127\.0\.8\.1 +yes +0/);
  const reached = await sallyport('xmpp', 'test', THEIRS, '--socket', socket);
  assert.equal(reached.status, 0, reached.out + reached.error);
  assert.match(reached.out, /names +ok .*xmpp\.example sought in xmpp\.example: it is there/);
  const missed = await sallyport('xmpp', 'test', 'nowhere.example', '--socket', socket);
  assert.equal(missed.status, 1);
  assert.match(missed.out, /answer +FAILED .*no stream: remote-server-not-found/);
});

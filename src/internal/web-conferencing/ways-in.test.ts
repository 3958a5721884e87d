import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { SystemClock } from '#kernel';
import { TlsAcceptor } from '#platform/net';
import { parseCredentials, parseTrustAnchors } from '#platform/pki';
import { PSOM_LINK_ALPN, ServiceLinks } from '#platform/psom-link';
import { Metrics, silentLog } from '#platform/telemetry';
import { DOMAIN, Stage, unwrap } from './testing/stage.ts';
import { until } from './testing/table.ts';

const INSIDE = '127.21.0.1';
const EDGE = '127.21.0.2';

/** An edge's end of the links, which notes the nodes that came. */
async function edgeNamed(t: TestContext, stage: Stage, name: string, streams = 64) {
  const [clock, metrics] = [new SystemClock(), new Metrics()];
  const came: string[] = [];
  const links = new ServiceLinks(
    { clock, metrics },
    {
      hello: { edge: name, place: { host: `conf.${name}`, port: 443 }, state: 'ready' },
      services: ['fe1.corp.example'],
      limits: { streams, outboundBytes: 1 << 20, establishmentMs: 30_000, pingMs: 30_000 },
    },
    { handleReady: (node) => void came.push(node), handleChange: () => {}, handleEnd: () => {} },
  );
  assert.ok(stage.authority);
  const issued = await stage.authority.issue({ name, hosts: [name] });
  const acceptor = new TlsAcceptor({
    credentials: unwrap(parseCredentials(issued, Date.now(), { certificate: name, key: name })),
    trust: unwrap(parseTrustAnchors(stage.authority.certificatePem, 'test')),
    clientCertificate: 'required',
    alpn: [PSOM_LINK_ALPN],
    handshakeMs: 30_000,
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 20 },
    ...{ clock, metrics, log: silentLog() },
    accept: (connection) => void links.accept(connection),
  });
  const server = createServer().listen(0, EDGE);
  await once(server, 'listening');
  acceptor.attach(server);
  t.after(async () => {
    links.close();
    await acceptor.close();
    server.close();
  });
  return { came, links, target: { name, address: EDGE, port: (server.address() as AddressInfo).port } };
}

test('edges are reached at their address and port, and only under their name [setting webConferencing.edges[].name] [setting webConferencing.edges[].address] [setting webConferencing.edges[].port]', async (t) => {
  await using stage = await Stage.open();
  const edge = await edgeNamed(t, stage, 'edge1.corp.example');
  const linked = async (target: object) => {
    await stage.use({ domain: DOMAIN, edges: [target] });
    const links = () => stage.ask<{ state: string; place: string }[]>('links');
    const failed = () => stage.log.lines.filter(({ event }) => event === 'link to edge not open').length;
    // Each attempt ends in one way or the other.
    const tries = failed();
    await until(() => edge.came.length > 0 || failed() > tries);
    return (await links())[0]?.state;
  };
  assert.equal(await linked({ ...edge.target, address: '127.21.0.3' }), 'opening');
  assert.equal(await linked({ ...edge.target, port: 1 }), 'opening');
  assert.equal(await linked({ ...edge.target, name: 'edge2.corp.example' }), 'opening');
  await linked(edge.target);
  await until(() => edge.came.length === 1);
  await until(() => edge.links.states().length === 1);
  const shown = await stage.ask<{ edge: string; place: string }[]>('links');
  assert.equal(shown[0]?.place, 'conf.edge1.corp.example:443');
});

test('participants inside come to the port that the document says, no more of them than it allows [setting webConferencing.port] [setting webConferencing.limits.connections]', async (t) => {
  await using stage = await Stage.open({});
  stage.listens = true;
  const [first, second] = [await freePort(), await freePort()];
  await stage.use({ domain: DOMAIN, port: first, limits: { connections: 10 } });
  assert.equal(await statusAt(stage, t, first), 'HTTP/1.1 200 OK');
  await stage.use({ domain: DOMAIN, port: second, limits: { connections: 11 } });
  assert.equal(await statusAt(stage, t, second), 'HTTP/1.1 200 OK');
  const open = async () => {
    const socket = connect({
      host: INSIDE,
      port: second,
      ca: stage.authority?.certificatePem,
      servername: 'fe1.corp.example',
    });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    return new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
  };
  const let_in: boolean[] = [];
  for (let n = 0; n < 12; n++) let_in.push(await open());
  assert.equal(let_in.filter(Boolean).length, 11);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, INSIDE);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The first line of what `/config.json` is answered with. */
async function statusAt(stage: Stage, t: TestContext, port: number): Promise<string> {
  const ca = stage.authority?.certificatePem;
  const socket = connect({
    host: INSIDE,
    port,
    ca,
    servername: 'fe1.corp.example',
    ALPNProtocols: ['http/1.1'],
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write('GET /config.json HTTP/1.1\r\nHost: fe1.corp.example\r\nConnection: close\r\n\r\n');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await until(() => text.includes('\r\n'));
  socket.destroy();
  return text.split('\r\n')[0] ?? '';
}

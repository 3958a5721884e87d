import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ManualClock, SeededRandom, SystemClock, until } from '#kernel';
import { type Connection, TlsAcceptor } from '#platform/net';
import { type Credentials, LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { EdgeDial, type EdgeSeat, type EdgeTarget } from './index.ts';

/** Addresses of this room's tests. */
const SERVICE = '127.0.31.200';
const PORT = 8057;
const BACK_OFF = { firstMs: 1000, longestMs: 4000 };

const authority = LabAuthority.create({ name: 'internal authority' });

async function anchors() {
  const trust = parseTrustAnchors((await authority).certificatePem, 'test');
  if (!trust.ok) throw new Error(trust.error.message);
  return trust.value;
}
async function identity(name: string): Promise<Credentials> {
  const issued = await (await authority).issue({ name, hosts: [name] });
  const credentials = parseCredentials(issued, Date.now(), { certificate: name, key: name });
  if (!credentials.ok) throw new Error(credentials.error.message);
  return credentials.value;
}

/** A link of these tests: its connection, and the seat that it took. */
interface Link {
  readonly connection: Connection;
  readonly seat: EdgeSeat;
}

class Service {
  readonly clock = new ManualClock({ wall: Date.now() });
  readonly opened: Link[] = [];
  readonly left: Link[] = [];
  readonly failures: string[] = [];
  readonly dial: EdgeDial<Link>;
  readonly #settings: Omit<ConstructorParameters<typeof EdgeDial<Link>>[2], 'edges'>;
  /** What becomes of a link as soon as it is made. */
  whenOpened: (seat: EdgeSeat) => void = () => {};

  static async start(t: TestContext): Promise<Service> {
    const service = new Service(await identity('service.test'), await anchors());
    t.after(() => {
      service.dial.close();
      for (const { connection } of service.opened) connection.destroy('shutdown');
    });
    return service;
  }
  private constructor(credentials: Credentials, trust: Awaited<ReturnType<typeof anchors>>) {
    const localAddresses = [SERVICE];
    this.#settings = { credentials, trust, localAddresses, handshakeMs: 20_000, backOff: BACK_OFF };
    const context = { clock: this.clock, random: new SeededRandom(1), metrics: new Metrics() };
    this.dial = new EdgeDial<Link>(
      context,
      {},
      { ...this.#settings, edges: [] },
      {
        open: (connection, seat) => {
          const link = { connection, seat };
          this.opened.push(link);
          connection.onClose = () => seat.ended();
          this.whenOpened(seat);
          return link;
        },
        leave: (link) => {
          this.left.push(link);
          link.connection.destroy('local');
        },
        handleFailure: ({ name }, { code }) => this.failures.push(`${name} ${code}`),
      },
    );
  }
  list(...edges: EdgeTarget[]): void {
    this.dial.configure({ ...this.#settings, edges });
  }
  linked(): string[] {
    return this.dial.links().flatMap(({ target, link }) => (link === undefined ? [] : [target.name]));
  }
}

let addresses = 0;
class Edge {
  readonly target: EdgeTarget;
  readonly connections: Connection[] = [];
  /** What came, before any handshake. */
  readonly sockets: Socket[] = [];
  readonly #acceptor: TlsAcceptor;
  readonly #server = createServer();

  static async start(t: TestContext, name: string, certified = name): Promise<Edge> {
    addresses += 1;
    const target = { name, address: `127.0.31.${addresses}`, port: PORT };
    const edge = new Edge(target, await identity(certified), await anchors());
    edge.#server.listen(PORT, target.address);
    await once(edge.#server, 'listening');
    t.after(() => edge.stop());
    return edge;
  }
  private constructor(
    target: EdgeTarget,
    credentials: Credentials,
    trust: Awaited<ReturnType<typeof anchors>>,
  ) {
    this.target = target;
    this.#acceptor = new TlsAcceptor({
      credentials,
      trust,
      clientCertificate: 'required',
      handshakeMs: 20_000,
      limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 20 },
      clock: new SystemClock(),
      log: silentLog(),
      metrics: new Metrics(),
      accept: (connection) => void this.connections.push(connection),
    });
    this.#server.on('connection', (socket) => this.sockets.push(socket));
    this.#acceptor.attach(this.#server);
  }
  async stop(): Promise<void> {
    await this.#acceptor.close();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('each edge that is listed gets one link; who is not listed any more is left, the others stay', async (t) => {
  const [one, two] = [await Edge.start(t, 'one.test'), await Edge.start(t, 'two.test')];
  const service = await Service.start(t);
  service.list(one.target, two.target);
  await until(() => service.linked().length === 2);
  service.list(two.target);
  assert.deepEqual(
    service.left.map(({ seat }) => seat.target.name),
    ['one.test'],
  );
  assert.deepEqual(service.linked(), ['two.test']);
  service.clock.advance(60_000);
  service.list(two.target, one.target);
  await until(() => service.linked().length === 2);
  assert.deepEqual(service.opened.map(({ seat }) => seat.target.name).sort(), [
    'one.test',
    'one.test',
    'two.test',
  ]);
});

test('an edge that cannot be reached is tried again after pauses that double, until it has stood once', async (t) => {
  const edge = await Edge.start(t, 'edge.test', 'another.test');
  const service = await Service.start(t);
  service.list(edge.target);
  for (const [failures, shortest] of [500, 1000, 2000, 2000].entries()) {
    await until(() => service.failures.length === failures + 1);
    assert.equal(service.failures.at(-1), 'edge.test SLP-NET-0014');
    // Half of a pause is certain; before that nobody is dialled, after the whole somebody is.
    service.clock.advance(shortest - 1);
    assert.equal(service.failures.length, failures + 1);
    service.clock.advance(shortest + 1);
  }
});

test('a link that ends is opened again, and after one that stood the pause is the first again', async (t) => {
  const edge = await Edge.start(t, 'edge.test');
  const service = await Service.start(t);
  service.whenOpened = (seat) => seat.succeeded();
  service.list(edge.target);
  for (let round = 1; round <= 6; round++) {
    await until(() => edge.connections.length === round && service.opened.length === round);
    edge.connections.at(-1)?.destroy('local');
    await until(() => service.linked().length === 0);
    service.clock.advance(BACK_OFF.firstMs);
  }
  await until(() => service.linked().length === 1);
});

test('a link that ends while it is made takes no seat', async (t) => {
  const edge = await Edge.start(t, 'edge.test');
  const service = await Service.start(t);
  service.whenOpened = (seat) => seat.ended();
  service.list(edge.target);
  await until(() => service.opened.length === 1);
  assert.deepEqual(service.linked(), []);
  service.whenOpened = () => {};
  service.clock.advance(BACK_OFF.firstMs);
  await until(() => service.linked().length === 1);
  // What the first one says after its end is about nobody.
  service.opened[0]?.seat.ended();
  assert.deepEqual(service.linked(), ['edge.test']);
});

test('no address of the family of an edge: that is said, and not dialled', async (t) => {
  const service = await Service.start(t);
  service.list({ name: 'edge.test', address: '::1', port: PORT });
  await until(() => service.failures.length === 1);
  assert.deepEqual(service.failures, ['edge.test SLP-NET-0010']);
});

test('nothing is opened after the end', async (t) => {
  const edge = await Edge.start(t, 'edge.test');
  const service = await Service.start(t);
  service.list(edge.target);
  service.dial.close();
  await until(() => edge.sockets.length === 1 && edge.sockets[0]!.closed);
  assert.deepEqual(service.opened, []);
});

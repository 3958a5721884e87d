import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, isIPv6, type Server, type Socket as TcpSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type Clock, FailureError, SystemClock, SystemRandom, until } from '#kernel';
import { LabAuthority } from '#platform/pki';
import type { Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  type EdgeDocument,
  formatDocumentError,
  type ListenerPlan,
  parseEdgeDocument,
} from '#platform/topology';
import { type MediaToken, MediaTokenIssuer, mediaKeyText, parseMediaKey } from '#protocols/credentials';
import { paddedLength, StunFramer } from '#protocols/stun';
import { TurnClient, type TurnClientEvent } from '#protocols/turn';
import { service } from '../index.ts';

export const REST_SECRET = 'a static secret of the test';

export interface BenchAddresses {
  readonly external: readonly string[];
  readonly internal: readonly string[];
  /** First and last port of the relay range. */
  readonly ports: readonly [number, number];
  readonly allowedPeers: readonly string[];
  /** UDP port of the listeners; any free one when left out. */
  readonly udpPort?: number;
  readonly tcpPort?: number;
  /** Threads that relay; SALLYPORT_AV_THREADS, or 1, when left out. */
  readonly threads?: number;
}

/** The service on real sockets, as the supervisor would run it, with a document that tests may change. */
export class Bench {
  readonly clock: Clock;
  readonly metrics = new Metrics();
  readonly events: EventRing;
  readonly log = memoryLog();
  readonly document: EdgeDocument;
  readonly service: Service<EdgeDocument>;
  plan: ListenerPlan[] = [];
  readonly #sockets = new Map<string, readonly Socket[]>();
  readonly #servers = new Map<string, { readonly server: Server; take: (socket: TcpSocket) => void }>();

  static async start(addresses: BenchAddresses, clock: Clock = new SystemClock()): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-av-'));
    const bench = new Bench(await documentIn(folder, addresses), clock);
    bench.document.host.workers.av = addresses.threads ?? Number(process.env.SALLYPORT_AV_THREADS ?? 1);
    for (const address of addresses.external)
      bench.plan.push(await bench.bind(address, 'external', addresses.udpPort));
    for (const address of addresses.internal)
      bench.plan.push(await bench.bind(address, 'internal', addresses.udpPort));
    for (const address of addresses.external)
      bench.plan.push(await bench.listen(address, 'external', addresses.tcpPort));
    for (const address of addresses.internal)
      bench.plan.push(await bench.listen(address, 'internal', addresses.tcpPort));
    await bench.apply();
    return bench;
  }

  private constructor(document: EdgeDocument, clock: Clock) {
    this.document = document;
    this.clock = clock;
    this.events = new EventRing(clock, { items: 1000, bytes: 1 << 20 });
    this.service = service.create({
      clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events: this.events,
      sockets: {
        plan: () => this.plan,
        tcp: (id, take) => {
          const listening = this.#servers.get(id);
          if (listening === undefined) throw new Error(`no server ${id}`);
          listening.take = take;
          return listening.server;
        },
        udp: (id) => {
          const sockets = this.#sockets.get(id);
          if (sockets === undefined) throw new Error(`no socket ${id}`);
          return sockets;
        },
      },
    });
  }

  /** Binds a socket on a free port, as the supervisor would on the planned one. */
  async bind(address: string, side: 'external' | 'internal', at = 0): Promise<ListenerPlan> {
    const sockets: Socket[] = [];
    let port = at;
    const count = this.document.host.workers.av;
    while (sockets.length < count) {
      const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reusePort: count > 1 });
      socket.bind(port, address);
      await once(socket, 'listening');
      port = socket.address().port;
      sockets.push(socket);
    }
    const row = side === 'external' ? 'ext-14' : 'int-06';
    const id = `${row}:udp:${address}:${port}`;
    this.#sockets.set(id, sockets);
    return { id, rows: [row], service: 'av', transport: 'udp', address, port, interface: side };
  }

  /** Listens on a free port, as the supervisor would on the planned one. */
  async listen(address: string, side: 'external' | 'internal', at = 0): Promise<ListenerPlan> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(at, address);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const row = side === 'external' ? 'ext-15' : 'int-07';
    const id = `${row}:tcp:${address}:${port}`;
    const listening = { server, take: (socket: TcpSocket): void => void socket.destroy() };
    server.on('connection', (socket) => listening.take(socket));
    this.#servers.set(id, listening);
    return { id, rows: [row], service: 'av', transport: 'tcp', address, port, interface: side };
  }

  /** Provisions and commits the document as it is now. */
  async apply(): Promise<void> {
    const provision = await this.service.provision(structuredClone(this.document));
    if (!provision.ok) throw new FailureError(provision.error);
    await provision.value.commit();
  }

  writeKey(name: string, fill: number): void {
    writeKey(this.document.host.stateDirectory, name, fill);
  }

  /** A credential as the A/V Authentication service would issue it: only the key is common. */
  token(identity: string, seconds = 600, fill = 1): MediaToken {
    const key = parseMediaKey(Buffer.from(mediaKeyText(Buffer.alloc(32, fill))));
    if (!key.ok) throw new FailureError(key.error);
    return new MediaTokenIssuer(key.value).issue(identity, this.clock.wall() + seconds * 1_000);
  }

  /** Port of the first listener of a side. */
  port(address: string, transport: 'udp' | 'tcp' = 'udp'): number {
    const plan = this.plan.find((one) => one.address === address && one.transport === transport);
    if (plan === undefined) throw new Error(`no listener on ${address}`);
    return plan.port;
  }

  async verb(name: string, args: unknown = {}): Promise<unknown> {
    const handler = this.service.verbs[name];
    if (handler === undefined) throw new Error(`no verb ${name}`);
    return handler(args);
  }

  async stop(): Promise<void> {
    await this.service.stop();
    for (const { server } of this.#servers.values()) server.close();
    rmSync(this.document.host.stateDirectory, { recursive: true, force: true });
  }
}

/** An edge.yaml with all its files, in `folder`. */
async function documentIn(folder: string, addresses: BenchAddresses): Promise<EdgeDocument> {
  const pair = { certificate: join(folder, 'edge.crt'), key: join(folder, 'edge.key') };
  const authority = await LabAuthority.create({ name: 'Test root' });
  await authority.writeCertificate(join(folder, 'ca.crt'));
  await authority.issueTo(pair, {
    name: 'edge',
    hosts: ['edge.corp.test', 'sip.example.test', 'av.example.test'],
  });
  writeKey(folder, 'current.media', 1);
  writeKey(folder, 'previous.media', 2);
  writeFileSync(join(folder, 'static.secret'), `${REST_SECRET}\n`, { mode: 0o600 });
  const [first, last] = addresses.ports;
  const document = parseEdgeDocument(
    JSON.stringify({
      version: 1,
      host: {
        name: 'edge.corp.test',
        stateDirectory: folder,
        addresses: { access: addresses.external, internal: addresses.internal },
        certificates: { access: pair, internal: pair },
        internalCa: 'ca.crt',
      },
      policy: {
        site: 'test',
        sipDomains: ['example.test'],
        names: { access: 'sip.example.test', webConferencing: 'wc.example.test', av: 'av.example.test' },
        internalNetworks: ['127.0.8.0/24'],
        nextHop: { name: 'fe.corp.test', members: [{ name: 'fe1.corp.test', address: '127.0.8.1' }] },
        relay: { ports: { first, last }, allowedPeers: addresses.allowedPeers, allocationsPerUser: 20 },
        mediaCredentials: {
          keyFile: 'current.media',
          previousKeyFiles: ['previous.media'],
          staticSecretFiles: ['static.secret'],
        },
      },
    }),
    { file: join(folder, 'edge.yaml') },
  );
  if (!document.ok) throw new Error(document.error.map(formatDocumentError).join('\n'));
  return document.value;
}

function writeKey(folder: string, name: string, fill: number): void {
  writeFileSync(join(folder, name), mediaKeyText(Buffer.alloc(32, fill)), { mode: 0o600 });
}

type TestCredential = Pick<MediaToken, 'username' | 'password'>;

type StreamOptions = {
  readonly address: string;
  readonly server: string;
  readonly tls?: boolean;
  /** The other side's end is not the client's. */
  readonly halfOpen?: boolean;
};

/** A TURN client of our own on a UDP socket or a stream, with what it has heard so far. */
export class TestClient {
  readonly client: TurnClient;
  readonly close: () => void;
  readonly events: TurnClientEvent[] = [];
  readonly heard: { readonly from: string; readonly text: string }[] = [];
  /** What it stands on, unless that is a UDP socket. */
  stream: TcpSocket | undefined;
  readonly #clock: Clock;

  static async open(
    bench: Bench,
    address: string,
    server: string,
    token: TestCredential,
  ): Promise<TestClient> {
    return TestClient.openAt(bench, address, { server, port: bench.port(server) }, token);
  }

  /** The same with any relay. */
  static async openAt(
    bench: Pick<Bench, 'clock'>,
    address: string,
    { server, port }: { readonly server: string; readonly port: number },
    token: TestCredential,
  ): Promise<TestClient> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    const wire = {
      send: (bytes: Uint8Array) => socket.send(Buffer.from(bytes), port, server),
      close: () => void socket.close(),
    };
    const client = new TestClient(bench, wire, server, token);
    socket.on('message', (bytes) => client.client.handleDatagram(bytes, bench.clock.now()));
    return client;
  }

  /** The same over TCP or TLS, with the certificate checked. */
  static async openStream(bench: Bench, options: StreamOptions, token: TestCredential): Promise<TestClient> {
    const socket = await openStream(bench, options);
    const wire = {
      send: (bytes: Uint8Array) => void socket.write(padded(bytes)),
      close: () => void socket.destroy(),
    };
    const client = new TestClient(bench, wire, options.server, token);
    client.stream = socket;
    const framer = new StunFramer(70_000, (frame) => client.client.handleDatagram(frame, bench.clock.now()));
    socket.on('data', (chunk: Buffer) => {
      if (framer.push(chunk) !== undefined) socket.destroy(new Error('the service sent no frames'));
    });
    return client;
  }

  private constructor(
    bench: Pick<Bench, 'clock'>,
    wire: { readonly send: (bytes: Uint8Array) => void; readonly close: () => void },
    server: string,
    token: TestCredential,
  ) {
    this.#clock = bench.clock;
    this.close = wire.close;
    const { username, password } = token;
    this.client = new TurnClient({
      username,
      password,
      random: new SystemRandom(),
      ...(isIPv6(server) ? { family: 'ipv6' as const } : {}),
      sink: {
        send: wire.send,
        data: (from, fromPort, bytes) => {
          this.heard.push({ from: `${from} ${fromPort}`, text: Buffer.from(bytes).toString() });
        },
        event: (event) => {
          this.events.push(event);
        },
      },
    });
  }

  /** Allocates; the event that says how it went. */
  async allocate(): Promise<TurnClientEvent> {
    this.client.allocate(this.#clock.now());
    await until(() => this.events.length > 0);
    return this.events[0] as TurnClientEvent;
  }

  /** Allocates, or the test fails. */
  async allocated(): Promise<{ readonly address: string; readonly port: number }> {
    const event = await this.allocate();
    if (event.type !== 'allocated') throw new Error(`no allocation: ${JSON.stringify(event)}`);
    return event.relayed;
  }

  /** Asks for a permission; the error code, or 0 when it was given. */
  async permit(address: string, port: number): Promise<number> {
    const before = this.events.length;
    this.client.permit(address, port, this.#clock.now());
    await until(() => this.events.length > before);
    const event = this.events.at(-1);
    return event?.type === 'peer-refused' ? (event.code ?? -1) : 0;
  }

  /** Binds a channel, or the test fails. */
  async bindChannel(address: string, port: number): Promise<void> {
    const before = this.events.length;
    this.client.bindChannel(address, port, this.#clock.now());
    await until(() => this.events.length > before);
    const event = this.events.at(-1);
    if (event?.type !== 'channel-bound') throw new Error(`no channel: ${JSON.stringify(event)}`);
  }

  send(address: string, port: number, text: string): void {
    this.client.send(address, port, Buffer.from(text));
  }

  /** The next `count` pieces of data. */
  async hear(count: number): Promise<typeof this.heard> {
    await until(() => this.heard.length >= count);
    return this.heard.splice(0, count);
  }
}

/** A connection to the service's TCP listener, over TLS when it says so: then name and chain are checked. */
export async function openStream(
  bench: Bench,
  { address, server, tls, halfOpen = false }: StreamOptions,
): Promise<TcpSocket> {
  const port = bench.port(server, 'tcp');
  const socket = connectTcp({ host: server, port, localAddress: address, allowHalfOpen: halfOpen });
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (tls !== true) return socket;
  const ca = readFileSync(bench.document.host.internalCa);
  const secure = connectTls({ socket, ca, servername: 'av.example.test', ALPNProtocols: ['stun.turn'] });
  secure.on('error', () => {});
  await once(secure, 'secureConnect');
  return secure;
}

/** ChannelData are padded in a stream (RFC 8656 §12.5). A copy, since the client writes into its buffer again. */
function padded(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(paddedLength(bytes.length));
  copy.set(bytes);
  return copy;
}

/** Sends back whatever arrives; where it was heard from is kept. */
export class EchoPeer {
  readonly socket: Socket;
  readonly sources: string[] = [];

  static async open(address: string): Promise<EchoPeer> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new EchoPeer(socket);
  }
  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (bytes, { address, port }) => {
      this.sources.push(`${address} ${port}`);
      socket.send(bytes, port, address);
    });
  }
  get port(): number {
    return this.socket.address().port;
  }
  close(): void {
    this.socket.close();
  }
}

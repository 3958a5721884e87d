import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { SystemClock, until } from '#kernel';
import {
  type Credentials,
  type IssuedCertificate,
  LabAuthority,
  type LeafRequest,
  parseCredentials,
  parseTrustAnchors,
  type TrustAnchors,
} from '#platform/pki';
import { Metrics, memoryLog } from '#platform/telemetry';
import type { CloseReason, Connection } from '../connection.ts';
import { type DialOptions, dialTls } from '../dial-tls.ts';
import { type RefusalReason, refusalMetrics } from '../refusal.ts';
import { TlsAcceptor, type TlsAcceptorOptions } from '../tls-acceptor.ts';

/** An address that no other room's tests use. */
export const TEST_ADDRESS = '127.0.9.7';

export function anchorsOf(authority: LabAuthority): TrustAnchors {
  const anchors = parseTrustAnchors(authority.certificatePem, 'test');
  if (!anchors.ok) throw new Error(anchors.error.message);
  return anchors.value;
}

export async function credentialsOf(authority: LabAuthority, request: LeafRequest): Promise<Credentials> {
  return loaded(await authority.issue(request), request);
}

/** Loaded as they were when they were valid, so that expired ones can be presented. */
export function loaded(issued: IssuedCertificate, request: LeafRequest): Credentials {
  const at = request.notBefore?.getTime() ?? Date.now();
  const credentials = parseCredentials(issued, at, { certificate: 'test.pem', key: 'test.key' });
  if (!credentials.ok) throw new Error(credentials.error.message);
  return credentials.value;
}

/** What the tests of this room know of one accepted connection. */
export interface Received {
  readonly connection: Connection;
  data: string;
  readonly closed: Promise<CloseReason>;
}

type BenchOptions = Partial<Omit<TlsAcceptorOptions, 'accept'>> & {
  readonly alsoAccept?: (c: Connection) => void;
};

const authorities = LabAuthority.create({ name: 'Test root' });

/** A listening acceptor that remembers everything it gets. */
export class Bench {
  readonly acceptor: TlsAcceptor;
  readonly server = createServer();
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly authority: LabAuthority;
  readonly anchors: TrustAnchors;
  readonly credentials: Credentials;
  readonly #sockets = new Set<Socket>();
  readonly #accepted: Received[] = [];
  #taken = 0;

  static async start(t: TestContext, options: BenchOptions = {}): Promise<Bench> {
    const authority = await authorities;
    const credentials = await credentialsOf(authority, {
      name: 'server',
      hosts: ['server.test', TEST_ADDRESS],
    });
    const bench = new Bench(authority, credentials, options);
    t.after(() => bench.stop());
    bench.server.listen(0, TEST_ADDRESS);
    await once(bench.server, 'listening');
    return bench;
  }
  private constructor(authority: LabAuthority, credentials: Credentials, options: BenchOptions) {
    this.authority = authority;
    this.anchors = anchorsOf(authority);
    this.credentials = credentials;
    this.acceptor = new TlsAcceptor({
      credentials,
      trust: this.anchors,
      clientCertificate: 'none',
      handshakeMs: 20_000,
      limits: { connections: 100, handshakes: 50, perSource: 100, outboundBytes: 1 << 20 },
      clock: new SystemClock(),
      log: this.log,
      metrics: this.metrics,
      accept: (connection) => {
        this.#accepted.push(receive(connection));
        options.alsoAccept?.(connection);
      },
      ...options,
    });
    this.server.on('connection', (socket) => this.#sockets.add(socket));
    this.acceptor.attach(this.server);
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  /** The next accepted connection, or one that is already there. */
  async next(): Promise<Received> {
    await until(() => this.#accepted.length > this.#taken);
    return this.#accepted[this.#taken++]!;
  }
  get accepted(): number {
    return this.#accepted.length;
  }
  /** How often a refusal was counted. */
  refused(reason: RefusalReason): number {
    return refusalMetrics(this.metrics).value(reason);
  }
  dial(more: Partial<DialOptions> = {}): ReturnType<typeof dialTls> {
    return dialTls({
      remote: { address: TEST_ADDRESS, port: this.port },
      localAddress: TEST_ADDRESS,
      servername: 'server.test',
      expectNames: ['server.test'],
      trust: this.anchors,
      handshakeMs: 20_000,
      clock: new SystemClock(),
      metrics: this.metrics,
      ...more,
    });
  }
  /** A plain TCP connection, to send what no TLS client would. */
  raw(): Socket {
    const socket = connectTcp({ port: this.port, host: TEST_ADDRESS, localAddress: TEST_ADDRESS });
    socket.on('error', () => {});
    socket.resume();
    return socket;
  }
  /** Called by itself at the end of the test. */
  async stop(): Promise<void> {
    await this.acceptor.close();
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

export function receive(connection: Connection): Received {
  const received: Received = {
    connection,
    data: '',
    closed: new Promise((resolve) => {
      connection.onClose = resolve;
    }),
  };
  connection.onData = (chunk) => {
    received.data += chunk.toString('latin1');
  };
  return received;
}

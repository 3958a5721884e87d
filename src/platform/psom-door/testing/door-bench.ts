import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { type Clock, ok, SystemClock, until } from '#kernel';
import { type Connection, TlsAcceptor } from '#platform/net';
import { LabAuthority, parseCredentials } from '#platform/pki';
import type { ContentAnswer, ContentRequest } from '#platform/psom-link';
import { Metrics, silentLog } from '#platform/telemetry';
import { encodeOperation } from '#protocols/psom';
import {
  DOOR_ALPN,
  type DoorRefusal,
  type DoorSettings,
  type Join,
  PSOM_ALPN,
  PsomDoor,
  type Site,
} from '../index.ts';

const ADDRESS = '127.14.2.1';
export const HOST = 'conf.example.test';

export const site: Site = new Map(
  [
    ['/index.html', 'text/html; charset=utf-8', '<!doctype html><title>Meeting</title>', false],
    ['/assets/app-0123abcd.js', 'text/javascript; charset=utf-8', 'let x;', true],
  ].map(([path, type, text, lasting]) => [
    path as string,
    {
      type: type as string,
      bytes: Buffer.from(text as string),
      gzipped: lasting === true ? Buffer.from('gzipped') : undefined,
      etag: `"${path}"`,
      lasting: lasting as boolean,
    },
  ]),
);

interface Joined {
  readonly join: Join;
  readonly connection: Connection;
  text: string;
  closed: string | undefined;
}

/** A door on a real listener, and what came through it. */
export class DoorBench {
  readonly joins: Joined[] = [];
  readonly refused: DoorRefusal[] = [];
  readonly asked: ContentRequest[] = [];
  content: (request: ContentRequest) => ContentAnswer = () => ({ ok: false, error: 'not-found' });
  readonly door: PsomDoor;
  readonly acceptor: TlsAcceptor;
  readonly settings: DoorSettings;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#sockets.add(socket));

  static async start(t: TestContext, change: Partial<DoorSettings> = {}, clock?: Clock): Promise<DoorBench> {
    const authority = await LabAuthority.create({ name: 'Test root' });
    const issued = await authority.issue({ name: HOST, hosts: [HOST] });
    const credentials = parseCredentials(issued, Date.now(), { certificate: HOST, key: HOST });
    if (!credentials.ok) throw new Error(credentials.error.message);
    const bench = new DoorBench(change, credentials.value, clock ?? new SystemClock());
    t.after(() => bench.#stop());
    bench.#server.listen(0, ADDRESS);
    await once(bench.#server, 'listening');
    return bench;
  }
  private constructor(
    change: Partial<DoorSettings>,
    credentials: ConstructorParameters<typeof TlsAcceptor>[0]['credentials'],
    clock: Clock,
  ) {
    const metrics = new Metrics();
    this.settings = {
      place: { host: HOST, port: 443 },
      signalling: 'wss://sip.example.test/',
      otherPlaces: [],
      origins: ['https://pages.example.test'],
      site,
      ...change,
    };
    this.door = new PsomDoor({ clock, metrics }, this.settings, {
      handleJoin: (join, connection) => this.#take(join, connection),
      handleContent: async (request) => {
        this.asked.push(request);
        return this.content(request);
      },
      handleRefused: (reason) => this.refused.push(reason),
    });
    this.acceptor = new TlsAcceptor({
      credentials,
      clientCertificate: 'none',
      alpn: DOOR_ALPN,
      handshakeMs: 60_000,
      limits: { connections: 100, handshakes: 50, perSource: 100, outboundBytes: 1 << 20 },
      clock: new SystemClock(),
      log: silentLog(),
      metrics,
      accept: this.door.accept,
    });
    this.acceptor.attach(this.#server);
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  #take(join: Join, connection: Connection): void {
    const joined: Joined = { join, connection, text: '', closed: undefined };
    connection.onData = (chunk) => {
      joined.text += chunk.toString('latin1');
    };
    connection.onClose = (reason) => {
      joined.closed = reason;
    };
    this.joins.push(joined);
  }

  /** A TLS client that keeps what it hears. */
  async dial(alpn: readonly string[] = ['http/1.1'], more: ConnectionOptions = {}): Promise<Dialled> {
    const socket = connect({
      host: ADDRESS,
      port: this.port,
      servername: HOST,
      rejectUnauthorized: false,
      ALPNProtocols: [...alpn],
      ...more,
    });
    const dialled = new Dialled(socket);
    await once(socket, 'secureConnect');
    return dialled;
  }
  psom(): Promise<Dialled> {
    return this.dial([PSOM_ALPN]);
  }
  webSocket(origin?: string, path = '/psom', protocol = 'sallyport-psom.1'): WebSocket {
    const more = origin === undefined ? {} : { origin };
    const options = { rejectUnauthorized: false, servername: HOST, headers: { host: HOST }, ...more };
    const socket = new WebSocket(`wss://${ADDRESS}:${this.port}${path}`, protocol, options);
    socket.on('error', () => {});
    return socket;
  }
  /** One request on a connection of its own; the answer whole, head and body. */
  async ask(head: string): Promise<string> {
    const client = await this.dial();
    client.socket.write(head);
    await until(() => client.closed);
    return client.text;
  }
  get(path: string, more = ''): Promise<string> {
    return this.ask(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n${more}\r\n`);
  }
  async #stop(): Promise<void> {
    this.door.close();
    await this.acceptor.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

export class Dialled {
  readonly socket: TLSSocket;
  text = '';
  closed = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }
}

export function joinFrame(token = 'a-token', version = 1): Uint8Array {
  return encodeOperation({ kind: 'join', version, show: 'conference', token });
}

export function file(type: string, name: string, body: Buffer): ContentAnswer {
  return ok({ type, name, bytes: body.length, body: Readable.from([body]) });
}

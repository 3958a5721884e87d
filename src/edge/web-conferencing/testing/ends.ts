import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { ok, SystemClock, SystemRandom, until } from '#kernel';
import type { Connection } from '#platform/net';
import { parseCredentials, parseTrustAnchors } from '#platform/pki';
import {
  type ContentAnswer,
  type ContentRequest,
  EdgeLinks,
  type EdgeLinksSettings,
} from '#platform/psom-link';
import { Metrics } from '#platform/telemetry';
import { decodeOperation, encodeOperation, FrameReader, type Operation } from '#protocols/psom';
import {
  type ConferenceClaims,
  type ConferenceSigningKey,
  conferenceSigningKey,
  sealConferenceToken,
} from '#protocols/tokens';
import { type EdgeBench, HOST, NODE } from './bench.ts';

const FRAMES = { frameBytes: 65_535, frameMs: 60_000 };
const random = new SystemRandom();
export const HASH = 'ab'.repeat(32);

/** Takes operations out of what a connection says. */
class Operations {
  readonly all: Operation[] = [];
  readonly #reader = new FrameReader(FRAMES);

  push(chunk: Uint8Array): void {
    for (const body of this.#reader.push(chunk, 0)) {
      const operation = decodeOperation(body);
      if (operation !== undefined)
        this.all.push(
          operation.kind === 'call' ? { ...operation, parameters: operation.parameters.slice() } : operation,
        );
    }
  }
}

/** A participant as the service sees it. */
export class Inside {
  readonly connection: Connection;
  readonly edge: string;
  readonly said = new Operations();
  bytes = 0;
  closed: string | undefined;

  constructor(connection: Connection, edge: string, answer: (join: Operation) => Operation) {
    this.connection = connection;
    this.edge = edge;
    connection.onData = (chunk) => {
      this.bytes += chunk.length;
      const before = this.said.all.length;
      this.said.push(chunk);
      const [first] = this.said.all;
      if (before > 0 || first === undefined) return;
      const reply = answer(first);
      if (reply.kind !== 'call') connection.write(encodeOperation(reply));
      if (reply.kind === 'refused') connection.end();
    };
    connection.onClose = (reason) => {
      this.closed = reason;
    };
  }
  ping(cookie: number): void {
    this.connection.write(encodeOperation({ kind: 'ping', cookie }));
  }
}

/** A web conferencing service with its own links, keys and a memory of generations. */
export class TestService {
  readonly links: EdgeLinks;
  readonly settings: EdgeLinksSettings;
  readonly name: string;
  key: ConferenceSigningKey;
  readonly participants: Inside[] = [];
  readonly asked: ContentRequest[] = [];
  content: (request: ContentRequest) => ContentAnswer;
  /** What a JOIN is answered with. */
  answer: (join: Operation) => Operation = () => ({
    kind: 'joined',
    resumeToken: this.token({ purpose: 'resume' }),
  });
  ready = 0;
  ends: string[] = [];

  static async start(
    t: TestContext,
    benches: readonly EdgeBench[],
    change: { name?: string; certificate?: string } = {},
  ): Promise<TestService> {
    const { name = NODE, certificate = name } = change;
    const [first] = benches;
    const issued = await first!.issue(certificate);
    const credentials = parseCredentials(issued, Date.now(), { certificate: name, key: name });
    const trust = parseTrustAnchors(first!.authority.certificatePem, 'test');
    if (!credentials.ok || !trust.ok) throw new Error('no credentials');
    const service = new TestService(name, {
      edges: benches.map((bench) => ({ name: bench.name, address: bench.inside, port: 8057 })),
      credentials: credentials.value,
      trust: trust.value,
      localAddresses: ['127.14.5.1'],
      limits: { streams: 512, outboundBytes: 1 << 21, establishmentMs: 60_000, pingMs: 60_000 },
      handshakeMs: 60_000,
      backOff: { firstMs: 20, longestMs: 200 },
    });
    t.after(() => service.links.close());
    return service;
  }
  private constructor(name: string, settings: EdgeLinksSettings) {
    this.name = name;
    this.settings = settings;
    this.key = conferenceSigningKey(random.bytes(32));
    const body = Buffer.from('a slide');
    this.content = () =>
      ok({ type: 'image/png', bytes: body.length, name: 'slide.png', body: Readable.from([body]) });
    this.links = new EdgeLinks(
      { clock: new SystemClock(), random, metrics: new Metrics() },
      settings,
      { node: name, keys: [this.key.publicBytes], state: 'ready' },
      {
        handleParticipant: (connection, { edge }) => {
          this.participants.push(new Inside(connection, edge, (join) => this.answer(join)));
        },
        handleContent: async (request) => {
          this.asked.push(request);
          return this.content(request);
        },
        handleFault: (_, problem) => {
          throw problem;
        },
        handleReady: () => {
          this.ready += 1;
        },
        handleChange: () => {},
        handleEnd: ({ reason }) => this.ends.push(reason),
      },
    );
  }

  token(change: Partial<ConferenceClaims> = {}, key = this.key): string {
    return sealConferenceToken(key, {
      purpose: 'join',
      node: this.name,
      conference: 'abcdefghijklmno2',
      participant: 7,
      role: 'attendee',
      serial: Buffer.from(random.bytes(16)).toString('hex'),
      expires: Date.now() + 60_000,
      ...change,
    });
  }
  async linked(bench: EdgeBench): Promise<void> {
    await until(() => bench.events.some(({ name }) => name === 'web-conferencing-connected'));
    const status = () => bench.verb<{ links: { node: string; state: string | null }[] }>('status');
    for (;;) {
      const { links } = await status();
      if (links.some(({ node, state }) => node === this.name && state !== null)) return;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  }
}

/** A participant outside, over TLS. */
export class Outside {
  readonly socket: TLSSocket;
  readonly said = new Operations();
  bytes = 0;
  text = '';
  closed = false;

  static async dial(
    t: TestContext,
    bench: EdgeBench,
    alpn: readonly string[] = ['sallyport-psom/1'],
    more: ConnectionOptions & { localAddress?: string } = {},
  ): Promise<Outside> {
    const socket = connect({
      host: bench.outside,
      port: 443,
      servername: HOST,
      rejectUnauthorized: false,
      ALPNProtocols: [...alpn],
      ...more,
    });
    const outside = new Outside(socket);
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    return outside;
  }
  /** Joins, and waits for the answer. */
  static async join(
    t: TestContext,
    bench: EdgeBench,
    token: string,
    show: 'conference' | 'resume' = 'conference',
    more: { localAddress?: string } = {},
  ): Promise<Outside> {
    const outside = await Outside.dial(t, bench, ['sallyport-psom/1'], more);
    outside.say({ kind: 'join', version: 1, show, token });
    await until(() => outside.said.all.length > 0 || outside.closed);
    return outside;
  }
  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (socket.alpnProtocol === 'sallyport-psom/1') this.said.push(chunk);
      else this.text += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }
  say(operation: Exclude<Operation, { kind: 'call' }>): void {
    this.socket.write(encodeOperation(operation));
  }
  /** The answer to the JOIN: `joined`, or why not. */
  get answer(): string {
    const [first] = this.said.all;
    return first?.kind === 'refused' ? first.reason : (first?.kind ?? 'nothing');
  }
}

export function webSocket(bench: EdgeBench, origin?: string): WebSocket {
  const more = origin === undefined ? {} : { origin };
  const options = { rejectUnauthorized: false, servername: HOST, headers: { host: HOST }, ...more };
  const socket = new WebSocket(`wss://${bench.outside}/psom`, 'sallyport-psom.1', options);
  socket.on('error', () => {});
  return socket;
}

/** One request on a connection of its own; the answer whole, head and body. */
export async function get(t: TestContext, bench: EdgeBench, path: string): Promise<string> {
  const client = await Outside.dial(t, bench, ['http/1.1']);
  client.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
  await until(() => client.closed);
  return client.text;
}

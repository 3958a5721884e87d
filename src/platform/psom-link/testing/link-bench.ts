import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type Clock, err, SystemClock, SystemRandom } from '#kernel';
import type { EdgeTarget } from '#platform/edge-dial';
import { type Connection, TlsAcceptor } from '#platform/net';
import { type Credentials, LabAuthority, parseCredentials, parseTrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import { type ConferenceSigningKey, conferenceSigningKey } from '#protocols/tokens';
import {
  type ContentAnswer,
  type ContentRequest,
  EdgeLinks,
  type EdgeLinksSettings,
  type LinkLimits,
  type LinkNotice,
  PSOM_LINK_ALPN,
  ServiceLinks,
  type ServiceLinksSettings,
} from '../index.ts';

export const SERVICE = 'wc1.corp.example';
const PATIENCE_MS = 60_000;
/** Addresses of this room's tests. */
const NETWORK = '127.14.1';

export const linkLimits: LinkLimits = {
  streams: 64,
  outboundBytes: 1 << 20,
  establishmentMs: 30_000,
  pingMs: 30_000,
};

const authority = LabAuthority.create({ name: 'internal authority' });

export async function identity(name: string): Promise<Credentials> {
  const issued = await (await authority).issue({ name, hosts: [name] });
  const credentials = parseCredentials(issued, Date.now(), { certificate: name, key: name });
  if (!credentials.ok) throw new Error(credentials.error.message);
  return credentials.value;
}
export async function anchors() {
  const trust = parseTrustAnchors((await authority).certificatePem, 'test');
  if (!trust.ok) throw new Error(trust.error.message);
  return trust.value;
}

/** What came, and a way to wait for more. */
export class Seen<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  add(item: T): void {
    this.all.push(item);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
  async count(many: number): Promise<readonly T[]> {
    await this.until(() => this.all.length >= many);
    return this.all;
  }
  async until(holds: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(PATIENCE_MS);
    while (!holds()) {
      if (late.aborted) throw new Error(`after ${this.all.length} it does not hold`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

/** What a connection said, and how it ended. */
export class Heard {
  readonly connection: Connection;
  readonly chunks = new Seen<Buffer>();
  readonly closes = new Seen<string>();
  #bytes = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.onData = (chunk) => {
      this.#bytes += chunk.length;
      this.chunks.add(chunk);
    };
    connection.onClose = (reason) => this.closes.add(reason);
  }
  get bytes(): number {
    return this.#bytes;
  }
  get text(): string {
    return Buffer.concat(this.chunks.all).toString();
  }
  async says(text: string): Promise<void> {
    await this.chunks.until(() => this.text.includes(text));
  }
  async hasBytes(many: number): Promise<void> {
    await this.chunks.until(() => this.#bytes >= many);
  }
}

export interface EdgeEnd {
  readonly links: ServiceLinks;
  readonly settings: ServiceLinksSettings;
  readonly target: EdgeTarget;
  readonly ready: Seen<string>;
  readonly changes: Seen<string>;
  readonly ends: Seen<LinkNotice>;
  /** Breaks all connections, as a cut cable would once it is noticed. */
  cut(): void;
}

let edges = 0;

/** An edge's end on an address of its own. */
export async function startEdge(
  t: TestContext,
  name: string,
  change: { limits?: Partial<LinkLimits>; port?: number; clock?: Clock } = {},
): Promise<EdgeEnd> {
  const [clock, metrics] = [change.clock ?? new SystemClock(), new Metrics()];
  const ready = new Seen<string>();
  const changes = new Seen<string>();
  const ends = new Seen<LinkNotice>();
  const settings: ServiceLinksSettings = {
    hello: { edge: name, place: { host: `conf.${name}`, port: 443 }, state: 'ready' },
    services: [SERVICE, 'wc2.corp.example'],
    limits: { ...linkLimits, ...change.limits },
  };
  const links = new ServiceLinks({ clock, metrics }, settings, {
    handleReady: (node) => ready.add(node),
    handleChange: (node) => changes.add(node),
    handleEnd: (notice) => ends.add(notice),
  });
  const acceptor = new TlsAcceptor({
    credentials: await identity(name),
    trust: await anchors(),
    clientCertificate: 'required',
    alpn: [PSOM_LINK_ALPN],
    handshakeMs: 60_000,
    limits: { connections: 10, handshakes: 10, perSource: 10, outboundBytes: 1 << 23 },
    clock: new SystemClock(),
    log: silentLog(),
    metrics,
    accept: (connection) => void links.accept(connection),
  });
  edges += 1;
  const address = `${NETWORK}.${edges}`;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket)).listen(change.port ?? 0, address);
  await once(server, 'listening');
  acceptor.attach(server);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  t.after(async () => {
    links.close();
    await acceptor.close();
    cut();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { links, settings, target: { name, address, port }, ready, changes, ends, cut };
}

export interface ServiceEnd {
  readonly links: EdgeLinks;
  readonly settings: EdgeLinksSettings;
  readonly key: ConferenceSigningKey;
  readonly participants: Seen<Heard>;
  readonly asked: Seen<ContentRequest>;
  /** Of our own, while a file was asked for. */
  readonly faults: Seen<string>;
  readonly ready: Seen<string>;
  readonly changes: Seen<string>;
  readonly ends: Seen<LinkNotice>;
}

export async function startService(
  t: TestContext,
  targets: readonly EdgeTarget[],
  change: {
    name?: string;
    node?: string;
    limits?: Partial<LinkLimits>;
    content?: (request: ContentRequest) => ContentAnswer;
    take?: (connection: Connection) => void;
  } = {},
): Promise<ServiceEnd> {
  const name = change.name ?? SERVICE;
  const key = conferenceSigningKey(new SystemRandom().bytes(32));
  const participants = new Seen<Heard>();
  const asked = new Seen<ContentRequest>();
  const faults = new Seen<string>();
  const ready = new Seen<string>();
  const changes = new Seen<string>();
  const ends = new Seen<LinkNotice>();
  const settings: EdgeLinksSettings = {
    edges: targets,
    credentials: await identity(name),
    trust: await anchors(),
    localAddresses: [`${NETWORK}.200`],
    limits: { ...linkLimits, ...change.limits },
    handshakeMs: 60_000,
    backOff: { firstMs: 20, longestMs: 500 },
  };
  const links = new EdgeLinks(
    { clock: new SystemClock(), random: new SystemRandom(), metrics: new Metrics() },
    settings,
    { node: change.node ?? name, keys: [key.publicBytes], state: 'ready' },
    {
      handleParticipant: (connection) => {
        if (change.take === undefined) participants.add(new Heard(connection));
        else change.take(connection);
      },
      handleContent: async (request) => {
        asked.add(request);
        return change.content?.(request) ?? err('not-found');
      },
      handleFault: (_, problem) => faults.add(String(problem)),
      handleReady: (edge) => ready.add(edge),
      handleChange: (edge) => changes.add(edge),
      handleEnd: (notice) => ends.add(notice),
    },
  );
  t.after(() => links.close());
  return { links, settings, key, participants, asked, faults, ready, changes, ends };
}

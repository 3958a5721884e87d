import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FailureError, ManualClock, type Result, SystemClock, SystemRandom } from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import { LabAuthority, loadCredentials, loadTrustAnchors } from '#platform/pki';
import type { CollectedItem, EventCollector, Service } from '#platform/service';
import { EventRing, Metrics, memoryLog } from '#platform/telemetry';
import {
  type EdgeDocument,
  edgeListeners,
  formatDocumentError,
  type ListenerPlan,
  parseEdgeDocument,
} from '#platform/topology';
import { mediaKeyText } from '#protocols/credentials';
import type { Demand, LogPort, LogRecord } from '#protocols/log-query';
import { sampleEvent } from '../../../protocols/log-query/testing/events.ts';
import { service } from '../index.ts';
import { LogClient } from './log-client.ts';

export const CONTROLLER = 'controller.corp.test';
const INTERNAL = '127.0.9.72';
const NODE = 'edge.corp.test';
const ROWS: Readonly<Record<LogPort, string>> = {
  control: 'int-09',
  search: 'int-10',
  collection: 'int-11',
};

/** The service on real TLS listeners, with a clock that stands still and other services that tests play. */
export class AgentBench {
  readonly clock = new ManualClock({ wall: Date.now() });
  readonly metrics = new Metrics();
  readonly log = memoryLog();
  readonly authority: LabAuthority;
  readonly folder: string;
  document: EdgeDocument;
  /** What the agent asked of all services, last. */
  demand: Demand = { providers: {} };
  readonly collector: EventCollector = {
    onItem: () => {},
    demand: (demand) => {
      this.demand = demand;
    },
    sync: async () => {},
  };
  service: Service<EdgeDocument>;
  #servers = new Map<string, Server>();
  readonly #connections: Connection[] = [];
  #plan: readonly ListenerPlan[] = [];

  static async start(change: (document: EdgeDocument) => void = () => {}): Promise<AgentBench> {
    const folder = mkdtempSync(join(tmpdir(), 'logging-agent-'));
    const authority = await LabAuthority.create({ name: 'Test root' });
    const document = await documentIn(folder, authority);
    change(document);
    const bench = new AgentBench(folder, document, authority);
    await bench.apply();
    return bench;
  }

  private constructor(folder: string, document: EdgeDocument, authority: LabAuthority) {
    this.folder = folder;
    this.document = document;
    this.authority = authority;
    this.service = this.#create();
  }

  #create(): Service<EdgeDocument> {
    // What the agent itself emits comes back to it, as everything does.
    const events = new EventRing(this.clock, { items: 100, bytes: 1 << 20 });
    events.onItem = () => {
      for (const record of events.take(100)) this.emit(record, 'logging-agent');
    };
    return service.create({
      clock: this.clock,
      random: new SystemRandom(),
      log: this.log,
      metrics: this.metrics,
      events,
      collector: this.collector,
      sockets: {
        plan: () => this.#plan,
        tcp: (id, onConnection) => this.#listen(id, onConnection),
        udp: () => {
          throw new Error('the logging agent has no UDP listener');
        },
      },
    });
  }
  #listen(id: string, onConnection: (socket: Socket) => void): Server {
    const server = this.#servers.get(id) ?? createServer();
    server.removeAllListeners('connection').on('connection', onConnection);
    this.#servers.set(id, server);
    if (!server.listening) server.listen(0, INTERNAL);
    return server;
  }

  /** A document takes effect. */
  async apply(change: (document: EdgeDocument) => void = () => {}): Promise<void> {
    change(this.document);
    const plan = edgeListeners(this.document);
    this.#plan = plan.filter((listener) => listener.service === 'logging-agent');
    const provision = unwrap(await this.service.provision(structuredClone(this.document)));
    await provision.commit();
    for (const server of this.#servers.values()) if (!server.listening) await once(server, 'listening');
  }
  /** The process ends and another begins, with what is on the disk. */
  async restart(): Promise<void> {
    await this.service.stop();
    for (const server of this.#servers.values()) server.close();
    this.#servers = new Map();
    this.service = this.#create();
    await this.apply();
  }

  /** Another service tells something. */
  emit(record: Partial<LogRecord> = {}, from = 'access'): void {
    const { sequence: _, node: _n, service: _s, ...sample } = sampleEvent({ time: this.clock.wall() });
    this.give({ type: 'record', record: { ...sample, ...record } }, from);
  }
  give(item: CollectedItem, from = 'access'): void {
    this.collector.onItem(from, item);
  }

  port(port: LogPort): number {
    const listener = this.#plan.find(({ rows }) => rows.includes(ROWS[port]));
    const server = this.#servers.get(listener?.id ?? '');
    if (server === undefined) throw new Error(`nothing listens for ${port}`);
    return (server.address() as AddressInfo).port;
  }
  /** Connects as a host whose certificate bears `host`; not greeted yet. */
  async connect(port: LogPort, host = CONTROLLER, authority = this.authority): Promise<LogClient> {
    const files = { certificate: join(this.folder, `${host}.crt`), key: join(this.folder, `${host}.key`) };
    await authority.issueTo(files, { name: host, hosts: [host] });
    const dialled = await dialTls({
      remote: { address: INTERNAL, port: this.port(port) },
      localAddress: '127.0.9.71',
      servername: NODE,
      credentials: unwrap(loadCredentials(files)),
      trust: unwrap(loadTrustAnchors(this.document.host.internalCa)),
      expectNames: [NODE],
      handshakeMs: 20_000,
      clock: new SystemClock(),
      metrics: new Metrics(),
    });
    const connection = unwrap(dialled);
    this.#connections.push(connection);
    return new LogClient(connection);
  }
  async dial(port: LogPort): Promise<LogClient> {
    const client = await this.connect(port);
    await client.hello();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.destroy('local');
    await this.service.stop();
    for (const server of this.#servers.values()) server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function documentIn(folder: string, authority: LabAuthority): Promise<EdgeDocument> {
  const pair = { certificate: join(folder, 'edge.crt'), key: join(folder, 'edge.key') };
  await authority.writeCertificate(join(folder, 'ca.crt'));
  await authority.issueTo(pair, { name: 'edge', hosts: [NODE, 'sip.example.test'] });
  writeFileSync(join(folder, 'current.media'), mediaKeyText(Buffer.alloc(32, 1)), { mode: 0o600 });
  const document = parseEdgeDocument(
    JSON.stringify({
      version: 1,
      host: {
        name: NODE,
        stateDirectory: folder,
        addresses: { access: ['127.0.9.73'], av: ['127.0.9.74'], internal: [INTERNAL] },
        certificates: { access: pair, internal: pair },
        internalCa: 'ca.crt',
        // The machine that runs the tests may be full.
        logging: { controllers: [CONTROLLER], diskPercent: 99 },
      },
      policy: {
        site: 'test',
        sipDomains: ['example.test'],
        names: { access: 'sip.example.test', webConferencing: 'wc.example.test', av: 'av.example.test' },
        internalNetworks: ['127.0.8.0/24'],
        features: { logging: true },
        nextHop: { name: 'fe.corp.test', members: [{ name: 'fe1.corp.test', address: '127.0.8.1' }] },
        mediaCredentials: { keyFile: 'current.media' },
      },
    }),
    { file: join(folder, 'edge.yaml') },
  );
  if (!document.ok) throw new Error(document.error.map(formatDocumentError).join('\n'));
  return document.value;
}

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}

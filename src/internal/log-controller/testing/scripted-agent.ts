import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { SystemClock } from '#kernel';
import { type Connection, TlsAcceptor } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import { Metrics, silentLog } from '#platform/telemetry';
import {
  encodeMessage,
  encodeOctets,
  type LogEvent,
  LogFrameReader,
  type LogPort,
  matches,
  type SearchQuery,
} from '#protocols/log-query';

/** How an agent behaves that does not do what it should. */
export interface Behaviour {
  /** Says welcome and nothing more. */
  silent?: boolean;
  /** Says that it is another edge. */
  node?: string;
  /** Closes what is connected to it, as an agent does that does not know the controller. */
  closes?: boolean;
  /** By how much its clock is ahead. */
  aheadMs?: number;
  /** Traces nothing, whatever it is told. */
  deaf?: boolean;
  /** Tells another hash than that of what it copies. */
  lies?: boolean;
}

interface Asked {
  readonly id: number;
  readonly type: string;
  readonly query?: SearchQuery;
  readonly marker?: string;
  readonly scenario?: string;
  readonly after?: string;
}
interface Follower {
  readonly connection: Connection;
  readonly id: number;
  readonly query: SearchQuery;
}

/** Events of one `events` message. */
const BATCH = 100;

/** A logging agent that does by the book what its test lets it do: the other end of the wire, with a list for a store. */
export class ScriptedAgent {
  readonly node: string;
  readonly address: string;
  readonly ports: Record<LogPort, number> = { control: 0, search: 0, collection: 0 };
  readonly behaviour: Behaviour = {};
  readonly events: LogEvent[] = [];
  /** Every request, as `port type`. */
  readonly asked: string[] = [];
  readonly #servers: Server[] = [];
  readonly #acceptors: TlsAcceptor[] = [];
  readonly #followers = new Set<Follower>();
  readonly #scenarios = new Set<string>(['AlwaysOn']);

  private constructor(node: string, address: string) {
    this.node = node;
    this.address = address;
  }
  static async start(
    node: string,
    address: string,
    tls: { readonly credentials: Credentials; readonly trust: TrustAnchors },
  ): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent(node, address);
    for (const port of ['control', 'search', 'collection'] as const) await agent.#listen(port, tls);
    return agent;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    await this.hangUp();
  }
  /** Every connection is lost; it goes on listening. */
  async hangUp(): Promise<void> {
    const open = this.#acceptors.flatMap((acceptor) => [...acceptor.connections]);
    for (const connection of open) connection.destroy('shutdown');
    this.#followers.clear();
    await new Promise((resolve) => setImmediate(resolve));
  }
  /** Connections to its search port. */
  get open(): number {
    return this.#acceptors[1]?.open ?? 0;
  }
  /** Something happens: it is stored, and told to those who follow. */
  happen(event: LogEvent): void {
    this.events.push(event);
    for (const follower of this.#followers) if (matches(follower.query, event)) this.#tell(follower, event);
  }

  async #listen(port: LogPort, tls: { credentials: Credentials; trust: TrustAnchors }): Promise<void> {
    const acceptor = new TlsAcceptor({
      ...tls,
      clientCertificate: 'required',
      handshakeMs: 30_000,
      limits: { connections: 100, handshakes: 100, perSource: 100, outboundBytes: 1 << 24 },
      clock: new SystemClock(),
      log: silentLog(),
      metrics: new Metrics(),
      accept: (connection) => this.#accept(port, connection),
    });
    const server = createServer().listen(0, this.address);
    await once(server, 'listening');
    acceptor.attach(server);
    const bound = server.address();
    this.ports[port] = typeof bound === 'object' && bound !== null ? bound.port : 0;
    this.#servers.push(server);
    this.#acceptors.push(acceptor);
  }

  #accept(port: LogPort, connection: Connection): void {
    if (this.behaviour.closes === true) {
      connection.destroy('policy');
      return;
    }
    const reader = new LogFrameReader({ frameBytes: 65_536, frameMs: 60_000 });
    connection.onData = (chunk) => {
      for (const frame of reader.push(chunk, 0)) {
        if (frame.kind === 'message') this.#answer(port, connection, JSON.parse(frame.text) as Asked);
      }
    };
    connection.onClose = () => {
      for (const follower of this.#followers)
        if (follower.connection === connection) this.#followers.delete(follower);
    };
  }

  #answer(port: LogPort, connection: Connection, request: Asked): void {
    this.asked.push(`${port} ${request.type}`);
    const send = (message: object) => connection.write(encodeMessage({ id: request.id, ...message }));
    if (request.type === 'hello') {
      const { node = this.node, aheadMs = 0 } = this.behaviour;
      connection.write(
        encodeMessage({ type: 'welcome', version: 1, node, product: '0', now: Date.now() + aheadMs }),
      );
      return;
    }
    if (this.behaviour.silent === true) return;
    switch (request.type) {
      case 'start':
      case 'stop':
      case 'show':
        this.#control(request, send);
        return;
      case 'mark':
        if (this.behaviour.deaf !== true) this.happen(markerEvent(this.node, request.marker ?? ''));
        send({ type: 'done' });
        return;
      case 'sync':
        send({ type: 'done' });
        return;
      case 'search':
        this.#search(request, send);
        return;
      case 'list':
        send({ type: 'segments', segments: [this.#segment()] });
        return;
      case 'copy':
        this.#copy(connection, send);
        return;
      case 'follow':
        this.#follow(connection, request);
        return;
      default:
        send({ type: 'refused', code: 'SLP-LOG-0002', message: `${request.type} is not known` });
    }
  }

  #control({ type, scenario = '' }: Asked, send: (message: object) => void): void {
    if (type === 'start' && this.#scenarios.size >= 2) {
      send({ type: 'refused', code: 'SLP-LOG-0007', message: 'two scenarios run already' });
      return;
    }
    if (type === 'start') this.#scenarios.add(scenario);
    if (type === 'stop') this.#scenarios.delete(scenario);
    const about = { startedAt: 0, endsAt: null, bodies: false, providers: [] };
    send({ type: 'scenarios', running: [...this.#scenarios].map((name) => ({ name, ...about })) });
  }
  #search({ query }: Asked, send: (message: object) => void): void {
    if (query === undefined) return;
    const found = this.events.filter((event) => matches(query, event)).sort((a, b) => a.time - b.time);
    const told = found.slice(0, query.limit);
    for (let at = 0; at < told.length; at += BATCH)
      send({ type: 'events', events: told.slice(at, at + BATCH) });
    send({
      type: 'found',
      events: told.length,
      more: found.length > told.length,
      segments: { all: 1, opened: 1 },
    });
  }
  #content(): Buffer {
    return Buffer.from(this.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }
  #segment() {
    const times = this.events.map(({ time }) => time);
    const [from, to] = [Math.min(...times), Math.max(...times)];
    return { segment: 1, from, to, events: times.length, bytes: this.#content().length, open: true };
  }
  #copy(connection: Connection, send: (message: object) => void): void {
    const content = this.#content();
    for (let at = 0; at < content.length; at += 1000)
      connection.write(encodeOctets(content.subarray(at, at + 1000)));
    const sha256 = createHash('sha256').update(content).digest('hex');
    send({
      type: 'copied',
      segment: 1,
      bytes: content.length,
      sha256:
        this.behaviour.lies === true ? sha256.replace(/^./, (first) => (first === '0' ? '1' : '0')) : sha256,
    });
  }
  #follow(connection: Connection, { id, query, after }: Asked): void {
    if (query === undefined) return;
    const follower = { connection, id, query };
    this.#followers.add(follower);
    if (after === undefined) return;
    const seen = Number(after.split('.')[1]);
    for (const event of this.events)
      if (event.sequence > seen && matches(query, event)) this.#tell(follower, event);
  }
  #tell({ connection, id }: Follower, event: LogEvent): void {
    const resume = `store.${event.sequence}`;
    connection.write(encodeMessage({ type: 'events', id, events: [event], resume }));
  }
}

function markerEvent(node: string, marker: string): LogEvent {
  return {
    time: Date.now(),
    sequence: 1_000_000,
    node,
    service: 'logging-agent',
    component: 'logging-agent',
    provider: 'LoggingAgent',
    level: 'info',
    kind: 'state',
    name: 'marker',
    flags: [],
    text: `marker ${marker}`,
    keys: { trace: [marker] },
  };
}

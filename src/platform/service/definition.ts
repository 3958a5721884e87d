import type { Socket as DatagramSocket, SocketOptions } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import type { Clock, Random, Result } from '#kernel';
import type { EventStream, Log, Metrics } from '#platform/telemetry';
import type { ListenerPlan, ServiceName } from '#platform/topology';
import type { ReloadReport } from './administration-schema.ts';
import type { EventCollector } from './event-collector.ts';

export type { ServiceName };

/**
 * What the supervisor runs, one in each service process. A room under `edge/` or `internal/` exports one as
 * `service`. Life of a service: `create`, then `provision` and `commit` for every accepted document, `drain` and
 * `undrain` as the operator wishes, at last `stop`.
 */
export interface ServiceDefinition<Document> {
  readonly name: ServiceName;
  /** The field's name, for people: "Access Edge service". */
  readonly title: string;
  create(context: ServiceContext): Service<Document>;
}

export interface ServiceContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: EventStream;
  readonly sockets: SocketSource;
  /** Which of the processes of this service it runs in; absent: there is one. */
  readonly worker?: WorkerPlace;
  /**
   * Gives a received document to the supervisor, which verifies it, tries it in all services and keeps it or returns to
   * the one before. Only the service that the program names for it is listened to.
   */
  readonly offer?: (file: string) => Promise<ReloadReport>;
  /** What all services emit; only the service that the program names for it gets any. */
  readonly collector?: EventCollector;
}

/** One of several processes that run the same service, each with its own share of the connections. */
export interface WorkerPlace {
  /** 0 .. count - 1; a process that is started again has the index of the one before. */
  readonly index: number;
  /** 1 or more; the same for as long as the program runs. */
  readonly count: number;
}

/**
 * The sockets that the supervisor bound for this service, by `ListenerPlan.id`. Ask in `commit`, for every listener
 * of the new document: one that did not change is the same object, with its connections; those that the new document
 * no longer lists are closed by the host after `commit`. Asking for an id that the plan does not give to this service
 * throws, which is a bug.
 */
export interface SocketSource {
  /** The listeners of the document being provisioned (later: running) that are this service's. */
  plan(): readonly ListenerPlan[];
  /** A listening server; connections go to the latest `onConnection`. Options count when it first listens. */
  tcp(id: string, onConnection: (socket: Socket) => void, options?: TcpOptions): Server;
  /**
   * A bound socket, or as many as `Program.threads` says, which share address and port. Attach listeners only when
   * they are not those that you already had.
   */
  udp(id: string, options?: UdpOptions): readonly DatagramSocket[];
}
export interface TcpOptions {
  /** Default false: a half-closed peer is closed. */
  readonly allowHalfOpen?: boolean | undefined;
  /** Default false. Accepted sockets do not read until resumed. */
  readonly pauseOnConnect?: boolean | undefined;
  /** Default true. */
  readonly noDelay?: boolean | undefined;
}
export interface UdpOptions {
  /** SO_RCVBUF and SO_SNDBUF, bytes; the system's default when left out. */
  readonly receiveBufferBytes?: number | undefined;
  readonly sendBufferBytes?: number | undefined;
  /** Answers for `node:dgram`, which looks up the destination of every datagram; its own when left out. */
  readonly lookup?: SocketOptions['lookup'];
}

export interface Service<Document> {
  /**
   * Validates and prepares a document beside the running one: loads certificates, opens databases. Changes nothing
   * that a peer can see. Called again with an unchanged document when a certificate file changed.
   */
  provision(document: Document): Promise<Result<Provision>>;
  /** Whether this process can do its work. A peer that is away belongs into `detail` and is not ill health. */
  health(): Health;
  /** Administration verbs by kebab-case name; `verb()` gives them typed arguments. Define them in one file. */
  readonly verbs: Readonly<Record<string, VerbHandler>>;
  /** Takes nothing new; what runs goes on. */
  drain(): Promise<void> | void;
  undrain(): Promise<void> | void;
  /** Calls, allocations, connections: what would be lost by stopping now. Zero lets a draining service stop. */
  remaining(): number;
  /** Closes everything within 5 seconds. */
  stop(): Promise<void>;
}

/** A document made ready. Exactly one of the two is called, once. */
export interface Provision {
  /** Makes it the running one; connections and allocations survive. */
  commit(): Promise<void>;
  /** Gives back what was prepared; the running one goes on. */
  abandon(): Promise<void>;
}

export interface Health {
  readonly ok: boolean;
  /** One line for the operator. */
  readonly detail: string;
}

/** Takes unparsed arguments, gives something JSON can carry. */
export type VerbHandler = (args: unknown) => Promise<unknown>;

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { literalLookup } from '#kernel';
import { type Log, OncePerKey } from '#platform/telemetry';
import type { ListenerPlan } from '#platform/topology';
import type { BoundSocket } from './bound-socket.ts';
import type { SocketSource, TcpOptions, UdpOptions } from './definition.ts';

/**
 * Connections that the kernel keeps for a service that is busy or being restarted: the runtime takes one from each listener in each
 * turn of its loop, so all that come at once wait here, and those beyond are turned away. The kernel's own bound, as it comes.
 */
const BACKLOG = 4096;

interface Listening {
  readonly server: Server;
  readonly options: TcpOptions;
  onConnection: (socket: Socket) => void;
}

/** The service's side of the listener table: adopts the sockets that were sent and closes those that left the plan. */
export class ServiceSockets implements SocketSource {
  readonly #log: Log;
  /** By {@link shareKey}. */
  readonly #received = new Map<string, BoundSocket>();
  readonly #servers = new Map<string, Listening>();
  /** Sockets of processes that are away, by the index of the process and the id of the listener. */
  readonly #standIns = new Map<
    string,
    { readonly id: string; readonly of: number; readonly server: Server }
  >();
  readonly #datagrams = new Map<string, readonly DatagramSocket[]>();
  readonly #problems = new Map<string, string>();
  readonly #told = new OncePerKey(256);
  #troubles = 0;
  #running: readonly ListenerPlan[] = [];
  #plan: readonly ListenerPlan[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** A socket sent by the supervisor. @param share which of those for threads */
  receive(id: string, socket: BoundSocket, share = 0): void {
    const key = shareKey(id, share);
    this.#received.get(key)?.close();
    this.#received.set(key, socket);
  }
  /** A socket of another process, for the time that it is away: what comes there is served here. */
  standIn(id: string, of: number, socket: BoundSocket): void {
    const own = this.#servers.get(id);
    if (own === undefined || this.#standIns.has(`${of} ${id}`)) {
      socket.close();
      return;
    }
    const server = newServer(own.options, (accepted) => own.onConnection(accepted));
    server.on('error', (error) => this.#log.warn('cannot stand in for a process', { listener: id, error }));
    server.listen(socket, BACKLOG);
    this.#standIns.set(`${of} ${id}`, { id, of, server });
  }
  /** It is back; connections stay. */
  giveBack(of: number): void {
    this.#closeStandIns((one) => one.of === of);
  }
  /** From now on ids are those of this plan. */
  prepare(plan: readonly ListenerPlan[]): void {
    this.#plan = plan;
  }
  /** The plan being prepared is the running one: whatever it does not list is closed. */
  settle(): void {
    this.#running = this.#plan;
    this.#closeUnlisted();
  }
  /** Back to the running plan. */
  abandon(): void {
    this.#plan = this.#running;
    this.#closeUnlisted();
  }
  closeAll(): void {
    this.#running = [];
    this.abandon();
  }
  /** What is wrong with a listening socket, if anything. */
  problem(): string | undefined {
    const first = this.#problems.entries().next();
    return first.done ? undefined : `${first.value[0]}: ${first.value[1]}`;
  }
  /** Errors that datagram sockets met since the start and went on after. */
  get troubles(): number {
    return this.#troubles;
  }

  plan(): readonly ListenerPlan[] {
    return this.#plan;
  }

  tcp(id: string, onConnection: (socket: Socket) => void, options: TcpOptions = {}): Server {
    this.#planned(id, 'tcp');
    const known = this.#servers.get(id);
    if (known !== undefined) {
      known.onConnection = onConnection;
      return known.server;
    }
    const server = newServer(options, (socket) => listening.onConnection(socket));
    const listening: Listening = { server, options, onConnection };
    server.on('error', (error) => this.#failed(id, error));
    server.listen(this.#take(id), BACKLOG);
    this.#servers.set(id, listening);
    return server;
  }

  udp(id: string, options: UdpOptions = {}): readonly DatagramSocket[] {
    const plan = this.#planned(id, 'udp');
    const known = this.#datagrams.get(id);
    if (known !== undefined) return known;
    const bound = [this.#take(id)];
    while (this.#received.has(shareKey(id, bound.length))) bound.push(this.#take(id, bound.length));
    const sockets = bound.map((one) => this.#adopt(plan, one, options));
    this.#datagrams.set(id, sockets);
    return sockets;
  }
  #adopt(plan: ListenerPlan, bound: BoundSocket, options: UdpOptions): DatagramSocket {
    const type = isIPv6(plan.address) ? 'udp6' : 'udp4';
    const socket = createSocket({
      type,
      lookup: options.lookup ?? literalLookup,
      ...(options.receiveBufferBytes === undefined ? {} : { recvBufferSize: options.receiveBufferBytes }),
      ...(options.sendBufferBytes === undefined ? {} : { sendBufferSize: options.sendBufferBytes }),
    });
    // What one datagram met on its way says nothing about the socket, which goes on.
    socket.on('error', (error) => this.#trouble(plan.id, error));
    // A bound handle is adopted; the types know only `{ fd }`, which would make a second owner of the descriptor.
    socket.bind(bound as object);
    return socket;
  }

  #planned(id: string, transport: 'tcp' | 'udp'): ListenerPlan {
    const plan = this.#plan.find((listener) => listener.id === id && listener.transport === transport);
    if (plan === undefined) throw new Error(`the plan gives this service no ${transport} listener ${id}`);
    return plan;
  }
  #take(id: string, share = 0): BoundSocket {
    const key = shareKey(id, share);
    const socket = this.#received.get(key);
    if (socket === undefined) throw new Error(`the supervisor has not sent the socket of ${id}`);
    this.#received.delete(key);
    return socket;
  }
  #failed(id: string, error: Error): void {
    this.#problems.set(id, error.message);
    this.#log.error('listening socket failed', { listener: id, error });
  }
  #trouble(id: string, error: Error): void {
    this.#troubles += 1;
    const { code = error.message } = error as NodeJS.ErrnoException;
    if (this.#told.first(`${id} ${code}`)) {
      this.#log.warn('error on a datagram socket, which goes on', { listener: id, error });
    }
  }
  #closeUnlisted(): void {
    const listed = new Set(this.#plan.map((listener) => listener.id));
    const unlisted = (id: string) => !listed.has(id);
    for (const [key, socket] of this.#received) {
      if (!unlisted(listenerOf(key))) continue;
      socket.close();
      this.#received.delete(key);
    }
    for (const id of [...this.#servers.keys()].filter(unlisted)) {
      this.#servers.get(id)?.server.close();
      this.#servers.delete(id);
    }
    this.#closeStandIns(({ id }) => unlisted(id));
    for (const id of [...this.#datagrams.keys()].filter(unlisted)) {
      this.#closeDatagram(id);
    }
    for (const id of [...this.#problems.keys()].filter(unlisted)) this.#problems.delete(id);
  }
  #closeStandIns(chosen: (one: { readonly id: string; readonly of: number }) => boolean): void {
    for (const [key, one] of this.#standIns) {
      if (!chosen(one)) continue;
      one.server.close();
      this.#standIns.delete(key);
    }
  }
  #closeDatagram(id: string): void {
    for (const socket of this.#datagrams.get(id) ?? []) {
      try {
        socket.close();
      } catch {
        // The service closed it already.
      }
    }
    this.#datagrams.delete(id);
  }
}

/** Ids of listeners have no spaces. */
function shareKey(id: string, share: number): string {
  return `${id} ${share}`;
}
function listenerOf(key: string): string {
  return key.slice(0, key.lastIndexOf(' '));
}

function newServer(options: TcpOptions, onConnection: (socket: Socket) => void): Server {
  const server = createServer({
    allowHalfOpen: options.allowHalfOpen ?? false,
    pauseOnConnect: options.pauseOnConnect ?? false,
    noDelay: options.noDelay ?? true,
  });
  return server.on('connection', onConnection);
}

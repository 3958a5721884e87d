import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type {
  BindOutcome,
  BindProblem,
  DatagramCounters,
  DatagramEndpoint,
  DatagramError,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
  SendRefusal,
} from './datagrams.ts';
import { literalLookup } from './literal-lookup.ts';
import { Slab } from './slab.ts';

/** Sends not yet reported done before the queue itself is measured: most are done within one turn. */
const UNMEASURED_SENDS = 128;

/** {@link DatagramNetwork} on node:dgram. One instance counts for all its sockets. */
export class NodeDatagrams implements DatagramNetwork {
  readonly counters: DatagramCounters = {
    received: 0,
    receivedBytes: 0,
    sent: 0,
    sentBytes: 0,
    queueFull: 0,
    errors: { refused: 0, unreachable: 0, 'too-big': 0, 'not-permitted': 0, 'no-buffers': 0, other: 0 },
  };
  readonly #limits: DatagramLimits;
  readonly #slab = new Slab();
  readonly #sockets = new Set<NodeDatagramSocket>();
  readonly #binding = new Set<Socket>();
  #closed = false;

  constructor(limits: DatagramLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#sockets.size;
  }

  frame(size: number): Buffer {
    return this.#slab.cut(size);
  }

  adopt(socket: Socket, receiver: DatagramReceiver): DatagramSocket {
    if (this.#closed) throw new Error('adopt after close');
    const { address, port } = socket.address();
    return this.#take(socket, { address, port }, receiver);
  }

  bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void {
    if (this.#closed) return;
    const type = isIPv6(endpoint.address) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, ipv6Only: type === 'udp6', lookup: literalLookup });
    this.#binding.add(socket);
    // With a lookup that answers at once, both may come before `bind` returns.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      queueMicrotask(() => this.#fail(socket, error, done)),
    );
    socket.once('listening', () => queueMicrotask(() => this.#finish(socket, receiver, done)));
    socket.bind({ address: endpoint.address, port: endpoint.port, exclusive: true });
  }

  #fail(socket: Socket, error: NodeJS.ErrnoException, done: (outcome: BindOutcome) => void): void {
    if (!this.#binding.delete(socket)) return;
    socket.close();
    done({ ok: false, problem: bindProblem(error.code), detail: error.code ?? error.message });
  }

  #finish(socket: Socket, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void {
    if (!this.#binding.delete(socket)) return;
    socket.removeAllListeners('error');
    const { address, port } = socket.address();
    done({ ok: true, socket: this.#take(socket, { address, port }, receiver) });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ended: Promise<void>[] = [];
    for (const socket of this.#binding) ended.push(closed(socket));
    this.#binding.clear();
    for (const socket of [...this.#sockets]) ended.push(socket.end());
    await Promise.all(ended);
  }

  #take(socket: Socket, local: DatagramEndpoint, receiver: DatagramReceiver): NodeDatagramSocket {
    this.#sizeBuffer(socket);
    const taken = new NodeDatagramSocket(socket, local, receiver, {
      counters: this.counters,
      queuedBytes: this.#limits.queuedBytes,
      ended: () => this.#sockets.delete(taken),
    });
    this.#sockets.add(taken);
    return taken;
  }

  /** A refusal only means that the kernel's default stays. */
  #sizeBuffer(socket: Socket): void {
    if (this.#limits.receiveBuffer <= 0) return;
    try {
      socket.setRecvBufferSize(this.#limits.receiveBuffer);
    } catch {
      this.counters.errors.other += 1;
    }
  }
}

interface Shared {
  readonly counters: DatagramCounters;
  readonly queuedBytes: number;
  readonly ended: () => void;
}

class NodeDatagramSocket implements DatagramSocket {
  readonly local: DatagramEndpoint;
  readonly #socket: Socket;
  readonly #shared: Shared;
  readonly #onSent: (error: Error | null, bytes: number) => void;
  #unreported = 0;
  #ending: Promise<void> | undefined;

  constructor(socket: Socket, local: DatagramEndpoint, receiver: DatagramReceiver, shared: Shared) {
    this.local = local;
    this.#socket = socket;
    this.#shared = shared;
    const { counters } = shared;
    this.#onSent = (error, bytes) => {
      this.#unreported -= 1;
      if (error === null) {
        counters.sent += 1;
        counters.sentBytes += bytes;
      } else this.#count(error);
    };
    socket.on('error', (error) => this.#count(error));
    // Whoever bound an adopted socket may also close it.
    socket.once('close', () => this.#handleClosed());
    socket.on('message', (bytes: Buffer, remote: RemoteInfo) => {
      counters.received += 1;
      counters.receivedBytes += bytes.length;
      receiver(bytes, remote.address, remote.port);
    });
  }

  send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined {
    const { counters, queuedBytes } = this.#shared;
    if (this.#ending !== undefined) return 'closed';
    if (this.#unreported >= UNMEASURED_SENDS && this.#socket.getSendQueueSize() >= queuedBytes) {
      counters.queueFull += 1;
      return 'queue-full';
    }
    // A datagram can come from port 0, which nobody can answer and dgram would throw at.
    if (port < 1 || port > 0xffff) {
      counters.errors.unreachable += 1;
      return undefined;
    }
    this.#unreported += 1;
    this.#socket.send(bytes, start, end - start, port, address, this.#onSent);
    return undefined;
  }

  close(): void {
    void this.end();
  }

  end(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = closed(this.#socket);
      this.#shared.ended();
    }
    return this.#ending;
  }

  #handleClosed(): void {
    if (this.#ending !== undefined) return;
    this.#ending = Promise.resolve();
    this.#shared.ended();
  }

  #count(error: NodeJS.ErrnoException): void {
    // Closing cancels what still waits; that is not an error of the network.
    if (error.code === 'ECANCELED') return;
    this.#shared.counters.errors[datagramError(error.code)] += 1;
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.removeAllListeners('message');
    socket.close(() => resolve());
  });
}

const errorKinds: ReadonlyMap<string, DatagramError> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENETUNREACH', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
  // What Linux says when the source address cannot lead to the destination.
  ['EINVAL', 'unreachable'],
  ['EMSGSIZE', 'too-big'],
  ['EPERM', 'not-permitted'],
  ['EACCES', 'not-permitted'],
  ['ENOBUFS', 'no-buffers'],
  ['ENOMEM', 'no-buffers'],
]);

function datagramError(code: string | undefined): DatagramError {
  return errorKinds.get(code ?? '') ?? 'other';
}

const bindProblems: ReadonlyMap<string, BindProblem> = new Map([
  ['EADDRINUSE', 'in-use'],
  ['EADDRNOTAVAIL', 'not-available'],
  ['EACCES', 'not-permitted'],
  ['EPERM', 'not-permitted'],
  ['EMFILE', 'exhausted'],
  ['ENFILE', 'exhausted'],
  ['ENOBUFS', 'exhausted'],
  ['ENOMEM', 'exhausted'],
]);

function bindProblem(code: string | undefined): BindProblem {
  return bindProblems.get(code ?? '') ?? 'other';
}

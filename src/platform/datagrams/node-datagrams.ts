import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { type BoundSocket, closed } from './bound-socket.ts';
import type {
  BindOutcome,
  DatagramCounters,
  DatagramEndpoint,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
} from './datagrams.ts';
import { DgramSocket } from './dgram-socket.ts';
import { DirectSocket } from './direct-socket.ts';
import { literalLookup } from './literal-lookup.ts';
import { handleHolderOf, newSendRequest } from './runtime-handle.ts';
import { Slab } from './slab.ts';
import { bindProblem } from './system-errors.ts';

/** {@link DatagramNetwork} on the sockets of node:dgram. One instance counts for all its sockets. */
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
  readonly #sockets = new Set<BoundSocket>();
  readonly #direct: boolean;
  readonly #binding = new Set<Socket>();
  #closed = false;

  /** @param direct false: only by what node:dgram documents, even where there is a shorter way */
  constructor(limits: DatagramLimits, direct = true) {
    this.#limits = limits;
    this.#direct = direct;
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

  #take(socket: Socket, local: DatagramEndpoint, receiver: DatagramReceiver): DatagramSocket {
    this.#sizeBuffer(socket);
    const shared = { counters: this.counters, queuedBytes: this.#limits.queuedBytes };
    const ended = () => this.#sockets.delete(taken);
    const holder = this.#direct ? handleHolderOf(socket) : undefined;
    const taken: BoundSocket =
      holder === undefined || newSendRequest === undefined
        ? new DgramSocket(socket, local, receiver, shared, ended)
        : new DirectSocket({ socket, holder, newRequest: newSendRequest }, local, receiver, shared, ended);
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

import type { Socket } from 'node:dgram';
import { getSystemErrorName } from 'node:util';
import type { BoundSocket, SharedByNetwork } from '../bound-socket.ts';
import type {
  BindOutcome,
  DatagramCounters,
  DatagramEndpoint,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
} from '../datagrams.ts';
import { closeSocket } from '../dgram-socket.ts';
import { SendSlot } from '../direct-socket.ts';
import { endpointOf, NodeDatagrams } from '../node-datagrams.ts';
import { bindHandle, handleHolderOf, type SendRequest, type UnboundHandle } from '../runtime-handle.ts';
import { bindProblem } from '../system-errors.ts';
import type { Side } from './messages.ts';
import { PlacedSocket } from './placed-socket.ts';
import type { RelayThread } from './relay-thread-keeper.ts';
import { summedCounters } from './shared-counters.ts';

export interface PlacedNetworkOptions {
  readonly side: Side;
  readonly limits: DatagramLimits;
  readonly newHandle: () => UnboundHandle;
  readonly newRequest: () => SendRequest;
  /** Of the threads, in the same order. */
  readonly counters: readonly DatagramCounters[];
  /** Unique among both sides. */
  readonly nextId: () => number;
  /** Where the datagram came that is being looked at; undefined: not by a thread. */
  readonly current: () => RelayThread | undefined;
}

/** One side of the relay's sockets: each with the thread that it belongs to, or here when none does. */
export class PlacedNetwork implements DatagramNetwork {
  readonly counters: DatagramCounters;
  readonly #options: PlacedNetworkOptions;
  /** What no thread has. */
  readonly #here: NodeDatagrams;
  readonly #slot: SendSlot;
  readonly #sockets = new Set<BoundSocket>();
  readonly #shared: SharedByNetwork;
  #closed = false;

  constructor(options: PlacedNetworkOptions) {
    this.#options = options;
    this.#here = new NodeDatagrams(options.limits);
    this.#slot = new SendSlot(options.newRequest);
    this.#shared = {
      counters: this.#here.counters,
      queuedBytes: options.limits.queuedBytes,
      ended: (socket) => void this.#sockets.delete(socket),
    };
    this.counters = summedCounters([this.#here.counters, ...options.counters]);
  }

  get open(): number {
    return this.#here.open + this.#sockets.size;
  }
  frame(size: number): Buffer {
    return this.#here.frame(size);
  }

  adopt(socket: Socket, receiver: DatagramReceiver): DatagramSocket {
    const thread = this.#options.current();
    return thread === undefined
      ? this.#here.adopt(socket, receiver)
      : this.adoptFor(thread, socket, receiver);
  }
  /** Adopts for a thread. */
  adoptFor(thread: RelayThread, socket: Socket, receiver: DatagramReceiver): DatagramSocket {
    const handle = handleHolderOf(socket)?.handle;
    if (!handle) return this.#here.adopt(socket, receiver);
    const close = (done: () => void) => closeSocket(socket, done);
    const { address, port } = socket.address();
    // Bound by node:dgram, so it is whole; its own methods send IPv6, too.
    const placed = this.#place(thread, handle as UnboundHandle, { address, port }, receiver, close);
    thread.take(placed);
    socket.on('error', (error: NodeJS.ErrnoException) => placed.count(error.code));
    socket.once('close', () => {
      if (placed.handleClosed()) thread.leave(placed);
    });
    return placed;
  }

  bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void {
    if (this.#closed) return;
    const thread = this.#options.current();
    if (thread === undefined) {
      this.#here.bind(endpoint, receiver, done);
      return;
    }
    const outcome = this.#bindFor(thread, endpoint, receiver);
    queueMicrotask(() => {
      if (!this.#closed) thread.within(() => done(outcome));
    });
  }
  #bindFor(
    thread: RelayThread,
    { address, port }: DatagramEndpoint,
    receiver: DatagramReceiver,
  ): BindOutcome {
    const handle = this.#options.newHandle();
    const status = bindHandle(handle, address.includes(':'), address, port, false);
    if (status < 0) {
      const detail = getSystemErrorName(status);
      return { ok: false, problem: bindProblem(detail), detail };
    }
    const local = { address, port: port === 0 ? endpointOf(handle).port : port };
    const close = (closed: () => void) => handle.close(closed);
    const socket = this.#place(thread, handle, local, receiver, close);
    thread.keep(socket);
    return { ok: true, socket };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ended = [...this.#sockets].map((socket) => socket.end());
    await Promise.all([...ended, this.#here.close()]);
  }

  #place(
    thread: RelayThread,
    handle: UnboundHandle,
    local: DatagramEndpoint,
    receiver: DatagramReceiver,
    close: (done: () => void) => void,
  ): PlacedSocket {
    const { side, limits, nextId } = this.#options;
    if (limits.receiveBuffer > 0 && handle.bufferSize(limits.receiveBuffer, true, {}) === undefined) {
      this.#here.counters.errors.other += 1;
    }
    const placed = { id: nextId(), side, handle, thread, close };
    const socket = new PlacedSocket(placed, local, receiver, this.#shared, this.#slot);
    this.#sockets.add(socket);
    return socket;
  }
}

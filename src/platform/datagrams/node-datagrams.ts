import { createSocket, type Socket } from 'node:dgram';
import { getSystemErrorName } from 'node:util';
import { literalLookup } from '#kernel';
import type { BoundSocket, SharedByNetwork } from './bound-socket.ts';
import type {
  BindOutcome,
  DatagramCounters,
  DatagramEndpoint,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
} from './datagrams.ts';
import { closeSocket, DgramSocket } from './dgram-socket.ts';
import { DirectSocket, type OpenedHandle, SendSlot } from './direct-socket.ts';
import {
  bindHandle,
  handleHolderOf,
  newHandle,
  newSendRequest,
  type UnboundHandle,
} from './runtime-handle.ts';
import { Slab } from './slab.ts';
import { bindProblem } from './system-errors.ts';
import { zeroCounters } from './zero-counters.ts';

/** {@link DatagramNetwork} on the runtime's UDP sockets. One instance counts for all its sockets. */
export class NodeDatagrams implements DatagramNetwork {
  readonly counters: DatagramCounters;
  readonly #limits: DatagramLimits;
  readonly #slab = new Slab();
  readonly #sockets = new Set<BoundSocket>();
  readonly #shared: SharedByNetwork;
  /** Undefined when all goes by node:dgram. */
  readonly #slot: SendSlot | undefined;
  readonly #binding = new Set<Socket>();
  #closed = false;

  /**
   * @param direct false: only by what node:dgram documents, even where there is a shorter way
   * @param counters where it counts
   */
  constructor(limits: DatagramLimits, direct = true, counters: DatagramCounters = zeroCounters()) {
    this.#limits = limits;
    this.counters = counters;
    this.#slot = direct && newSendRequest !== undefined ? new SendSlot(newSendRequest) : undefined;
    this.#shared = {
      counters,
      queuedBytes: limits.queuedBytes,
      ended: (socket) => void this.#sockets.delete(socket),
    };
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

  /**
   * Takes over a bound handle that another thread has passed on, of which nothing was read yet.
   * @returns undefined when nothing can be read from it; then it is closed
   */
  adoptHandle(handle: UnboundHandle, receiver: DatagramReceiver): DatagramSocket | undefined {
    const local = endpointOf(handle);
    if (this.#slot === undefined || this.#closed || handle.recvStart() < 0) {
      handle.close();
      return undefined;
    }
    if (local.address.includes(':')) handle.send = handle.send6;
    const socket = new DirectSocket(new OwnHandle(handle), local, receiver, this.#shared, this.#slot);
    this.#sockets.add(socket);
    return socket;
  }

  bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void {
    if (this.#closed) return;
    const slot = this.#slot;
    if (newHandle === undefined || slot === undefined) {
      this.#bindByDgram(endpoint, receiver, done);
      return;
    }
    const outcome = this.#bindDirect(newHandle(), slot, endpoint, receiver);
    queueMicrotask(() => {
      if (!this.#closed) done(outcome);
    });
  }

  /** What node:dgram makes around a handle is most of the work of opening a socket, and of the memory that it holds. */
  #bindDirect(
    handle: UnboundHandle,
    slot: SendSlot,
    { address, port }: DatagramEndpoint,
    receiver: DatagramReceiver,
  ): BindOutcome {
    const status = bindHandle(handle, address.includes(':'), address, port);
    if (status < 0) {
      const detail = getSystemErrorName(status);
      return { ok: false, problem: bindProblem(detail), detail };
    }
    if (this.#limits.receiveBuffer > 0) {
      const given = handle.bufferSize(this.#limits.receiveBuffer, true, {});
      if (given === undefined) this.counters.errors.other += 1;
    }
    const local = { address, port: port === 0 ? endpointOf(handle).port : port };
    const socket = new DirectSocket(new OwnHandle(handle), local, receiver, this.#shared, slot);
    this.#sockets.add(socket);
    return { ok: true, socket };
  }

  #bindByDgram(
    endpoint: DatagramEndpoint,
    receiver: DatagramReceiver,
    done: (outcome: BindOutcome) => void,
  ): void {
    const type = endpoint.address.includes(':') ? 'udp6' : 'udp4';
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
    for (const socket of this.#binding) {
      ended.push(new Promise((resolve) => closeSocket(socket, resolve)));
    }
    this.#binding.clear();
    for (const socket of [...this.#sockets]) ended.push(socket.end());
    await Promise.all(ended);
  }

  #take(socket: Socket, local: DatagramEndpoint, receiver: DatagramReceiver): DatagramSocket {
    this.#sizeBuffer(socket);
    const holder = this.#slot === undefined ? undefined : handleHolderOf(socket);
    const close = (closed: () => void) => closeSocket(socket, closed);
    const taken: BoundSocket =
      holder === undefined || this.#slot === undefined
        ? new DgramSocket(socket, local, receiver, this.#shared)
        : new DirectSocket({ holder, close }, local, receiver, this.#shared, this.#slot);
    socket.on('error', (error: NodeJS.ErrnoException) => taken.count(error.code));
    // Whoever bound an adopted socket may also close it.
    socket.once('close', () => taken.handleClosed());
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

/** One that nobody else holds. */
export class OwnHandle implements OpenedHandle {
  readonly handle: UnboundHandle;

  constructor(handle: UnboundHandle) {
    this.handle = handle;
  }
  get holder(): this {
    return this;
  }
  close(done: () => void): void {
    this.handle.close(done);
  }
}

export function endpointOf(handle: UnboundHandle): DatagramEndpoint {
  const place: { address?: string; port?: number } = {};
  handle.getsockname(place);
  return { address: place.address ?? '', port: place.port ?? 0 };
}

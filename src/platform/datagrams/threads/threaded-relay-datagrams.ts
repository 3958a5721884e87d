import type { Socket } from 'node:dgram';
import type { Clock } from '#kernel';
import type { DatagramReceiver, DatagramSocket } from '../datagrams.ts';
import { FlowMemory } from '../flows/flow-memory.ts';
import type { FlowTable, RelayDatagrams, RelayThreads } from '../flows/flows.ts';
import type { RelayDatagramsOptions } from '../flows/plain-relay-datagrams.ts';
import { SlotTable } from '../flows/slot-table.ts';
import { newHandle, newSendRequest } from '../runtime-handle.ts';
import { canPassDescriptors } from './descriptor-pipe.ts';
import { makeDescriptorRoom } from './descriptor-room.ts';
import type { Side } from './messages.ts';
import { PlacedNetwork } from './placed-network.ts';
import { PlacedSocket } from './placed-socket.ts';
import { RelayThread } from './relay-thread-keeper.ts';
import { sharedCounters } from './shared-counters.ts';
import { SharedListener } from './shared-listener.ts';

export interface ThreadedRelayOptions extends RelayDatagramsOptions {
  /** By which threads are looked after. */
  readonly clock: Clock;
  /** 1..64 */
  readonly threads: number;
  /** Octets of datagrams that may wait for the receivers, for each thread. */
  readonly waitingBytes: number;
  /** Relayed addresses that there will be at most; each has a descriptor here and one in its thread. */
  readonly relayed: number;
  /** A folder for what is needed to start threads, empty again afterwards. */
  readonly folder: string;
  /** Between two signs of life of a thread, milliseconds, 1000 when left out; without ten of them it is ended. */
  readonly lifeSignMs?: number;
  /** What runs in the threads, when it is not `relay-thread.ts` alone: tests put faults around it. */
  readonly main?: URL;
  /** Threads that come and go, for the log; numbers from 1. */
  readonly running: (thread: number) => void;
  readonly ended: (thread: number, cause: string) => void;
}

const MAIN = new URL('./relay-thread.ts', import.meta.url);
const LIFE_SIGN_MS = 1_000;
/** Listeners, threads, files, and what else the process has open. */
const OTHER_DESCRIPTORS = 512;

/** Whether this runtime and system can do it. */
export const canThread =
  process.platform === 'linux' &&
  canPassDescriptors &&
  newHandle !== undefined &&
  newSendRequest !== undefined;

/**
 * The relay's datagrams in threads of their own: each reads its share of the listeners and the relayed addresses of
 * the clients that come by it, and moves what belongs to a flow. The rest comes here, in batches, to the receivers; what they send leaves
 * from here. README.md says who owns which descriptor.
 */
export class ThreadedRelayDatagrams implements RelayDatagrams {
  readonly clients: PlacedNetwork;
  readonly peers: PlacedNetwork;
  readonly flows: FlowTable;
  readonly #options: ThreadedRelayOptions;
  readonly #table: SlotTable;
  readonly #threads: readonly RelayThread[];
  #current: RelayThread | undefined;
  #lastId = 0;
  #ends = 0;
  #cancelLook: () => void;

  constructor(options: ThreadedRelayOptions) {
    this.#options = options;
    // Before threads are there: all of them would wait for it.
    this.expect(options.relayed);
    const memory = new FlowMemory({ ...options.room, threads: options.threads });
    this.clients = this.#network('clients', memory);
    this.peers = this.#network('peers', memory);
    const threads: RelayThread[] = [];
    this.#threads = threads;
    this.#table = new SlotTable(memory, this.#runner(), options.now);
    this.flows = this.#table;
    for (let index = 0; index < options.threads; index += 1) threads.push(this.#thread(index, memory));
    this.#cancelLook = this.#look();
  }

  get threads(): RelayThreads {
    const running = this.#threads.filter((thread) => thread.isRunning).length;
    return { count: this.#threads.length, running, ends: this.#ends };
  }

  listen(sockets: readonly Socket[], receiver: DatagramReceiver): DatagramSocket {
    if (sockets.length !== this.#threads.length) throw new RangeError('one socket for each thread');
    const shares = sockets.map((socket, index) => {
      const thread = this.#threads[index];
      if (thread === undefined) throw new RangeError('one socket for each thread');
      return this.clients.adoptFor(thread, socket, receiver);
    });
    return new SharedListener(shares);
  }

  expect(relayed: number): void {
    makeDescriptorRoom(2 * relayed + OTHER_DESCRIPTORS);
  }
  /** Runs a task as if a datagram that this thread has received were being looked at. */
  within(index: number, task: () => void): void {
    this.#within(this.#threads[index], task);
  }

  async close(): Promise<void> {
    this.#cancelLook();
    await Promise.all([this.clients.close(), this.peers.close()]);
    await Promise.all(this.#threads.map((thread) => thread.close()));
    this.#table.sweep();
  }

  get #lifeSignMs(): number {
    return this.#options.lifeSignMs ?? LIFE_SIGN_MS;
  }

  #network(side: Side, memory: FlowMemory): PlacedNetwork {
    if (newHandle === undefined || newSendRequest === undefined) throw new Error('canThread is false');
    const counters = Array.from({ length: this.#options.threads }, (_, index) =>
      sharedCounters(memory.counters(index, side)),
    );
    return new PlacedNetwork({
      side,
      limits: this.#options[side],
      newHandle,
      newRequest: newSendRequest,
      counters,
      nextId: () => ++this.#lastId,
      current: () => this.#current,
    });
  }

  #runner() {
    const thread = (index: number) => this.#threads[index];
    return {
      placeOf: (socket: DatagramSocket, beside: DatagramSocket) => {
        const wanted = beside instanceof PlacedSocket ? beside.thread : undefined;
        const placed = socket instanceof SharedListener ? wanted && socket.shareOf(wanted) : socket;
        if (!(placed instanceof PlacedSocket)) return undefined;
        return { thread: placed.thread.index, id: placed.id };
      },
      open: (index: number, flow: Parameters<RelayThread['openFlow']>[0]) =>
        void thread(index)?.openFlow(flow),
      close: (index: number, slot: number) => thread(index)?.closeFlow(slot) ?? 0,
      hasFollowed: (index: number, command: number) => thread(index)?.hasFollowed(command) ?? true,
    };
  }

  #thread(index: number, memory: FlowMemory): RelayThread {
    const { clock, now, folder, clients, peers, waitingBytes, running, ended } = this.#options;
    const thread: RelayThread = new RelayThread({
      now,
      clock,
      memory,
      folder,
      main: this.#options.main ?? MAIN,
      start: {
        ...{ index, room: memory.room, memory: memory.buffer, limits: { clients, peers }, waitingBytes },
        lifeSignMs: this.#lifeSignMs,
      },
      flows: () => this.#table.of(index),
      within: (task) => this.#within(thread, task),
      running: () => running(index + 1),
      ended: (cause) => {
        this.#ends += 1;
        this.#table.sweep();
        ended(index + 1, cause);
      },
    });
    return thread;
  }

  #within(thread: RelayThread | undefined, task: () => void): void {
    const before = this.#current;
    this.#current = thread;
    try {
      task();
    } finally {
      this.#current = before;
    }
  }

  #look(): () => void {
    return this.#options.clock.after(this.#lifeSignMs, () => {
      this.#table.sweep();
      for (const thread of this.#threads) thread.look();
      this.#cancelLook = this.#look();
    });
  }
}

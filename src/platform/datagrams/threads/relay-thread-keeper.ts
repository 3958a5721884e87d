import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Cancel, Clock, Monotonic } from '#kernel';
import { ALIVE, type FlowMemory, FOLLOWED, WAITING } from '../flows/flow-memory.ts';
import type { SlottedFlow } from '../flows/flow-relay.ts';
import { readBatch } from './batch.ts';
import { DescriptorSender } from './descriptor-pipe.ts';
import {
  systemMilliseconds,
  type ThreadBatch,
  type ThreadCommand,
  type ThreadStart,
  wordOf,
} from './messages.ts';
import type { PlacedSocket } from './placed-socket.ts';

/** The first start after an end is at once, then it waits twice as long each time; milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A thread that ran so long begins anew with that. */
const STEADY_MS = 60_000;
/** A thread without a sign of life for so many looks is ended. */
const LOOKS = 10;

export interface ThreadOptions {
  /** Of the flows' ends. */
  readonly now: () => Monotonic;
  /** For starting anew. */
  readonly clock: Clock;
  readonly memory: FlowMemory;
  /** The module that runs in it. */
  readonly main: URL;
  /** All that it starts with, but for what changes with each start. */
  readonly start: Omit<ThreadStart, 'pipe' | 'clock'>;
  /** Where a folder can be made for the socket by which descriptors go. */
  readonly folder: string;
  /** Flows that it should have. */
  readonly flows: () => readonly SlottedFlow[];
  /** Runs with this thread as the place of what is bound meanwhile. */
  readonly within: (task: () => void) => void;
  /** It is there, or has ended, and then why. */
  readonly running: () => void;
  readonly ended: (cause: string) => void;
}

/** One thread that should be there: it is started, given its sockets and flows, and started again when it ends. */
export class RelayThread {
  readonly index: number;
  readonly #options: ThreadOptions;
  readonly #state: Int32Array;
  /** Those that the thread reads, or here while it is away; and those that no flow has needed yet. */
  readonly #sockets = new Map<number, PlacedSocket>();
  readonly #kept = new Map<number, PlacedSocket>();
  #worker: Worker | undefined;
  #sender: DescriptorSender | undefined;
  #commands: ThreadCommand[] = [];
  #number = 0;
  #startedAt = 0;
  /** Why it will have ended, as far as is known. */
  #cause = '';
  #wait = 0;
  #cancelStart: Cancel = () => {};
  #alive = 0;
  #silentLooks = 0;
  #isClosed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.index = options.start.index;
    this.#state = options.memory.thread(this.index);
    this.#tryToStart();
  }

  /** Whether it has its sockets. Without it they are read by whoever made this. */
  get isRunning(): boolean {
    return this.#sender !== undefined;
  }
  within(task: () => void): void {
    this.#options.within(task);
  }

  /** Has a socket, which is read here until {@link take}: most relayed addresses never have a flow. */
  keep(socket: PlacedSocket): void {
    this.#kept.set(socket.id, socket);
    socket.read();
  }
  /** Reads a socket from now on. */
  take(socket: PlacedSocket): void {
    this.#kept.delete(socket.id);
    this.#sockets.set(socket.id, socket);
    this.#give(socket);
  }
  leave(socket: PlacedSocket): void {
    this.#kept.delete(socket.id);
    if (this.#sockets.delete(socket.id)) this.#tell({ kind: 'close-socket', id: socket.id });
  }
  /** @returns the number of the command; any number while it is away */
  openFlow(flow: SlottedFlow): number {
    for (const { place } of [flow.from, flow.to]) {
      const kept = this.#kept.get(place);
      if (kept !== undefined) this.take(kept);
    }
    return this.#tell({ kind: 'open-flow', flow });
  }
  closeFlow(slot: number): number {
    return this.#tell({ kind: 'close-flow', slot });
  }
  hasFollowed(command: number): boolean {
    return !this.isRunning || ((Atomics.load(this.#state, FOLLOWED) - command) | 0) >= 0;
  }

  /** Once for each sign of life: a thread that shows none is ended, and another takes its place. */
  look(): void {
    const alive = Atomics.load(this.#state, ALIVE);
    this.#silentLooks = this.isRunning && alive === this.#alive ? this.#silentLooks + 1 : 0;
    this.#alive = alive;
    if (this.#silentLooks < LOOKS) return;
    this.#cause = `it gave no sign of life for ${(LOOKS * this.#options.start.lifeSignMs) / 1_000} s`;
    void this.#worker?.terminate();
  }
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelStart();
    const worker = this.#worker;
    this.#letGo();
    await worker?.terminate();
  }

  /** Without room for a folder, or for a thread, there is none for now. */
  #tryToStart(): void {
    try {
      this.#start();
    } catch (error) {
      this.#handleEnd(error instanceof Error ? error.message : String(error));
    }
  }
  #start(): void {
    const { clock, now, main, start, folder } = this.#options;
    this.#startedAt = clock.now();
    const place = new PipePlace(folder);
    const stopWaiting = DescriptorSender.await(place.path, (sender) => {
      place.remove();
      if (worker === this.#worker) this.#begin(sender);
      else sender.close();
    });
    const worker = new Worker(main, {
      name: `relay ${this.index + 1}`,
      workerData: {
        ...start,
        pipe: place.path,
        clock: { system: systemMilliseconds(), now: now() },
      } satisfies ThreadStart,
      // What it was started with is for the process, not for it.
      execArgv: [],
    });
    worker.unref();
    this.#worker = worker;
    this.#cause = 'it ended';
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#cause = error.message;
    });
    worker.on('message', ({ batch }: ThreadBatch) => this.#deliver(batch));
    worker.once('exit', () => {
      stopWaiting?.();
      place.remove();
      if (worker === this.#worker && !this.#isClosed) this.#handleEnd(this.#cause);
    });
  }

  /** It listens: sockets first, so that flows find them. */
  #begin(sender: DescriptorSender): void {
    this.#sender = sender;
    this.#commands = [];
    // What the one before has not followed is over with it. Numbers go on: some may still be asked for.
    Atomics.store(this.#state, FOLLOWED, this.#number);
    for (const socket of this.#sockets.values()) this.#give(socket);
    for (const flow of this.#options.flows()) this.openFlow(flow);
    this.#options.running();
  }

  #handleEnd(cause: string): void {
    this.#letGo();
    for (const socket of this.#sockets.values()) socket.whenPassed(() => socket.read());
    const { clock } = this.#options;
    if (clock.now() - this.#startedAt >= STEADY_MS) this.#wait = 0;
    this.#cancelStart = clock.after(this.#wait, () => this.#tryToStart());
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait === 0 ? FIRST_WAIT_MS : this.#wait * 2);
    this.#options.ended(cause);
  }
  #letGo(): void {
    this.#worker = undefined;
    this.#sender?.close();
    this.#sender = undefined;
    this.#commands = [];
    Atomics.store(this.#state, WAITING, 0);
  }

  #give(socket: PlacedSocket): void {
    const sender = this.#sender;
    if (sender === undefined) socket.read();
    else socket.give((done) => sender.pass(wordOf(socket.id, socket.side), socket.handle, done));
  }
  /** All of one turn go together. */
  #tell(command: ThreadCommand): number {
    if (!this.isRunning) return this.#number;
    if (this.#commands.length === 0) queueMicrotask(() => this.#send());
    this.#commands.push(command);
    return this.#number + 1;
  }
  #send(): void {
    const commands = this.#commands;
    if (commands.length === 0) return;
    this.#commands = [];
    this.#number = (this.#number + 1) | 0;
    this.#worker?.postMessage({ commands, last: this.#number });
  }

  #deliver(batch: ArrayBuffer): void {
    if (this.isRunning) Atomics.sub(this.#state, WAITING, batch.byteLength);
    readBatch(batch, (id, bytes, address, port) => this.#sockets.get(id)?.receiver(bytes, address, port));
  }
}

/** A folder that nobody else can enter, under a name that is short however long its path is. */
class PipePlace {
  readonly #folder: string;
  readonly #descriptor: number;
  #isRemoved = false;

  constructor(folder: string) {
    this.#folder = mkdtempSync(join(folder, 'relay-'));
    this.#descriptor = openSync(this.#folder, 'r');
  }
  /** A path of a Unix socket has at most 107 octets. */
  get path(): string {
    return `/proc/self/fd/${this.#descriptor}/thread`;
  }
  remove(): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    closeSync(this.#descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

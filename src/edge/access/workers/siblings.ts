import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { Cancel, Clock } from '#kernel';
import type { WorkerPlace } from '#platform/service';
import type { Log } from '#platform/telemetry';
import type { WorkerFrame } from './frames.ts';
import { type LinkUser, SiblingLink } from './sibling-link.ts';

export interface SiblingsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly place: WorkerPlace;
  /** Where the sockets are: a folder that nobody else may enter. */
  readonly folder: string;
  readonly user: {
    handleFrame(worker: number, frame: WorkerFrame): void;
    answer(worker: number, question: unknown): Promise<unknown>;
    /** There is a new link to the worker. */
    handleOpen(worker: number): void;
    /** There is none any more. */
    handleEnd(worker: number): void;
  };
}

/** Between two attempts to reach a worker that is not there. */
const RETRY_MS = 100;
/** Connections that have not said yet who they are. */
const MOST_STRANGERS = 64;
const HELLO_MS = 5000;

const hello = z.object({ worker: z.int().nonnegative() });

/** The path of the socket on which a worker waits for those with a higher index. */
export function workerSocket(folder: string, index: number): string {
  return join(folder, `access-worker-${index + 1}.sock`);
}

/** The links with all other workers of this service: each waits for those with a higher index, and dials the others. */
export class Siblings {
  readonly #options: SiblingsOptions;
  readonly #links = new Map<number, SiblingLink>();
  readonly #strangers = new Set<SiblingLink>();
  readonly #retries = new Map<number, Cancel>();
  readonly #arrivals = new Set<() => void>();
  #server: Server | undefined;
  #stopped = false;

  constructor(options: SiblingsOptions) {
    this.#options = options;
  }

  /** The open link with a worker. */
  link(worker: number): SiblingLink | undefined {
    return this.#links.get(worker);
  }
  /** Those with which there is one. */
  links(): SiblingLink[] {
    return [...this.#links.values()];
  }
  /** Workers that are not there. */
  missing(): number[] {
    const { index, count } = this.#options.place;
    return Array.from({ length: count }, (_, worker) => worker).filter(
      (worker) => worker !== index && !this.#links.has(worker),
    );
  }

  /** Fulfilled when there is a link with every other worker, or when waiting is over. */
  async start(waitMs: number): Promise<void> {
    const { clock, place } = this.#options;
    await this.#listen();
    for (let worker = 0; worker < place.index; worker++) this.#dial(worker);
    if (this.missing().length === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        this.#arrivals.delete(arrived);
        resolve();
      };
      const arrived = () => {
        if (this.missing().length === 0) done();
      };
      const cancel = clock.after(waitMs, done);
      this.#arrivals.add(arrived);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#retries.values()) cancel();
    for (const link of [...this.#links.values(), ...this.#strangers]) link.close();
    const server = this.#server;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  async #listen(): Promise<void> {
    const { folder, place, log } = this.#options;
    const path = workerSocket(folder, place.index);
    // Of the process that was this worker before; there is never another one beside it.
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#welcome(socket));
    this.#server = server;
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
    });
    // The file must never exist with more rights than these.
    const before = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
    await listening;
    server.on('error', (error) => log.error('the socket of the workers failed', { error }));
  }

  #welcome(socket: Socket): void {
    if (this.#strangers.size >= MOST_STRANGERS || this.#stopped) socket.destroy();
    else this.#greet(socket, undefined);
  }

  #dial(worker: number): void {
    if (this.#stopped) return;
    const { folder } = this.#options;
    const socket = connect({ path: workerSocket(folder, worker) });
    socket.once('connect', () => this.#greet(socket, worker));
    socket.once('error', () => socket.destroy());
    socket.once('close', () => this.#retry(worker));
  }
  #retry(worker: number): void {
    if (this.#stopped) return;
    this.#retries.set(
      worker,
      this.#options.clock.after(RETRY_MS, () => this.#dial(worker)),
    );
  }

  /** A link begins when the other side has said who it is. */
  #greet(socket: Socket, expected: number | undefined): void {
    const { clock, place, user } = this.#options;
    let worker: number | undefined;
    const linkUser: LinkUser = {
      handleFrame: (frame, link) => {
        if (worker !== undefined) user.handleFrame(worker, frame);
        else {
          worker = this.#identify(frame, expected);
          late();
          this.#strangers.delete(link);
          if (worker === undefined) link.close();
          else this.#adopt(worker, link);
        }
      },
      answer: (question) => (worker === undefined ? Promise.resolve(null) : user.answer(worker, question)),
      handleEnd: (link) => {
        late();
        this.#strangers.delete(link);
        if (worker !== undefined) this.#lose(worker, link);
      },
    };
    const link = new SiblingLink(socket, clock, linkUser);
    const late = clock.after(HELLO_MS, () => link.close());
    this.#strangers.add(link);
    link.send({ type: 'hello', body: { worker: place.index } });
  }

  #identify(frame: WorkerFrame, expected: number | undefined): number | undefined {
    const { index, count } = this.#options.place;
    const parsed = frame.type === 'hello' ? hello.safeParse(frame.body) : undefined;
    const worker = parsed?.data?.worker;
    if (worker === undefined || worker === index || worker >= count) return undefined;
    return expected === undefined || expected === worker ? worker : undefined;
  }

  #adopt(worker: number, link: SiblingLink): void {
    const before = this.#links.get(worker);
    if (before !== undefined) {
      this.#lose(worker, before);
      before.close();
    }
    this.#links.set(worker, link);
    this.#options.user.handleOpen(worker);
    for (const arrived of [...this.#arrivals]) arrived();
  }
  #lose(worker: number, link: SiblingLink): void {
    if (this.#links.get(worker) !== link) return;
    this.#links.delete(worker);
    this.#options.user.handleEnd(worker);
  }
}

import type { Socket } from 'node:net';
import { BoundedMap, type Cancel, type Clock } from '#kernel';
import { encodeFrame, FrameStream, type WorkerFrame } from './frames.ts';

/** What a link is told about. */
export interface LinkUser {
  handleFrame(frame: Exclude<WorkerFrame, { type: 'ask' | 'answer' }>, link: SiblingLink): void;
  /** The answer to a question; a promise that rejects gives none. */
  answer(question: unknown): Promise<unknown>;
  handleEnd(link: SiblingLink): void;
}

/** Octets that may wait for a worker that does not read; beyond them it gets no new requests. */
const BUSY_BYTES = 16 * 1024 * 1024;
/** And beyond these none of partners: one that floods must not use up what waits for the next hop's messages. */
const PARTNERS_BYTES = BUSY_BYTES / 4;
/** Beyond these it is as good as dead. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_QUESTIONS = 4096;
const ANSWER_MS = 2000;

interface Asked {
  readonly resolve: (answer: unknown) => void;
  readonly cancel: Cancel;
}

/** The connection with one other worker: frames both ways, and questions with their answers. Bounded in every respect. */
export class SiblingLink {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #user: LinkUser;
  readonly #stream = new FrameStream();
  readonly #asked = new BoundedMap<number, Asked>(MOST_QUESTIONS);
  #questions = 0;
  #corked = false;
  #open = true;

  constructor(socket: Socket, clock: Clock, user: LinkUser) {
    this.#socket = socket;
    this.#clock = clock;
    this.#user = user;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#end());
  }

  get open(): boolean {
    return this.#open;
  }
  /** The other worker reads more slowly than there is to tell: nothing new for it. */
  get busy(): boolean {
    return this.#socket.writableLength > BUSY_BYTES;
  }

  /** The same for what comes from outside. */
  get busyForPartners(): boolean {
    return this.#socket.writableLength > PARTNERS_BYTES;
  }

  send(frame: WorkerFrame): void {
    if (!this.#open) return;
    // What is said in one turn of the event loop leaves as one write.
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    for (const part of encodeFrame(frame)) this.#socket.write(part);
    if (this.#socket.writableLength > MOST_BYTES) this.#socket.destroy();
  }

  /** Undefined when there is no answer in time, or nobody to answer. */
  ask(question: unknown, longestMs = ANSWER_MS): Promise<unknown> {
    this.#questions += 1;
    const number = this.#questions;
    if (!this.#open || this.#asked.full) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(longestMs, () => this.#settle(number, undefined));
      this.#asked.set(number, { resolve, cancel });
      this.send({ type: 'ask', number, body: question });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const frames = this.#stream.push(chunk);
    for (const frame of frames ?? []) if (this.#open) this.#handle(frame);
    if (frames === undefined) this.#socket.destroy();
  }
  #handle(frame: WorkerFrame): void {
    if (frame.type === 'answer') this.#settle(frame.number, frame.body);
    else if (frame.type === 'ask') void this.#answer(frame.number, frame.body);
    else this.#user.handleFrame(frame, this);
  }
  async #answer(number: number, question: unknown): Promise<void> {
    const body = await this.#user.answer(question).catch(() => null);
    this.send({ type: 'answer', number, body });
  }
  #settle(number: number, answer: unknown): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#asked.delete(number);
    asked.cancel();
    asked.resolve(answer ?? undefined);
  }
  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const number of [...this.#asked.keys()]) this.#settle(number, undefined);
    this.#user.handleEnd(this);
  }
}

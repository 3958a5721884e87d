import type { Readable } from 'node:stream';
import type { Cancel, Clock } from '#kernel';
import type { Connection } from '#platform/net';
import { type RequestHead, readHead, type UpgradeRefusal } from '#platform/web-socket';
import { Patience } from './patience.ts';

/** What a request is answered with. */
export interface Answer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable;
  /** Octets of the body. */
  readonly length: number;
  /** The connection is ended behind it. */
  readonly close?: boolean;
}

export interface HttpSessionOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  /** Octets of a head. */
  readonly headBytes: number;
  /** From the first octet of a head to its last, milliseconds. */
  readonly headMs: number;
  readonly answer: (request: RequestHead) => Promise<Answer>;
  /** `answer` threw, which is a fault of ours: this goes out in its place. */
  readonly failed: (problem: unknown) => Answer;
  /** Whether a request is for something other than HTTP; then `takeOver` has the connection, with all that it said. */
  readonly isUpgrade: (request: RequestHead) => boolean;
  readonly takeOver: (bytes: Buffer) => void;
  /** What could not be read gets this answer, and the end. */
  readonly refuse: (reason: UpgradeRefusal) => Answer;
}

/** Between requests, and before the first. Milliseconds. */
const IDLE_MS = 30_000;
const PIECE_BYTES = 64 * 1024;

/**
 * One connection on which requests without bodies are answered one after another (RFC 9112). That none may have a body, and that
 * heads are read strictly, leaves nobody room to smuggle one request in another.
 */
export class HttpSession {
  readonly #options: HttpSessionOptions;
  #bytes: Buffer = Buffer.alloc(0);
  #busy = false;
  #over = false;
  #late: Cancel | undefined;
  #wake: (() => void) | undefined;
  /** Where the answer under way is read from. */
  #source: Readable | undefined;
  readonly #patience = new Patience();
  /** Octets of the connection when it was last waited for. */
  #sent = 0;

  constructor(options: HttpSessionOptions) {
    this.#options = options;
    const { connection } = options;
    connection.idleMs = IDLE_MS;
    connection.onDrain = () => this.#wake?.();
    connection.onClose = () => this.#finish();
    connection.onData = (chunk) => this.#handleData(chunk);
  }

  #handleData(chunk: Buffer): void {
    if (this.#over) return;
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const { connection, headBytes } = this.#options;
    if (!this.#busy) this.#next();
    else if (this.#bytes.length > PIECE_BYTES + headBytes) connection.destroy('limit');
    // While an answer is on its way it is read on, since a client that leaves is not seen otherwise; not for more requests, though.
    else if (this.#bytes.length > headBytes) connection.pause();
  }
  #next(): void {
    if (this.#bytes.length === 0) return;
    const { headBytes, headMs, clock, connection, isUpgrade, takeOver } = this.#options;
    const head = readHead(this.#bytes, headBytes);
    if (!head.ok) {
      this.#refuse(head.error);
      return;
    }
    if (head.value === undefined) {
      this.#late ??= clock.after(headMs, () => this.#refuse('head-late'));
      return;
    }
    this.#late?.();
    this.#late = undefined;
    if (isUpgrade(head.value)) {
      this.#finish();
      connection.onDrain = () => {};
      takeOver(this.#bytes);
      return;
    }
    this.#bytes = head.value.rest;
    this.#busy = true;
    connection.idleMs = 0;
    void this.#serve(head.value);
  }
  async #serve(request: RequestHead): Promise<void> {
    const { connection } = this.#options;
    const reply = await this.#answer(request);
    const closes = reply.close === true || /\bclose\b/i.test(request.headers.connection ?? '');
    const whole = await this.#send(reply, request.method === 'HEAD', closes);
    if (this.#over) return;
    // What is there of a body that broke off still arrives; that it is not whole, its length tells.
    if (!whole || closes) connection.end();
    else {
      this.#busy = false;
      connection.idleMs = IDLE_MS;
      connection.resume();
      this.#next();
    }
  }
  async #answer(request: RequestHead): Promise<Answer> {
    const { answer, failed } = this.#options;
    try {
      return await answer(request);
    } catch (problem) {
      return failed(problem);
    }
  }
  #refuse(reason: UpgradeRefusal): void {
    if (this.#over || this.#busy) return;
    this.#busy = true;
    void this.#send(this.#options.refuse(reason), false, true).then(() => this.#options.connection.end());
  }

  /** False when the body ended early, or the client left: what was said of its length does not hold then. */
  async #send(
    { status, headers, body, length }: Answer,
    headOnly: boolean,
    closes: boolean,
  ): Promise<boolean> {
    const lines = Object.entries({
      Date: new Date(this.#options.clock.wall()).toUTCString(),
      'Content-Length': String(length),
      ...headers,
      ...(closes ? { Connection: 'close' } : {}),
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    let left = headOnly ? 0 : length;
    const head = Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`, 'latin1');
    this.#source = Buffer.isBuffer(body) ? undefined : body;
    if (!(await this.#write(head)) || headOnly) {
      this.#source?.destroy();
      return headOnly;
    }
    try {
      for await (const chunk of Buffer.isBuffer(body) ? pieces(body) : body) {
        left -= (chunk as Buffer).length;
        if (left < 0 || !(await this.#write(chunk as Buffer))) return false;
      }
    } catch {
      return false; // the file's source broke off
    }
    return left === 0;
  }
  async #write(bytes: Buffer): Promise<boolean> {
    const { connection, clock } = this.#options;
    if (this.#over) return false;
    if (connection.write(bytes) || connection.closed) return !connection.closed;
    const since = clock.now();
    const stalled = clock.after(this.#patience.leftMs, () => connection.destroy('timeout'));
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    stalled();
    this.#patience.use(clock.now() - since, connection.bytesSent - this.#sent);
    this.#sent = connection.bytesSent;
    return !this.#over;
  }
  #finish(): void {
    this.#over = true;
    this.#late?.();
    this.#wake?.();
    // It may be waited for, and has a place at whoever gives it.
    this.#source?.destroy();
  }
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}

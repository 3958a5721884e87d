import { Duplex } from 'node:stream';
import type { Connection } from './connection.ts';

const PIECE_BYTES = 65_536;

/**
 * A connection as a stream of the runtime, for what asks for one (HTTP). It takes the connection over: its `onData`,
 * `onDrain` and `onClose`. Both directions wait for one another's pace; nothing is kept but what a stream buffers.
 */
export class ConnectionStream extends Duplex {
  readonly connection: Connection;
  #waiting: (() => void) | undefined;

  constructor(connection: Connection) {
    super({ allowHalfOpen: false, decodeStrings: true });
    this.connection = connection;
    connection.onData = (chunk) => {
      if (!this.push(chunk)) connection.pause();
    };
    connection.onDrain = () => this.#goOn();
    connection.onClose = (reason) => {
      this.#goOn();
      if (reason === 'peer-closed' || reason === 'local') {
        this.push(null);
        // Half of a closed connection is of no use to anybody.
        setImmediate(() => this.destroy());
      } else {
        this.destroy(new Error(`connection closed: ${reason}`));
      }
    };
  }
  // HTTP sets these on sockets; the connection has its own ways.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    if (!this.connection.closed) this.connection.resume();
  }
  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(chunk, 0, done);
  }
  /** In pieces, so that one long chunk does not look like a peer that reads too slowly. */
  #send(chunk: Buffer, from: number, done: (error?: Error | null) => void): void {
    for (let at = from; at < chunk.length; at += PIECE_BYTES) {
      if (this.connection.closed) return done(new Error('connection closed'));
      if (this.connection.write(chunk.subarray(at, at + PIECE_BYTES))) continue;
      this.#waiting = () => this.#send(chunk, at + PIECE_BYTES, done);
      return;
    }
    done();
  }
  override _final(done: (error?: Error | null) => void): void {
    this.connection.end();
    done();
  }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.connection.closed) this.connection.destroy('local');
    done(error);
  }
  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
}

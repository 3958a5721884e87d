import { Duplex } from 'node:stream';
import type { CloseReason, Connection } from '#platform/net';

/** A Connection as the runtime's kind of stream, which the WebSocket library reads and writes. */
export class ConnectionStream extends Duplex {
  readonly #connection: Connection;
  /** What the library does not know: why it is closed from our side. */
  closing: CloseReason = 'local';

  constructor(connection: Connection, closed: (reason: CloseReason) => void) {
    super({ allowHalfOpen: false, emitClose: true });
    this.#connection = connection;
    connection.onData = (chunk) => {
      if (!this.push(chunk)) connection.pause();
    };
    connection.onClose = (reason) => {
      closed(reason);
      this.destroy();
    };
  }

  override _read(): void {
    this.#connection.resume();
  }
  /** The connection bounds what is queued, and ends a peer that does not read: nothing waits here. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#connection.write(chunk);
    done();
  }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    // Head and payload of a frame: one write, one TLS record.
    this.#connection.write(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }
  override _final(done: () => void): void {
    this.#connection.end();
    done();
  }
  override _destroy(_problem: Error | null, done: (problem?: Error | null) => void): void {
    this.#connection.destroy(this.closing);
    // What went wrong is told by the connection's own reason.
    done(null);
  }
}

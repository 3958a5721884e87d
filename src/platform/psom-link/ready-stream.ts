import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * A socket that takes whatever is written at once. The runtime's HTTP/2 reads nothing while a write of its own waits for the
 * system: when both directions of a link are full, both ends wait so for one another, and for ever. Where one end has this in
 * between, that one always reads, so that the other's writes always end, and the other reads again.
 *
 * What waits is bounded by the windows of HTTP/2, which count what is sent and not read; beyond `most` bytes, which no
 * window allows, the socket is destroyed.
 */
export class ReadyStream extends Duplex {
  readonly #socket: Socket;
  readonly #most: number;

  constructor(socket: Socket, most: number) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#most = most;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once('end', () => this.push(null));
    socket.once('error', (problem) => this.destroy(problem));
    socket.once('close', () => this.destroy());
    this.on('error', () => {});
  }

  override _read(): void {
    this.#socket.resume();
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#socket.write(chunk);
    this.#took(done);
  }
  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.#socket.cork();
    for (const { chunk } of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    this.#took(done);
  }
  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }
  override _destroy(problem: Error | null, done: (problem: Error | null) => void): void {
    this.#socket.destroySoon();
    done(problem);
  }
  #took(done: () => void): void {
    if (this.#socket.writableLength > this.#most) this.destroy();
    else done();
  }
}

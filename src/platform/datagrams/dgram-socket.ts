import type { RemoteInfo, Socket } from 'node:dgram';
import { BoundSocket, type SharedByNetwork } from './bound-socket.ts';
import type { DatagramEndpoint, DatagramReceiver, SendRefusal } from './datagrams.ts';

/** Sends not yet reported done before the queue itself is measured: most are done within one turn. */
const UNMEASURED_SENDS = 128;

/** A socket by the documented interface of node:dgram, for runtimes that hide what `DirectSocket` stands on. */
export class DgramSocket extends BoundSocket {
  readonly #socket: Socket;
  readonly #onSent: (error: Error | null, bytes: number) => void;
  #unreported = 0;

  constructor(socket: Socket, local: DatagramEndpoint, receiver: DatagramReceiver, shared: SharedByNetwork) {
    super(local, shared);
    this.#socket = socket;
    const { counters } = shared;
    this.#onSent = (error: NodeJS.ErrnoException | null, bytes) => {
      this.#unreported -= 1;
      if (error === null) {
        counters.sent += 1;
        counters.sentBytes += bytes;
      } else this.count(error.code);
    };
    socket.on('message', (bytes: Buffer, remote: RemoteInfo) => {
      counters.received += 1;
      counters.receivedBytes += bytes.length;
      receiver(bytes, remote.address, remote.port);
    });
  }

  override send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined {
    const { queuedBytes } = this.shared;
    if (this.isClosed) return 'closed';
    if (this.#unreported >= UNMEASURED_SENDS && this.#socket.getSendQueueSize() >= queuedBytes)
      return this.refuseFull();
    if (!this.isAnswerable(port)) return undefined;
    this.#unreported += 1;
    this.#socket.send(bytes, start, end - start, port, address, this.#onSent);
    return undefined;
  }

  protected override release(done: () => void): void {
    closeSocket(this.#socket, done);
  }
}

/** Closes a socket; `done` when its descriptor is gone. */
export function closeSocket(socket: Socket, done: () => void): void {
  socket.removeAllListeners('message');
  socket.close(done);
}

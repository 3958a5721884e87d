import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface Place {
  readonly address: string;
  readonly port: number;
}

/** A network between two hosts that can be cut: connections break, and new ones are refused until it is mended. */
export class SeverableWire {
  readonly #from: Place;
  readonly #to: Place;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** Connections that have come through. */
  passed = 0;

  constructor(from: Place, to: Place) {
    this.#from = from;
    this.#to = to;
  }

  async mend(): Promise<void> {
    const server = createServer((near) => this.#join(near, connect(this.#to.port, this.#to.address)));
    server.listen(this.#from.port, this.#from.address);
    await once(server, 'listening');
    this.#server = server;
  }
  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    this.passed += 1;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

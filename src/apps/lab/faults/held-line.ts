import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { literalLookup } from '#kernel';

/**
 * A TCP line to one port, beside it on the same address. Octets of the one who dials wait before each piece until `before`
 * has looked at the world; nothing is changed.
 */
export class HeldLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open: Promise<void> = Promise.resolve();

  private constructor(server: Server) {
    this.#server = server;
  }
  static async open(address: string, port: number, before: () => Promise<void>): Promise<HeldLine> {
    const server = createServer((inner) => {
      const outer = connect({ host: address, port, localAddress: address, lookup: literalLookup });
      for (const socket of [inner, outer]) {
        line.#sockets.add(socket);
        socket.on('error', () => {}).on('close', () => line.#sockets.delete(socket));
      }
      outer.on('close', () => inner.destroy());
      outer.pipe(inner);
      void line.#carry(inner, outer, before);
    });
    const line = new HeldLine(server);
    await once(server.listen(0, address), 'listening');
    return line;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  /** No piece passes while `work` is under way. */
  async holding(work: () => Promise<void>): Promise<void> {
    const done = work();
    this.#open = done.catch(() => {});
    await done;
  }
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #carry(inner: Socket, outer: Socket, before: () => Promise<void>): Promise<void> {
    try {
      for await (const piece of inner) {
        await this.#open;
        await before();
        outer.write(piece as Buffer);
      }
    } catch {
      // Whoever dialled has gone; so does the other end.
    }
    outer.destroy();
  }
}

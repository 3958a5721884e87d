import { connect, createServer, type Server, type Socket } from 'node:net';

interface End {
  readonly address: string;
  readonly port: number;
}

/** A line to a server that can be cut: a place of its own, from which bytes are passed on as long as it is whole. */
export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** While false, everything is dropped and nothing comes in. */
  whole = true;

  private constructor(to: End) {
    this.#server = createServer((near) => {
      if (!this.whole) return near.destroy();
      const far = connect(to.port, to.address);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
      return undefined;
    });
  }
  static async open(at: string, to: End): Promise<Line> {
    const line = new Line(to);
    await new Promise<void>((resolve) => line.#server.listen(to.port, at, resolve));
    return line;
  }
  cut(): void {
    this.whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }
  close(): void {
    this.cut();
    this.#server.close();
  }
}

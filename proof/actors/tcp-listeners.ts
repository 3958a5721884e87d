import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** TCP ports that listen where nothing should: the proof has to find them. */
export class TcpListeners {
  readonly #servers: Server[] = [];

  async listen({ address, port }: { address: string; port: number }): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    server.listen({ host: address, port, exclusive: true });
    await once(server, 'listening');
    this.#servers.push(server);
  }
  close(_: Record<string, never>): void {
    for (const server of this.#servers.splice(0)) server.close();
  }
}

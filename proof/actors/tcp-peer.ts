import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { textOf } from './tcp-relay-actor.ts';

/** Who connected to a TCP peer. */
export interface Caller {
  readonly address: string;
  readonly port: number;
}

interface Peer {
  readonly server: Server;
  readonly callers: Caller[];
}

/** Ordinary TCP peers, by their address and port, which say what they hear back to whom they have it from. */
export class TcpPeer {
  readonly #peers = new Map<string, Peer>();

  /** Listens on a free port; gives it. */
  async open({ address }: { address: string }): Promise<number> {
    const callers: Caller[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      callers.push({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
      socket.pipe(socket);
      socket.on('error', () => {});
    });
    server.listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    this.#peers.set(`${address} ${port}`, { server, callers });
    return port;
  }
  callers({ address, port }: Caller): readonly Caller[] {
    return this.#of(address, port).callers;
  }
  close({ address, port }: Caller): void {
    this.#of(address, port).server.close();
    this.#peers.delete(`${address} ${port}`);
  }
  /** Connects from an address, says something, and gives what is said back. */
  async dial(order: { from: string; to: string; toPort: number; text: string }): Promise<string> {
    const { from, to, toPort, text } = order;
    const socket = connect({ host: to, port: toPort, localAddress: from, allowHalfOpen: true });
    await once(socket, 'connect');
    socket.end(text);
    return textOf(socket);
  }

  #of(address: string, port: number): Peer {
    const found = this.#peers.get(`${address} ${port}`);
    if (found === undefined) throw new Error(`nobody listens on ${address} port ${port}`);
    return found;
  }
}

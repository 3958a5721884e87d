import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** Whom a UDP peer heard from, and how often. */
export interface Heard {
  readonly address: string;
  readonly port: number;
  readonly datagrams: number;
}

interface Peer {
  readonly socket: Socket;
  readonly heard: Map<string, Heard>;
}

/** Ordinary UDP sockets by their port's owner's address, which answer what they get when told to. */
export class UdpPeer {
  readonly #peers = new Map<string, Peer>();

  /** Binds a port; gives it. With `echo`, what arrives goes back. */
  async open({
    address,
    port = 0,
    echo,
  }: {
    address: string;
    port?: number;
    echo: boolean;
  }): Promise<number> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const heard = new Map<string, Heard>();
    socket.on('message', (bytes, from) => {
      const key = `${from.address} ${from.port}`;
      const datagrams = (heard.get(key)?.datagrams ?? 0) + 1;
      heard.set(key, { address: from.address, port: from.port, datagrams });
      if (echo) socket.send(bytes, from.port, from.address);
    });
    socket.bind({ address, port });
    await once(socket, 'listening');
    const bound = socket.address().port;
    this.#peers.set(`${address} ${bound}`, { socket, heard });
    return bound;
  }
  send({
    from,
    port,
    to,
    toPort,
    text,
  }: {
    from: string;
    port: number;
    to: string;
    toPort: number;
    text: string;
  }) {
    this.#of(from, port).socket.send(text, toPort, to);
  }
  heard({ address, port }: { address: string; port: number }): Heard[] {
    return [...this.#of(address, port).heard.values()];
  }
  close({ address, port }: { address: string; port: number }): void {
    this.#of(address, port).socket.close();
    this.#peers.delete(`${address} ${port}`);
  }

  #of(address: string, port: number): Peer {
    const found = this.#peers.get(`${address} ${port}`);
    if (found === undefined) throw new Error(`nothing is bound to ${address} port ${port}`);
    return found;
  }
}

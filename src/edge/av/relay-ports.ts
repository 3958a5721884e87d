import { BoundSocket, connect, createServer, type Server, Socket } from 'node:net';
import { literalLookup } from '#kernel';
import type { PeerConnection, Relay } from '#protocols/turn';

/** Connections that wait in the kernel for one relayed address. */
const BACKLOG = 128;
const KEEP_ALIVE_MS = 60_000;

/** A peer outside has connected; the socket is read by nobody yet. */
export type TakePeer = (relay: Relay, socket: Socket) => void;

/** The TCP ports of relayed addresses: those that listen (port row ext-11), and the sockets that leave from them. */
export class RelayPorts {
  readonly #take: TakePeer;
  /** By Relay.id. */
  readonly #servers = new Map<number, Server>();

  constructor(take: TakePeer) {
    this.#take = take;
  }

  /** Listening right now. */
  get listening(): number {
    return this.#servers.size;
  }

  listen(relay: Relay, outcome: (problem: Error | undefined) => void): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {});
      this.#take(relay, socket);
    });
    this.#servers.set(relay.id, server);
    const place = { host: relay.address, port: relay.port, exclusive: true, reusePort: true };
    let isListening = false;
    server.on('error', (problem) => {
      // Once it listens, a connection that could not be taken (no descriptor left) is its peer's trouble alone.
      if (isListening) return;
      this.#servers.delete(relay.id);
      outcome(problem);
    });
    server.listen({ ...place, backlog: BACKLOG }, () => {
      isListening = true;
      outcome(undefined);
    });
  }

  /** A socket on its way to where the connection is to go. */
  dial({ relay, dial }: PeerConnection): Socket {
    const { address, port, localPort } = dial;
    const more = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const isShared = localPort === relay.port && this.#servers.has(relay.id);
    if (!isShared) {
      const from = { localAddress: relay.address, localPort, allowHalfOpen: true };
      return connect({ host: address, port, lookup: literalLookup, ...from, ...more });
    }
    // Beside the listener, which has said as well that the port may be shared.
    const handle = new BoundSocket({ host: relay.address, port: localPort, reusePort: true });
    const socket = new Socket({ handle, allowHalfOpen: true, ...more });
    return socket.connect({ host: address, port, lookup: literalLookup });
  }

  /** Nobody can connect to the relayed address any more; who has stays. */
  close(relay: Relay): void {
    this.#servers.get(relay.id)?.close();
    this.#servers.delete(relay.id);
  }
  closeAll(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }
}

import type { DatagramEndpoint, DatagramSocket, SendRefusal } from '../datagrams.ts';
import { PlacedSocket } from './placed-socket.ts';
import type { RelayThread } from './relay-thread-keeper.ts';

/** The sockets of one listener, one in each thread, as one. */
export class SharedListener implements DatagramSocket {
  readonly local: DatagramEndpoint;
  readonly #shares: readonly DatagramSocket[];
  readonly #first: DatagramSocket;

  constructor(shares: readonly DatagramSocket[]) {
    const [first] = shares;
    if (first === undefined) throw new RangeError('no sockets');
    this.#shares = shares;
    this.#first = first;
    this.local = first.local;
  }
  shareOf(thread: RelayThread): DatagramSocket | undefined {
    return this.#shares.find((share) => share instanceof PlacedSocket && share.thread === thread);
  }
  /** To a client it is all the same by which of them a datagram leaves: they have one address. */
  send(
    bytes: Uint8Array,
    start: number,
    end: number,
    address: string,
    port: number,
  ): SendRefusal | undefined {
    return this.#first.send(bytes, start, end, address, port);
  }
  close(): void {
    for (const share of this.#shares) share.close();
  }
}

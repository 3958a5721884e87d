import type { Socket } from 'node:net';
import type { Clock } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';
import { type PeerConnection, TUNNEL_ANSWER_BYTES } from '#protocols/turn';
import { Gate } from './gate.ts';
import { joinLegs, type Leg, socketLeg, streamLeg } from './legs.ts';
import { StreamClient } from './stream-client.ts';

export interface PeerLegsOptions {
  readonly clock: Clock;
  /** A socket on its way to where `connection.dial` says. */
  dial(connection: PeerConnection): Socket;
  connected(connection: PeerConnection): void;
  /** Another edge has answered; whether the stream begins. */
  answered(connection: PeerConnection, answer: Uint8Array): boolean;
  closed(connection: PeerConnection): void;
  /** Of a connection that is carried in messages; milliseconds for which nothing more is to be read from the peer. */
  arrived(connection: PeerConnection, chunk: Buffer): number;
  /** Counts octets; milliseconds for which their source has to wait. */
  streamed(connection: PeerConnection, direction: 'sent' | 'received', octets: number): number;
}

/** The sockets of RFC 6062: connections with peers, and the clients' connections that are joined with them. */
export class PeerLegs {
  readonly #options: PeerLegsOptions;
  /** By PeerConnection.id: the leg towards the peer, and towards the client. */
  readonly #peers = new Map<number, Leg>();
  readonly #clients = new Map<number, Leg>();
  /** Clients that wait since the peer takes no more, by PeerConnection.id: the way back. */
  readonly #held = new Map<number, () => void>();

  constructor(options: PeerLegsOptions) {
    this.#options = options;
  }

  /** Sockets and joined connections right now. */
  get open(): number {
    return this.#peers.size + this.#clients.size;
  }

  connect(connection: PeerConnection): void {
    const socket = this.#options.dial(connection);
    const leg = socketLeg(socket, () => this.#options.closed(connection));
    this.#peers.set(connection.id, leg);
    socket.once('connect', () => {
      const { opening } = connection.dial;
      if (opening === undefined) {
        this.#options.connected(connection);
        this.#carry(connection, leg);
      } else this.#negotiate(connection, socket, leg, opening);
    });
  }

  /** A peer has connected to the relayed address. */
  accept(connection: PeerConnection, socket: Socket): void {
    const leg = socketLeg(socket, () => this.#options.closed(connection));
    this.#peers.set(connection.id, leg);
    this.#carry(connection, leg);
  }

  /** Another edge has, by way of the tunnel; its opening was read, and `rest` behind it. */
  adopt(connection: PeerConnection, stream: HalfOpenConnection, rest: Buffer): void {
    stream.onClose = () => this.#options.closed(connection);
    const leg = streamLeg(stream, rest, (told) => {
      stream.onClose = told;
    });
    this.#peers.set(connection.id, leg);
    this.#carry(connection, leg);
  }

  /** The client's connection is the stream's from its next octet on. */
  bind(connection: PeerConnection, client: StreamClient): void {
    client.handOver((stream, rest, onClosed) => {
      onClosed(() => this.#options.closed(connection));
      const leg = streamLeg(stream, rest, onClosed);
      if (connection.state === 'closed') {
        leg.destroy();
        return;
      }
      this.#clients.set(connection.id, leg);
      const { twin } = connection;
      const other = twin === undefined ? this.#peers.get(connection.id) : this.#clients.get(twin.id);
      if (other !== undefined) this.#join(connection, leg, other);
    });
  }

  /** What a client has said in messages. While the peer takes no more, nothing is read from the client. */
  write({ id, allocation }: PeerConnection, bytes: Buffer): void {
    const leg = this.#peers.get(id);
    if (leg === undefined || leg.write(bytes) || this.#held.has(id)) return;
    if (allocation.listener instanceof StreamClient) this.#held.set(id, allocation.listener.hold());
  }

  close({ id }: PeerConnection): void {
    this.#letGo(id);
    const legs = [this.#peers.get(id), this.#clients.get(id)];
    this.#peers.delete(id);
    this.#clients.delete(id);
    for (const leg of legs) leg?.destroy();
  }

  /** Says the opening, and begins once the other edge has taken it. */
  #negotiate(connection: PeerConnection, socket: Socket, leg: Leg, opening: Uint8Array): void {
    let answer: Buffer = Buffer.alloc(0);
    const isOver = () => leg.destroy();
    const read = (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < TUNNEL_ANSWER_BYTES) return;
      socket.off('data', read);
      socket.off('end', lost);
      socket.pause();
      if (answer.length > TUNNEL_ANSWER_BYTES) socket.unshift(answer.subarray(TUNNEL_ANSWER_BYTES));
      if (!this.#options.answered(connection, answer.subarray(0, TUNNEL_ANSWER_BYTES))) isOver();
      else this.#carry(connection, leg);
    };
    const lost = () => {
      isOver();
      this.#options.closed(connection);
    };
    socket.on('data', read);
    socket.once('end', lost);
    socket.write(opening);
  }

  /** A client of the Microsoft dialect: what the peer says goes into messages, at the client's pace and the bandwidth's. */
  #carry(connection: PeerConnection, leg: Leg): void {
    const { listener } = connection.allocation;
    if (!connection.isCarried || connection.state !== 'bound' || !(listener instanceof StreamClient)) return;
    const gate = new Gate(leg);
    const over = () => this.#options.closed(connection);
    leg.start({
      data: (chunk) => {
        const wait = this.#options.arrived(connection, chunk);
        if (wait > 0) this.#options.clock.after(wait, gate.hold());
        if (listener.isFull) listener.whenDrained(gate.hold());
      },
      // The dialect has no way to say that one direction has ended.
      end: over,
      drain: () => this.#letGo(connection.id),
      closed: over,
    });
  }
  #letGo(id: number): void {
    this.#held.get(id)?.();
    this.#held.delete(id);
  }

  #join(connection: PeerConnection, client: Leg, peer: Leg): void {
    const { twin } = connection;
    const { streamed } = this.#options;
    const charge = (own: 'sent' | 'received', others: 'sent' | 'received') => (octets: number) => {
      const wait = streamed(connection, own, octets);
      return twin === undefined ? wait : Math.max(wait, streamed(twin, others, octets));
    };
    joinLegs(client, peer, {
      clock: this.#options.clock,
      outward: charge('sent', 'received'),
      inward: charge('received', 'sent'),
      over: () => this.#options.closed(connection),
    });
  }
}

import { connect } from 'node:net';
import type { Clock } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';
import type { PeerConnection } from '#protocols/turn';
import type { StreamClient } from './stream-client.ts';

/** One end of a relayed TCP stream, as far as joining needs it. Nothing is read from it before `start`. */
interface Leg {
  start(handlers: LegHandlers): void;
  /** False when the other side should stop until it drains. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** No more will be written. */
  finish(): void;
  destroy(): void;
}

interface LegHandlers {
  data(chunk: Buffer): void;
  end(): void;
  drain(): void;
  closed(): void;
}

export interface PeerLegsOptions {
  readonly clock: Clock;
  connected(connection: PeerConnection): void;
  closed(connection: PeerConnection): void;
  /** Counts octets; milliseconds for which their source has to wait. */
  streamed(connection: PeerConnection, direction: 'sent' | 'received', octets: number): number;
}

/** The sockets of RFC 6062: connections to peers, and the clients' connections that are joined with them. */
export class PeerLegs {
  readonly #options: PeerLegsOptions;
  /** By PeerConnection.id: the leg towards the peer, and towards the client. */
  readonly #peers = new Map<number, Leg>();
  readonly #clients = new Map<number, Leg>();

  constructor(options: PeerLegsOptions) {
    this.#options = options;
  }

  /** Sockets and joined connections right now. */
  get open(): number {
    return this.#peers.size + this.#clients.size;
  }

  connect(connection: PeerConnection): void {
    const { relay, address, port } = connection;
    const socket = connect({
      host: address,
      port,
      localAddress: relay.address,
      localPort: relay.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    let handlers: LegHandlers | undefined;
    socket.once('connect', () => this.#options.connected(connection));
    socket.on('error', () => {});
    socket.on('close', () => {
      handlers?.closed();
      this.#options.closed(connection);
    });
    this.#peers.set(connection.id, {
      start: (given) => {
        handlers = given;
        socket.on('data', (chunk: Buffer) => given.data(chunk));
        socket.on('end', () => given.end());
        socket.on('drain', () => given.drain());
      },
      write: (bytes) => socket.write(bytes),
      pause: () => void socket.pause(),
      resume: () => void socket.resume(),
      finish: () => void socket.end(),
      destroy: () => void socket.destroy(),
    });
  }

  /** The client's connection is the stream's from its next octet on. */
  bind(connection: PeerConnection, client: StreamClient): void {
    client.handOver((stream, rest, onClosed) => {
      const leg = clientLeg(stream, rest, onClosed);
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

  close({ id }: PeerConnection): void {
    this.#peers.get(id)?.destroy();
    this.#clients.get(id)?.destroy();
    this.#peers.delete(id);
    this.#clients.delete(id);
  }

  #join(connection: PeerConnection, client: Leg, peer: Leg): void {
    const { twin } = connection;
    const sent = (octets: number) => {
      const wait = this.#options.streamed(connection, 'sent', octets);
      return twin === undefined ? wait : Math.max(wait, this.#options.streamed(twin, 'received', octets));
    };
    const received = (octets: number) => {
      const wait = this.#options.streamed(connection, 'received', octets);
      return twin === undefined ? wait : Math.max(wait, this.#options.streamed(twin, 'sent', octets));
    };
    const ends = new Ends(() => this.#options.closed(connection));
    const outward = new Pump(client, peer, sent, this.#options.clock, ends);
    const inward = new Pump(peer, client, received, this.#options.clock, ends);
    client.start(outward.handlers(inward));
    peer.start(inward.handlers(outward));
  }
}

/** The stream is over when both sides are. */
class Ends {
  readonly #over: () => void;
  #finished = 0;

  constructor(over: () => void) {
    this.#over = over;
  }
  /** One direction was brought to its end. */
  finished(): void {
    this.#finished += 1;
  }
  /** One side is gone: in order only when both directions had ended. The other may still take what waits for it. */
  closed(): void {
    if (this.#finished < 2) this.#over();
  }
}

/** One direction: what is read goes out, and nothing is read while it cannot, or while the bandwidth is used up. */
class Pump {
  readonly #from: Leg;
  readonly #to: Leg;
  readonly #charge: (octets: number) => number;
  readonly #clock: Clock;
  readonly #ends: Ends;
  #blocked = false;
  #pacing = false;

  constructor(from: Leg, to: Leg, charge: (octets: number) => number, clock: Clock, ends: Ends) {
    this.#from = from;
    this.#to = to;
    this.#charge = charge;
    this.#clock = clock;
    this.#ends = ends;
  }
  /** What `from` tells: its data are ours, its drain is the other direction's. */
  handlers(other: Pump): LegHandlers {
    return {
      data: (chunk) => this.#take(chunk),
      end: () => {
        this.#ends.finished();
        this.#to.finish();
      },
      drain: () => other.unblock(),
      closed: () => this.#ends.closed(),
    };
  }
  unblock(): void {
    this.#blocked = false;
    this.#goOn();
  }
  #take(chunk: Buffer): void {
    const wait = this.#charge(chunk.length);
    if (!this.#to.write(chunk)) this.#blocked = true;
    if (wait > 0) {
      this.#pacing = true;
      this.#clock.after(wait, () => {
        this.#pacing = false;
        this.#goOn();
      });
    }
    if (this.#blocked || this.#pacing) this.#from.pause();
  }
  #goOn(): void {
    if (!this.#blocked && !this.#pacing) this.#from.resume();
  }
}

function clientLeg(stream: HalfOpenConnection, rest: Buffer, onClosed: (told: () => void) => void): Leg {
  // Until the other side is there nothing is read: the client's data wait in the network.
  stream.pause();
  return {
    start: (handlers) => {
      stream.onEnd = () => handlers.end();
      stream.onDrain = () => handlers.drain();
      stream.onData = (chunk) => handlers.data(chunk);
      onClosed(() => handlers.closed());
      if (rest.length > 0) handlers.data(rest);
      stream.resume();
    },
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    finish: () => stream.finish(),
    destroy: () => stream.destroy('local'),
  };
}

import type { Socket } from 'node:net';
import type { Clock } from '#kernel';
import type { HalfOpenConnection } from '#platform/net';

/** One end of a relayed TCP stream, as far as joining needs it. Nothing is read from it before `start`. */
export interface Leg {
  start(handlers: LegHandlers): void;
  /** False when the other side should stop until it drains. */
  write(bytes: Uint8Array): boolean;
  pause(): void;
  resume(): void;
  /** No more will be written. */
  finish(): void;
  /** Its end is not told to anybody any more, but for the handlers that it was started with. */
  destroy(): void;
}

export interface LegHandlers {
  data(chunk: Buffer): void;
  end(): void;
  drain(): void;
  closed(): void;
}

/** A socket of the runtime, paused. @param lost called when it closes before it was started */
export function socketLeg(socket: Socket, lost: () => void): Leg {
  let handlers: LegHandlers | undefined;
  let isDestroyed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    if (handlers !== undefined) handlers.closed();
    else if (!isDestroyed) lost();
  });
  return {
    start: (given) => {
      handlers = given;
      socket.on('data', (chunk: Buffer) => given.data(chunk));
      socket.on('drain', () => given.drain());
      // A peer that ended before anybody listened, without a word, has had its event.
      if (socket.readableEnded) given.end();
      else socket.on('end', () => given.end());
      socket.resume();
    },
    write: (bytes) => socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    finish: () => void socket.end(),
    destroy: () => {
      isDestroyed = true;
      socket.destroy();
    },
  };
}

/**
 * A connection that an acceptor has taken, with what was read of it already.
 * @param onClosed keeps who is told of its end
 */
export function streamLeg(
  stream: HalfOpenConnection,
  rest: Buffer,
  onClosed: (told: () => void) => void,
): Leg {
  // Until the other side is there nothing is read: the data wait in the network. An end that comes meanwhile is one
  // direction's only.
  let hasEnded = false;
  stream.onEnd = () => {
    hasEnded = true;
  };
  stream.pause();
  return {
    start: (handlers) => {
      stream.onEnd = () => handlers.end();
      stream.onDrain = () => handlers.drain();
      stream.onData = (chunk) => handlers.data(chunk);
      onClosed(() => handlers.closed());
      stream.resume();
      // After that, since it may have to pause.
      if (rest.length > 0) handlers.data(rest);
      if (hasEnded) handlers.end();
    },
    write: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    finish: () => stream.finish(),
    destroy: () => stream.destroy('local'),
  };
}

/** What the joined streams are to be told of. */
export interface JoinOptions {
  readonly clock: Clock;
  /** Counts octets of a direction; milliseconds for which their source has to wait. */
  outward(octets: number): number;
  inward(octets: number): number;
  /** Both directions have ended and both sides are gone, or one is gone before. */
  over(): void;
}

/** Joins a client's leg with a peer's: each direction has a pace and an end of its own. */
export function joinLegs(client: Leg, peer: Leg, options: JoinOptions): void {
  const ends = new Ends(() => options.over());
  const outward = new Pump(client, peer, (octets) => options.outward(octets), options.clock, ends);
  const inward = new Pump(peer, client, (octets) => options.inward(octets), options.clock, ends);
  client.start(outward.handlers(inward));
  peer.start(inward.handlers(outward));
}

/** The stream is over when both sides are; one that is gone before both directions have ended takes the other along. */
class Ends {
  readonly #over: () => void;
  #finished = 0;
  #closed = 0;

  constructor(over: () => void) {
    this.#over = over;
  }
  /** One direction was brought to its end. */
  finished(): void {
    this.#finished += 1;
  }
  /** One side is gone. In order, the other may still take what waits for it. */
  closed(): void {
    this.#closed += 1;
    if (this.#finished < 2 || this.#closed === 2) this.#over();
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

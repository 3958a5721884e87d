import { isIPv6 } from 'node:net';
import {
  type BackOff,
  type Cancel,
  type Clock,
  err,
  type Failure,
  failure,
  halfRandom,
  pauseAfter,
  type Random,
  type Result,
} from '#kernel';
import { type Connection, dialTls } from '#platform/net';
import type { Credentials, TrustAnchors } from '#platform/pki';
import type { Metrics } from '#platform/telemetry';

/** One edge of the pool. */
export interface EdgeTarget {
  /** host.name of the edge, which its internal certificate holds. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface EdgeDialSettings {
  readonly edges: readonly EdgeTarget[];
  readonly credentials: Credentials;
  readonly trust: TrustAnchors;
  /** The addresses that are dialled from; at most one of each family. */
  readonly localAddresses: readonly string[];
  readonly handshakeMs: number;
  readonly backOff: BackOff;
}

/** What becomes of the connections that are opened. `L` is a link on one of them. */
export interface EdgeDialUser<L> {
  /** A connection to an edge, whose certificate is verified to be that edge's. Whoever makes the link tells the seat of its end. */
  open(connection: Connection, seat: EdgeSeat): L;
  /** The edge is listed no more. */
  leave(link: L): void;
  handleFailure(target: EdgeTarget, problem: Failure): void;
}

/** The place of one edge, as one link has it: what a link says after its end does not touch the next one. */
export interface EdgeSeat {
  readonly target: EdgeTarget;
  /** The link stands: the next failure counts as the first. */
  succeeded(): void;
  /** The link has ended, and another one is opened in its place. */
  ended(): void;
}

export interface EdgeDialContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
}

/** Only some of these links bound what may wait for an edge that does not read, and say what is spoken. */
export interface EdgeDialTransport {
  readonly alpn?: readonly string[];
  /** Bytes, beyond which the connection ends. */
  readonly outboundBytes?: number;
}

/** From a service inside to the edges: one link to each edge of the pool, opened again for ever. */
export class EdgeDial<L> {
  readonly #context: EdgeDialContext;
  readonly #transport: EdgeDialTransport;
  readonly #user: EdgeDialUser<L>;
  readonly #seats = new Map<string, Seat<L>>();
  #settings: EdgeDialSettings;
  #closed = false;

  constructor(
    context: EdgeDialContext,
    transport: EdgeDialTransport,
    settings: EdgeDialSettings,
    user: EdgeDialUser<L>,
  ) {
    this.#context = context;
    this.#transport = transport;
    this.#user = user;
    this.#settings = settings;
  }

  /** Of each edge the link that it has now, in the order in which the edges were listed. */
  links(): { readonly target: EdgeTarget; readonly link: L | undefined }[] {
    return [...this.#seats.values()].map(({ target, link }) => ({ target, link }));
  }

  /** Edges that are not listed any more are left; links to the others stay. */
  configure(settings: EdgeDialSettings): void {
    this.#settings = settings;
    const listed = new Map(settings.edges.map((target) => [keyOf(target), target]));
    for (const [key, seat] of this.#seats) {
      if (listed.has(key)) continue;
      this.#seats.delete(key);
      seat.give();
      if (seat.link !== undefined) this.#user.leave(seat.link);
    }
    for (const [key, target] of listed) {
      if (this.#seats.has(key)) continue;
      const seat = new Seat<L>(target);
      this.#seats.set(key, seat);
      void this.#dial(seat);
    }
  }

  /** No link is opened any more; those that stand are their owner's to end. */
  close(): void {
    this.#closed = true;
    for (const seat of this.#seats.values()) seat.give();
  }

  async #dial(seat: Seat<L>): Promise<void> {
    seat.cancel = undefined;
    const dialled = await this.#connect(seat.target);
    if (seat.given || this.#closed) {
      if (dialled.ok) dialled.value.destroy('shutdown');
    } else if (dialled.ok) {
      this.#open(seat, dialled.value);
    } else {
      this.#user.handleFailure(seat.target, dialled.error);
      this.#again(seat);
    }
  }
  /** A link may end while it is made. */
  #open(seat: Seat<L>, connection: Connection): void {
    let over = false;
    const link = this.#user.open(connection, {
      target: seat.target,
      succeeded: () => {
        if (!over) seat.failures = 0;
      },
      ended: () => {
        if (over) return;
        over = true;
        seat.link = undefined;
        this.#again(seat);
      },
    });
    if (!over) seat.link = link;
  }
  #connect({ name, address, port }: EdgeTarget): Promise<Result<Connection>> {
    const { credentials, trust, localAddresses, handshakeMs } = this.#settings;
    const localAddress = localAddresses.find((local) => isIPv6(local) === isIPv6(address));
    if (localAddress === undefined) {
      const problem = failure('SLP-NET-0010', `${name} at ${address}: no address of this family here`);
      return Promise.resolve(err(problem));
    }
    return dialTls({
      remote: { address, port },
      localAddress,
      servername: name,
      expectNames: [name],
      credentials,
      trust,
      handshakeMs,
      ...this.#transport,
      clock: this.#context.clock,
      metrics: this.#context.metrics,
    });
  }
  #again(seat: Seat<L>): void {
    if (seat.given || this.#closed) return;
    seat.failures += 1;
    const pause = halfRandom(pauseAfter(seat.failures, this.#settings.backOff), this.#context.random);
    seat.cancel = this.#context.clock.after(pause, () => void this.#dial(seat));
  }
}

class Seat<L> {
  readonly target: EdgeTarget;
  link: L | undefined;
  failures = 0;
  cancel: Cancel | undefined;
  /** Nobody sits here any more. */
  given = false;

  constructor(target: EdgeTarget) {
    this.target = target;
  }
  give(): void {
    this.given = true;
    this.cancel?.();
    this.cancel = undefined;
  }
}

function keyOf({ name, address, port }: EdgeTarget): string {
  return `${name} ${address} ${port}`;
}

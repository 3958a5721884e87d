import { isIPv6 } from 'node:net';
import { err, type Failure, failure, ok, type Result, SystemRandom } from '#kernel';
import { paddedLength, StunFramer } from '#protocols/stun';
import { TurnClient, type TurnClientEvent } from '#protocols/turn';
import { clock, openWire, Patience, type ProbeTarget, type Wire, whereIs } from './wire.ts';

const LONGEST_FRAME = 70_000;

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** One allocation by one transport, as a client would make it. */
export interface Probe {
  /** Connects and allocates; the relayed address. */
  allocate(): Promise<Result<Place>>;
  /** Permits a peer, and sends to it from then on. */
  connect(peer: Place): Promise<Result<void>>;
  send(peer: Place, text: string): void;
  /** Waits until this text was heard from the peer. */
  hears(text: string): Promise<Result<void>>;
  close(): Promise<void>;
}

/** In today's standard dialect. */
export class RelayProbe implements Probe {
  readonly target: ProbeTarget;
  readonly #client: TurnClient;
  readonly #patience = new Patience(() => this.#client.handleTimeouts(clock.now()));
  #wire: Wire | undefined;
  readonly #events: TurnClientEvent[] = [];
  readonly #heard: string[] = [];

  constructor(target: ProbeTarget) {
    this.target = target;
    this.#client = new TurnClient({
      username: target.username,
      password: target.password,
      random: new SystemRandom(),
      ...(isIPv6(target.address) ? { family: 'ipv6' as const } : {}),
      sink: {
        send: (bytes) => this.#wire?.send(target.transport === 'udp' ? bytes : padded(bytes)),
        data: (_address, _port, bytes) => {
          this.#heard.push(Buffer.from(bytes).toString());
          this.#patience.wake();
        },
        event: (event) => {
          this.#events.push(event);
          this.#patience.wake();
        },
      },
    });
  }

  async allocate(): Promise<Result<Place>> {
    const wire = await openWire(this.target, this.#receiver());
    if (!wire.ok) return wire;
    this.#wire = wire.value;
    return this.#command(
      'allocated',
      () => this.#client.allocate(clock.now()),
      () => {
        const { relayed } = this.#client;
        if (relayed === undefined) throw new Error('allocated without an address');
        return relayed;
      },
    );
  }
  connect(peer: Place): Promise<Result<void>> {
    return this.#command(
      'channel-bound',
      () => this.#client.bindChannel(peer.address, peer.port, clock.now()),
      () => {},
    );
  }
  send(peer: Place, text: string): void {
    this.#client.send(peer.address, peer.port, Buffer.from(text));
  }
  async hears(text: string): Promise<Result<void>> {
    const found = await this.#patience.until(() => (this.#heard.includes(text) ? true : undefined));
    return found === undefined ? err(nothingHeard(this.target)) : ok(undefined);
  }
  async close(): Promise<void> {
    if (this.#client.state === 'allocated') {
      this.#client.deallocate(clock.now());
      await this.#patience.until(() => this.#events.find(({ type }) => type === 'ended'));
    }
    this.#wire?.close();
  }

  #receiver(): (bytes: Buffer) => void {
    const take = (bytes: Buffer) => this.#client.handleDatagram(bytes, clock.now());
    if (this.target.transport === 'udp') return take;
    const framer = new StunFramer(LONGEST_FRAME, take);
    return (chunk) => void framer.push(chunk);
  }

  async #command<T>(type: TurnClientEvent['type'], command: () => void, value: () => T): Promise<Result<T>> {
    this.#events.length = 0;
    command();
    const event = await this.#patience.until(() => this.#events[0]);
    if (event?.type === type) return ok(value());
    const why = event !== undefined && 'failure' in event ? event.failure : undefined;
    return err(located(why ?? failure('SLP-AV-0102'), this.target));
  }
}

/** ChannelData are padded in a stream (RFC 8656 §12.5). */
function padded(bytes: Uint8Array): Buffer {
  const copy = Buffer.alloc(paddedLength(bytes.length));
  copy.set(bytes);
  return copy;
}

export function nothingHeard(target: ProbeTarget): Failure {
  return failure('SLP-AV-0403', `${whereIs(target)}: no data came through`);
}
export function located(why: Failure, target: ProbeTarget): Failure {
  return { ...why, message: `${why.message} (${whereIs(target)})` };
}

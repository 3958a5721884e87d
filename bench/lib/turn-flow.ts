import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SystemClock, SystemRandom } from '#kernel';
import { restCredential } from '#protocols/credentials';
import { TurnClient, type TurnClientEvent } from '#protocols/turn';
import { clientAddress, PORTS, RELAY_SECRET } from './bench-folder.ts';

/** How often the client is asked whether it has something to send again. */
const LOOK_MS = 100;
/** ChannelData's header, RFC 8656 §12.4. */
const HEADER_BYTES = 4;
const RECEIVE_BUFFER = 1 << 20;

/**
 * One client of a relay: allocates and binds a channel with the product's own TURN client, which is not measured,
 * then only sends and counts ready-made datagrams.
 */
export class TurnFlow {
  relayed: { readonly address: string; readonly port: number } | undefined;
  /** Datagrams of data received. */
  received = 0;
  /** Called for each of them. */
  onReceived: () => void = () => {};
  readonly #socket: Socket;
  readonly #client: TurnClient;
  readonly #clock = new SystemClock();
  #events: TurnClientEvent[] = [];
  #heard: () => void = () => {};
  #datagram = Buffer.alloc(0);
  #running = false;

  /** With a socket and an allocation. @param number of the flow: a user and a place of its own */
  static async open(server: string, number: number): Promise<TurnFlow> {
    const flow = await TurnFlow.connect(server, number);
    await flow.allocate();
    return flow;
  }
  /** With a socket only: the server has not heard of it. */
  static async connect(server: string, number: number): Promise<TurnFlow> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
    socket.bind(0, clientAddress(number));
    await once(socket, 'listening');
    socket.connect(PORTS.turn, server);
    await once(socket, 'connect');
    return new TurnFlow(socket, `flow${number}`);
  }

  private constructor(socket: Socket, user: string) {
    this.#socket = socket;
    this.#client = new TurnClient({
      ...restCredential(RELAY_SECRET, user, Date.now() + 3_600_000),
      random: new SystemRandom(),
      sink: {
        send: (bytes) => socket.send(Buffer.from(bytes)),
        data: () => {},
        event: (event) => {
          this.#events.push(event);
          this.#heard();
        },
      },
    });
    socket.on('error', () => {});
    socket.on('message', (bytes) => this.#handle(bytes));
  }

  async allocate(): Promise<void> {
    const { relayed } = await this.#step('allocated', (now) => this.#client.allocate(now));
    this.relayed = relayed;
  }
  /** Binds the channel that the data go over. */
  async channel(peer: { readonly address: string; readonly port: number }, payload: number): Promise<void> {
    const { channel } = await this.#step('channel-bound', (now) =>
      this.#client.bindChannel(peer.address, peer.port, now),
    );
    this.#datagram = Buffer.alloc(HEADER_BYTES + payload, 0x55);
    this.#datagram.writeUInt16BE(channel, 0);
    this.#datagram.writeUInt16BE(payload, 2);
  }

  /** From now on nothing but data is expected, and nothing is looked at. */
  run(): void {
    this.#running = true;
  }
  send(): void {
    this.#socket.send(this.#datagram);
  }

  async close(): Promise<void> {
    this.#running = false;
    await this.#step('ended', (now) => this.#client.deallocate(now)).catch(() => undefined);
    this.#socket.close();
  }

  #handle(bytes: Buffer): void {
    if (!this.#running) {
      this.#client.handleDatagram(bytes, this.#clock.now());
      return;
    }
    this.received += 1;
    this.onReceived();
  }

  /**
   * Does something and waits for the event that says it worked, as long as RFC 8489 §6.2.1 says: seven sendings, 39.5 s.
   * A deadline of our own beside it would not tell a relay that is silent from a load that was not run for a while.
   */
  async #step<Type extends TurnClientEvent['type']>(
    type: Type,
    begin: (now: number) => void,
  ): Promise<Extract<TurnClientEvent, { type: Type }>> {
    this.#events = [];
    begin(this.#clock.now());
    for (;;) {
      const event = this.#events.shift();
      if (event?.type === type) return event as Extract<TurnClientEvent, { type: Type }>;
      if (event !== undefined) throw new Error(`no ${type} from the relay: ${JSON.stringify(event)}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        setTimeout(resolve, LOOK_MS).unref();
      });
      // After a pause of our own the timer is run before the socket is read, where the answer may be waiting.
      await new Promise((resolve) => setImmediate(resolve));
      this.#client.handleTimeouts(this.#clock.now());
    }
  }
}

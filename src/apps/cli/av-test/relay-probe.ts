import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIPv6 } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { err, type Failure, failure, ok, type Result, SystemClock, SystemRandom } from '#kernel';
import { paddedLength, StunFramer } from '#protocols/stun';
import { TurnClient, type TurnClientEvent } from '#protocols/turn';

export type ProbeTransport = 'udp' | 'tcp' | 'tls';
export const probeTransports: readonly ProbeTransport[] = ['udp', 'tcp', 'tls'];

export interface ProbeTarget {
  readonly transport: ProbeTransport;
  readonly address: string;
  readonly port: number;
  /** What its certificate has to name. */
  readonly name: string;
  readonly username: string;
  readonly password: string;
}

/** Longest wait for one answer, milliseconds. */
const PATIENCE_MS = 5_000;
const LONGEST_FRAME = 70_000;

/** How bytes reach the relay, and how the way is left. */
interface Wire {
  send(bytes: Uint8Array): void;
  close(): void;
}

const clock = new SystemClock();

/** One allocation by one transport, as a client would make it. */
export class RelayProbe {
  readonly target: ProbeTarget;
  readonly #client: TurnClient;
  #wire: Wire | undefined;
  readonly #events: TurnClientEvent[] = [];
  readonly #heard: string[] = [];
  #wake: () => void = () => {};

  constructor(target: ProbeTarget) {
    this.target = target;
    this.#client = new TurnClient({
      username: target.username,
      password: target.password,
      random: new SystemRandom(),
      ...(isIPv6(target.address) ? { family: 'ipv6' as const } : {}),
      sink: {
        send: (bytes) => this.#wire?.send(bytes),
        data: (_address, _port, bytes) => {
          this.#heard.push(Buffer.from(bytes).toString());
          this.#wake();
        },
        event: (event) => {
          this.#events.push(event);
          this.#wake();
        },
      },
    });
  }

  /** Connects and allocates; the relayed address. */
  async allocate(): Promise<Result<{ readonly address: string; readonly port: number }>> {
    const wire = await this.#connect();
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
  /** Permits a peer, and sends to it from then on over a channel. */
  connect(peer: { readonly address: string; readonly port: number }): Promise<Result<void>> {
    return this.#command(
      'channel-bound',
      () => this.#client.bindChannel(peer.address, peer.port, clock.now()),
      () => {},
    );
  }
  send(peer: { readonly address: string; readonly port: number }, text: string): void {
    this.#client.send(peer.address, peer.port, Buffer.from(text));
  }
  /** Waits until this text was heard from the peer. */
  async hears(text: string): Promise<Result<void>> {
    const found = await this.#wait(() => (this.#heard.includes(text) ? true : undefined));
    return found === undefined
      ? err(failure('SLP-AV-0403', `${this.where}: no data came through`))
      : ok(undefined);
  }
  async close(): Promise<void> {
    if (this.#client.state === 'allocated') {
      this.#client.deallocate(clock.now());
      await this.#wait(() => this.#events.find(({ type }) => type === 'ended'));
    }
    this.#wire?.close();
  }
  get where(): string {
    const { transport, address, port } = this.target;
    return `${transport.toUpperCase()} ${address} port ${port}`;
  }

  async #command<T>(type: TurnClientEvent['type'], command: () => void, value: () => T): Promise<Result<T>> {
    this.#events.length = 0;
    command();
    const event = await this.#wait(() => this.#events[0]);
    if (event === undefined) return err(failure('SLP-AV-0102', this.where));
    if (event.type === type) return ok(value());
    const why = 'failure' in event ? event.failure : undefined;
    return err(why === undefined ? failure('SLP-AV-0102', this.where) : located(why, this.where));
  }

  /** The first value that is found before the patience ends. */
  async #wait<T>(find: () => T | undefined): Promise<T | undefined> {
    const until = clock.now() + PATIENCE_MS;
    for (let found = find(); ; found = find()) {
      const left = until - clock.now();
      if (found !== undefined || left <= 0) return found;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.min(left, 500), resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#client.handleTimeouts(clock.now());
    }
  }

  #connect(): Promise<Result<Wire>> {
    return this.target.transport === 'udp' ? this.#openUdp() : this.#openStream();
  }

  async #openUdp(): Promise<Result<Wire>> {
    const { address, port } = this.target;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('error', () => {});
    socket.on('message', (bytes) => this.#client.handleDatagram(bytes, clock.now()));
    // The edge's own address of that interface: no other may be on this host for sure.
    socket.bind(0, address);
    await Promise.race([once(socket, 'listening'), once(socket, 'close')]);
    return ok({
      send: (bytes) => socket.send(Buffer.from(bytes), port, address),
      close: () => socket.close(),
    });
  }

  async #openStream(): Promise<Result<Wire>> {
    const { address, port, transport, name } = this.target;
    const plain = connectTcp({ host: address, port, localAddress: address });
    const opened = await outcome(plain, 'connect');
    if (opened !== undefined) return err(failure('SLP-AV-0403', `${this.where}: ${opened}`));
    const stream = transport === 'tls' ? secure(plain, name) : plain;
    if (stream !== plain) {
      const handshake = await outcome(stream, 'secureConnect');
      if (handshake !== undefined) return err(failure('SLP-AV-0403', `${this.where}: ${handshake}`));
      const wrong = checkServerIdentity(name, (stream as TLSSocket).getPeerCertificate());
      if (wrong !== undefined) return err(failure('SLP-AV-0404', `${this.where}: ${wrong.message}`));
    }
    const framer = new StunFramer(LONGEST_FRAME, (frame) => this.#client.handleDatagram(frame, clock.now()));
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => void framer.push(chunk));
    return ok({
      send: (bytes) => {
        const copy = Buffer.alloc(paddedLength(bytes.length));
        copy.set(bytes);
        stream.write(copy);
      },
      close: () => stream.destroy(),
    });
  }
}

/** The chain is not what is tested here: the name is, below. */
function secure(socket: ReturnType<typeof connectTcp>, name: string): TLSSocket {
  return connectTls({ socket, servername: name, ALPNProtocols: ['stun.turn'], rejectUnauthorized: false });
}

/** Waits for the event; what went wrong instead. */
async function outcome(socket: ReturnType<typeof connectTcp>, event: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(PATIENCE_MS, () => finish('no answer'));
    const finish = (problem?: string) => {
      cancel();
      if (problem !== undefined) socket.destroy();
      resolve(problem);
    };
    socket.once(event, () => finish());
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.once('close', () => finish('it was closed'));
  });
}

function located(why: Failure, where: string): Failure {
  return { ...why, message: `${why.message} (${where})` };
}

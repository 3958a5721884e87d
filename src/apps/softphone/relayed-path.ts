import { randomBytes } from 'node:crypto';
import { type Cancel, type Clock, FailureError, failure, type Random } from '#kernel';
import { type DatagramNetwork, type DatagramSocket, NodeDatagrams } from '#platform/datagrams';
import type { AddressFamily } from '#protocols/stun';
import { TurnClient, type TurnClientEvent } from '#protocols/turn';
import type { MediaPath } from './audio-stream.ts';

export interface RelayServer {
  readonly address: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

export interface RelayedPathOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly server: RelayServer;
  /** The address that the socket is bound to. */
  readonly localAddress: string;
  /** Family of the relayed address; the server's default (IPv4) when left out. */
  readonly family?: AddressFamily;
}

interface Peer {
  readonly address: string;
  readonly port: number;
}

/** Longest wait for the relay's answer to anything; the client itself gives up after about 39 s. */
const PATIENCE_MS = 10_000;

/** Media by way of a TURN relay: one allocation, one peer on a channel. */
export class RelayedPath implements MediaPath {
  onPacket: (packet: Buffer) => void = () => {};
  readonly #options: RelayedPathOptions;
  readonly #network: DatagramNetwork = new NodeDatagrams({ queuedBytes: 1 << 20, receiveBuffer: 0 });
  readonly #client: TurnClient;
  #socket: DatagramSocket | undefined;
  #peer: Peer | undefined;
  #timer: Cancel | undefined;
  #waiting: ((event: TurnClientEvent) => void) | undefined;

  private constructor(options: RelayedPathOptions) {
    this.#options = options;
    const { username, password } = options.server;
    this.#client = new TurnClient({
      username,
      password,
      random: options.random,
      ...(options.family === undefined ? {} : { family: options.family }),
      sink: {
        send: (bytes) => this.#send(bytes),
        data: (_address, _port, bytes) => this.onPacket(Buffer.from(bytes)),
        event: (event) => this.#waiting?.(event),
      },
    });
  }

  /** Binds a socket and allocates; throws a FailureError when the relay refuses or does not answer. */
  static async open(options: RelayedPathOptions): Promise<RelayedPath> {
    const path = new RelayedPath(options);
    await path.#bind();
    try {
      await path.#await('allocated', () => path.#client.allocate(options.clock.now()));
    } catch (problem) {
      await path.#network.close();
      throw problem;
    }
    return path;
  }

  /** The relayed transport address, which peers send to. */
  get relayed(): Peer {
    const relayed = this.#client.relayed;
    if (relayed === undefined) throw new Error('no allocation');
    return relayed;
  }
  /** Permits a peer and binds a channel to it; from then on `send` goes there. */
  async connect(peer: Peer): Promise<void> {
    const { clock } = this.#options;
    await this.#await('channel-bound', () => {
      this.#client.bindChannel(peer.address, peer.port, clock.now());
    });
    this.#peer = peer;
  }
  send(packet: Buffer): void {
    if (this.#peer !== undefined) this.#client.send(this.#peer.address, this.#peer.port, packet);
  }
  /** Gives the allocation back. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    if (this.#client.state === 'allocated') {
      await this.#await('ended', () => this.#client.deallocate(clock.now()));
    }
    this.#timer?.();
    await this.#network.close();
  }

  #bind(): Promise<void> {
    const { clock, localAddress } = this.#options;
    return new Promise((resolve, reject) => {
      this.#network.bind(
        { address: localAddress, port: 0 },
        (bytes, address, port) => {
          const { server } = this.#options;
          if (address !== server.address || port !== server.port) return;
          this.#client.handleDatagram(bytes, clock.now());
          this.#plan();
        },
        (outcome) => {
          if (outcome.ok) {
            this.#socket = outcome.socket;
            resolve();
          } else reject(new FailureError(failure('SLP-APP-0001', `${localAddress}: ${outcome.detail}`)));
        },
      );
    });
  }

  #send(bytes: Uint8Array): void {
    const { address, port } = this.#options.server;
    // The client lends the bytes for the call only; the socket keeps them until they are sent.
    const frame = this.#network.frame(bytes.length);
    frame.set(bytes);
    this.#socket?.send(frame, 0, bytes.length, address, port);
  }

  #plan(): void {
    const { clock } = this.#options;
    this.#timer?.();
    const deadline = this.#client.deadline();
    if (deadline === undefined) return;
    this.#timer = clock.after(deadline - clock.now(), () => {
      this.#client.handleTimeouts(clock.now());
      this.#plan();
    });
  }

  /** Gives a command and waits for its event; refusals and silence are failures. */
  #await(type: TurnClientEvent['type'], command: () => void): Promise<void> {
    const { address, port } = this.#options.server;
    return new Promise((resolve, reject) => {
      const finish = (problem?: FailureError) => {
        cancel();
        this.#waiting = undefined;
        if (problem === undefined) resolve();
        else reject(problem);
      };
      const cancel = this.#options.clock.after(PATIENCE_MS, () =>
        finish(new FailureError(failure('SLP-APP-0002', `${address} port ${port}`))),
      );
      this.#waiting = (event) => {
        if (event.type === type) finish();
        else if (event.type === 'ended' || event.type === 'peer-refused') {
          finish(new FailureError(event.failure ?? failure('SLP-APP-0002', `${address} port ${port}`)));
        }
      };
      command();
      this.#plan();
    });
  }
}

/** A number for an SDP origin, decimal. */
export function newSessionId(): string {
  return `${randomBytes(6).readUIntBE(0, 6)}`;
}

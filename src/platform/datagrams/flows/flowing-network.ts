import type { Socket } from 'node:dgram';
import type {
  BindOutcome,
  DatagramCounters,
  DatagramEndpoint,
  DatagramLimits,
  DatagramNetwork,
  DatagramReceiver,
  DatagramSocket,
} from '../datagrams.ts';
import { NodeDatagrams } from '../node-datagrams.ts';
import type { UnboundHandle } from '../runtime-handle.ts';
import { FlowPlace, type FlowRelay } from './flow-relay.ts';

/** A network whose sockets look into the flows of their thread before anybody is asked about a datagram. */
export class FlowingNetwork implements DatagramNetwork {
  readonly #network: NodeDatagrams;
  readonly #relay: FlowRelay;
  readonly #placed: (socket: DatagramSocket, place: FlowPlace) => void;

  /** @param placed told of every socket that can have flows */
  constructor(
    limits: DatagramLimits,
    relay: FlowRelay,
    placed: (socket: DatagramSocket, place: FlowPlace) => void,
    counters?: DatagramCounters,
  ) {
    this.#network = new NodeDatagrams(limits, true, counters);
    this.#relay = relay;
    this.#placed = placed;
  }
  get counters(): DatagramCounters {
    return this.#network.counters;
  }
  get open(): number {
    return this.#network.open;
  }
  frame(size: number): Buffer {
    return this.#network.frame(size);
  }
  adopt(socket: Socket, receiver: DatagramReceiver): DatagramSocket {
    const place = new FlowPlace();
    return this.#place(this.#network.adopt(socket, this.#looking(place, receiver)), place);
  }
  bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void {
    const place = new FlowPlace();
    this.#network.bind(endpoint, this.#looking(place, receiver), (outcome) => {
      if (outcome.ok) this.#place(outcome.socket, place);
      done(outcome);
    });
  }
  /** A handle that another thread has passed on, at the place that flows know it by. */
  adoptHandle(handle: UnboundHandle, place: FlowPlace, receiver: DatagramReceiver): void {
    place.socket = this.#network.adoptHandle(handle, this.#looking(place, receiver));
  }
  close(): Promise<void> {
    return this.#network.close();
  }

  #looking(place: FlowPlace, receiver: DatagramReceiver): DatagramReceiver {
    const relay = this.#relay;
    return (bytes, address, port) => {
      if (!relay.take(place, bytes, address, port)) receiver(bytes, address, port);
    };
  }
  #place(socket: DatagramSocket, place: FlowPlace): DatagramSocket {
    place.socket = socket;
    this.#placed(socket, place);
    return socket;
  }
}

import type { DatagramSocket } from '#platform/datagrams';
import type { ListenerPlan } from '#platform/topology';
import type { ClientTransport, Face, TurnListener } from '#protocols/turn';

/** A way to clients that knows how to send: what the relay is given as a listener, and names when it sends. */
export interface ClientPath extends TurnListener {
  /** Sends `bytes[start, end)`; nobody may change them from then on. */
  send(bytes: Uint8Array, start: number, end: number, address: string, port: number, whole?: boolean): void;
}

export function faceOf(plan: ListenerPlan): Face {
  return plan.interface === 'internal' ? 'internal' : 'external';
}

/** The UDP socket of a listener, which all its clients share. */
export class UdpPath implements ClientPath {
  readonly id: number;
  readonly face: Face;
  readonly transport: ClientTransport = 'udp';
  readonly address: string;
  readonly port: number;
  /** Set once, before anything is sent: it is adopted with a receiver that names this path. */
  socket: DatagramSocket | undefined;

  constructor(plan: ListenerPlan, id: number) {
    this.id = id;
    this.face = faceOf(plan);
    this.address = plan.address;
    this.port = plan.port;
  }
  send(bytes: Uint8Array, start: number, end: number, address: string, port: number): void {
    this.socket?.send(bytes, start, end, address, port);
  }
}

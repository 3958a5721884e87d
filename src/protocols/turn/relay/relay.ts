import type { AddressFamily } from '#protocols/stun';
import type { Allocation } from './allocation.ts';

/** One relayed transport address: the socket that the adapter holds for an allocation. */
export class Relay {
  /** Unique in this TurnRelay, never reused. */
  readonly id: number;
  readonly family: AddressFamily;
  /** Of a client of the Microsoft dialect it is that of the client's own connection; else UDP. */
  readonly transport: 'udp' | 'tcp';
  /** What the socket is bound to. */
  readonly address: string;
  readonly port: number;
  /** The address that clients and peers know it by; `address` unless a NAT stands before it. */
  readonly advertised: string;
  readonly allocation: Allocation;
  state: 'binding' | 'bound' | 'closed' = 'binding';
  /** Other organisations' edges that a TCP connection has gone to from this very port. */
  dialledEdges: Set<string> | undefined;
  /** The adapter's own: by what it sends from here. */
  carrier: unknown;

  constructor(
    id: number,
    family: AddressFamily,
    place: {
      readonly address: string;
      readonly port: number;
      readonly advertised: string;
      readonly transport: 'udp' | 'tcp';
    },
    allocation: Allocation,
  ) {
    this.id = id;
    this.family = family;
    this.transport = place.transport;
    this.address = place.address;
    this.port = place.port;
    this.advertised = place.advertised;
    this.allocation = allocation;
  }
}

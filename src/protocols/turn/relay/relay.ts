import type { AddressFamily } from '#protocols/stun';
import type { Allocation } from './allocation.ts';

/** One relayed transport address: the socket that the adapter holds for an allocation. */
export class Relay {
  /** Unique in this TurnRelay, never reused. */
  readonly id: number;
  readonly family: AddressFamily;
  /** What the socket is bound to. */
  readonly address: string;
  readonly port: number;
  /** The address that clients and peers know it by; `address` unless a NAT stands before it. */
  readonly advertised: string;
  readonly allocation: Allocation;
  state: 'binding' | 'bound' | 'closed' = 'binding';

  constructor(
    id: number,
    family: AddressFamily,
    place: { readonly address: string; readonly port: number; readonly advertised: string },
    allocation: Allocation,
  ) {
    this.id = id;
    this.family = family;
    this.address = place.address;
    this.port = place.port;
    this.advertised = place.advertised;
    this.allocation = allocation;
  }
}

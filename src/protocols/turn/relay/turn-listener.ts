/** Which side of the perimeter a listener faces. */
export type Face = 'external' | 'internal';

/** How a client's bytes come. `pseudo-tls`: TCP behind the older dialect's greeting, which encrypts nothing. */
export type ClientTransport = 'udp' | 'tcp' | 'tls' | 'pseudo-tls';

export const clientTransports: readonly ClientTransport[] = ['udp', 'tcp', 'tls', 'pseudo-tls'];

/**
 * A way by which clients reach the relay: a UDP socket, or one connection of one client. Each has an `id` of its own
 * (an integer that is never used again), so that it stands for the server's half of a 5-tuple.
 */
export interface TurnListener {
  readonly id: number;
  readonly face: Face;
  readonly transport: ClientTransport;
  /** Canonical IP text and port on our side. */
  readonly address: string;
  readonly port: number;
}

/** Whether messages come and go in a byte stream: then frames are padded, and nothing may be left out of it. */
export function isStream(listener: TurnListener): boolean {
  return listener.transport !== 'udp';
}

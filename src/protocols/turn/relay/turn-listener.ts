/** Which side of the perimeter a listener faces. */
export type Face = 'external' | 'internal';

/** One socket on which clients reach the relay. Give each its own `id` (a small integer). */
export interface TurnListener {
  readonly id: number;
  readonly face: Face;
  /** Canonical IP text and UDP port that the socket is bound to. */
  readonly address: string;
  readonly port: number;
}

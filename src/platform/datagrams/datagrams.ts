import type { Socket } from 'node:dgram';

/**
 * UDP as the A/V services see it. Everything a service may rely on is in `datagrams.conformance.ts`; an
 * implementation that passes it can take the place of the one on `node:dgram`.
 */

export interface DatagramEndpoint {
  /** Canonical IP text. */
  readonly address: string;
  /** 1..65535 */
  readonly port: number;
}

/** Called once a datagram. `bytes` belongs to the receiver from then on; it is never written to again. */
export type DatagramReceiver = (bytes: Buffer, address: string, port: number) => void;

/** Why a datagram did not leave. `queue-full`: the socket's own queue is at its bound; `closed`: after close(). */
export type SendRefusal = 'queue-full' | 'closed';

export interface DatagramSocket {
  readonly local: DatagramEndpoint;
  /**
   * Sends `bytes[start, end)` to an IP literal of the socket's own family. Nobody may change these bytes from then
   * on: they are a datagram as received, or a frame lent by the network, or otherwise done with. Never throws for
   * anything that a network or a peer can cause: such errors are only counted.
   */
  send(bytes: Uint8Array, start: number, end: number, address: string, port: number): SendRefusal | undefined;
  /** Ends it at once; datagrams in its queue are lost. Closing twice does nothing. */
  close(): void;
}

/** Why a socket could not be bound, as far as a caller can act on it. */
export type BindProblem = 'in-use' | 'not-available' | 'not-permitted' | 'exhausted' | 'other';

export type BindOutcome =
  | { readonly ok: true; readonly socket: DatagramSocket }
  | { readonly ok: false; readonly problem: BindProblem; readonly detail: string };

/** Errors that the operating system reported for datagrams, by kind. */
export type DatagramError = 'refused' | 'unreachable' | 'too-big' | 'not-permitted' | 'no-buffers' | 'other';

export const datagramErrors: readonly DatagramError[] = [
  'refused',
  'unreachable',
  'too-big',
  'not-permitted',
  'no-buffers',
  'other',
];

/** Totals since the network was made; closed sockets included. Read only, but for the network itself. */
export interface DatagramCounters {
  received: number;
  receivedBytes: number;
  sent: number;
  sentBytes: number;
  /** Dropped because the socket's queue was at its bound. */
  queueFull: number;
  /** Received by another thread than the receiver's, and dropped since too much waits for that one already. */
  unread: number;
  readonly errors: Record<DatagramError, number>;
}

export interface DatagramLimits {
  /** Bytes that may wait in one socket's send queue, 2048..2^24. */
  readonly queuedBytes: number;
  /** Kernel receive buffer asked for a socket, bytes; the kernel may give less. 0 leaves its default. */
  readonly receiveBuffer: number;
}

export interface DatagramNetwork {
  readonly counters: DatagramCounters;
  /** Lends `size` bytes (1..65536), their content arbitrary, to write one outgoing datagram into. */
  frame(size: number): Buffer;
  /** Sockets open right now. */
  readonly open: number;
  /**
   * Takes over a socket that somebody else bound (the supervisor); it is closed with the others. Sending through
   * it is cheapest when it was made with `literalLookup`, where the implementation goes by `node:dgram`.
   */
  adopt(socket: Socket, receiver: DatagramReceiver): DatagramSocket;
  /**
   * Binds a socket on exactly this address; port 0 takes any free one. `done` is called once, never before this
   * returns, and not at all when `close` comes first.
   */
  bind(endpoint: DatagramEndpoint, receiver: DatagramReceiver, done: (outcome: BindOutcome) => void): void;
  /** Closes every socket, and resolves when the descriptors are gone. */
  close(): Promise<void>;
}

import type { Monotonic } from '#kernel';
import type { VerifiedPeer } from '#platform/pki';
import type { Endpoint } from './endpoint.ts';

/** What TLS established; present on every connection of TlsAcceptor and dialTls. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  readonly alpn?: string;
  /** SNI, lower case, when the client sent one. */
  readonly servername?: string;
  /** Present only if the peer presented a certificate and its chain was verified. */
  readonly peer?: VerifiedPeer;
}

/** Why a connection ended; closed, for metrics. */
export const closeReasons = [
  /** The peer closed in order. */
  'peer-closed',
  /** end() was called here, and everything queued was sent. */
  'local',
  /** The transport failed, or the peer reset it. */
  'reset',
  /** The peer sent something that is not TLS, or broke it. */
  'tls-error',
  /** The peer did not read: more was queued than the outbound limit. */
  'slow-reader',
  /** Nothing arrived for Connection.idleMs. */
  'idle',
  /** The user waited too long for something, or the peer did not take what was queued after end(). */
  'timeout',
  /** The peer broke the protocol above. */
  'protocol',
  /** A limit of the user. */
  'limit',
  /** A decision of the user, e.g. a peer whose names are not listed. */
  'policy',
  /** This service stops. */
  'shutdown',
] as const;

export type CloseReason = (typeof closeReasons)[number];

/**
 * One established byte stream. Nothing is read before `onData` is assigned, so nothing is lost; assign `onData`
 * and `onClose` in the accept callback or when dialTls has resolved.
 */
export interface Connection {
  /** Unique in this process. */
  readonly id: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly opened: Monotonic;
  readonly tls: TlsFacts | undefined;
  /** The chunk is the receiver's to keep. Never called after onClose or destroy(). */
  onData: (chunk: Buffer) => void;
  /** Called exactly once, never from inside write(), end() or destroy(). */
  onClose: (reason: CloseReason) => void;
  /** Optional. The outbound queue has emptied after write() returned false. */
  onDrain: () => void;
  /** Closed with 'idle' after this many milliseconds without a byte from the peer; 0 = never. */
  idleMs: number;
  /** When the last byte arrived. */
  readonly lastReceived: Monotonic;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Bytes accepted by write() and not yet given to the system. */
  readonly queued: number;
  readonly closed: boolean;
  /** Each chunk is one message of the peer, and each write is sent as one (a WebSocket); absent on streams. */
  readonly messages?: boolean;
  /**
   * Queues the bytes (which must not be changed afterwards). False when more is queued than the high-water
   * mark or the connection is closed; beyond the outbound limit the connection is destroyed ('slow-reader').
   * @param sent the bytes are needed no more, and may be changed; never called when that is not certain
   */
  write(bytes: Uint8Array, sent?: () => void): boolean;
  /**
   * Optional, and only a hint. The receiver promises to have done with each chunk when `onData` returns: from now on it may
   * lie in memory that the next one overwrites. Cannot be taken back; what has been read already may still come after `pause`.
   */
  borrowChunks?(): void;
  pause(): void;
  resume(): void;
  /**
   * Sends what is queued, then closes; bounded by the linger time.
   * @param reason told to the peer where the transport has words for it (the close code of a WebSocket)
   */
  end(reason?: CloseReason): void;
  /** Closes at once and forgets what is queued. */
  destroy(reason: CloseReason): void;
}

/** A connection whose two directions may end one after the other; its server has to have `allowHalfOpen`. */
export interface HalfOpenConnection extends Connection {
  /**
   * Optional. The peer has sent its last byte and may still read: the connection stays until `end` or `destroy`, or
   * until `finish` was called too. While it is not assigned, such a connection is closed.
   */
  onEnd: (() => void) | undefined;
  /** Sends what is queued, then says that no more will come; the peer may go on sending. */
  finish(): void;
}

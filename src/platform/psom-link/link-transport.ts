import type { Http2Session, Http2Stream } from 'node:http2';
import type { Cancel, Clock } from '#kernel';
import type { Connection } from '#platform/net';
import type { LinkEnd } from './link-notice.ts';

export const PSOM_LINK_ALPN = 'sallyport-psom-link/1';

export interface LinkLimits {
  /** Streams at a time on one link: participants, files under way, and one for the hello. */
  readonly streams: number;
  /** Bytes that may wait in one participant's stream before it is reset. */
  readonly outboundBytes: number;
  /** From the connection until the hello is there, milliseconds. */
  readonly establishmentMs: number;
  /** Between PINGs; one that is not answered when the next is due ends the link. Milliseconds. */
  readonly pingMs: number;
}

/** What one stream may have under way towards an end that does not read, unless there are more than 8,191 of them. */
const STREAM_WINDOW = 256 * 1024;
/** RFC 9113 §6.9.1. */
const LARGEST_WINDOW = 2 ** 31 - 1;
/** A larger frame has fewer heads, and holds others up for longer. */
const FRAME_BYTES = 64 * 1024;
const HEAD_BYTES = 4096;
/** Streams that may be reset in a second; as many again at once. */
const RESETS = 100_000;
const UNBOUNDED_MEMORY = 1_000_000;
const REJECTED = 2 ** 31 - 1;

/** What both ends say and bound alike (RFC 9113 §6.5.2). */
export function sessionOptions(limits: LinkLimits) {
  return {
    settings: {
      enablePush: false,
      initialWindowSize: streamWindow(limits),
      maxFrameSize: FRAME_BYTES,
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: HEAD_BYTES,
    },
    // What waits is bounded stream by stream. The runtime's own sum, in 10^6 bytes, keeps what was waiting in streams that were
    // reset: once it is reached it takes no stream any more.
    maxSessionMemory: UNBOUNDED_MEMORY,
    maxOutstandingPings: 2,
    // Whoever leaves outside resets a stream here, and one that leaves often must not cost the others their link: the
    // other end is one of our own. The runtime's 33 a second are meant for strangers.
    streamResetBurst: RESETS,
    streamResetRate: RESETS,
    // In the whole life of a link: streams whose place was not free yet when they came.
    maxSessionRejectedStreams: REJECTED,
    unknownProtocolTimeout: 1000,
  };
}

/** The window of the whole link is that of all streams together: one that nobody reads keeps no other from its turn. */
export function connectionWindow(limits: LinkLimits): number {
  return limits.streams * streamWindow(limits);
}
export function streamWindow({ streams }: LinkLimits): number {
  return Math.min(STREAM_WINDOW, Math.floor(LARGEST_WINDOW / streams));
}

/**
 * A reset without an error code leaves a stream that is written to as it is: it, and what is read for it, would stay for as long
 * as the link.
 */
export function destroyWhenReset(stream: Http2Stream): void {
  // Not at once: a stream that is reset from here has to say so first.
  stream.once('aborted', () => queueMicrotask(() => stream.destroy()));
}

/** The end of a link, and its signs of life. Tells its owner once that it is over, when the connection has closed. */
export class LinkLife {
  readonly connection: Connection;
  readonly session: Http2Session;
  readonly #clock: Clock;
  readonly #pingMs: number;
  readonly #handleEnd: (reason: LinkEnd) => void;
  #unanswered = false;
  #reason: LinkEnd | undefined;
  #over = false;
  #cancel: Cancel;

  constructor(
    connection: Connection,
    session: Http2Session,
    clock: Clock,
    pingMs: number,
    handleEnd: (reason: LinkEnd) => void,
  ) {
    this.connection = connection;
    this.session = session;
    this.#clock = clock;
    this.#pingMs = pingMs;
    this.#handleEnd = handleEnd;
    session.on('error', () => {});
    // Whoever is going takes nobody more, so that those who are here have to come back by another way anyhow.
    session.on('goaway', (code) => this.stop(code === 0 ? 'peer-closed' : 'reset'));
    session.on('close', () => connection.destroy('local'));
    connection.onClose = (reason) => this.#finish(reason);
    this.#cancel = clock.after(pingMs, () => this.#ping());
  }
  /** No stream can be opened any more; the owner may not have been told yet. */
  get over(): boolean {
    return this.#over || this.#reason !== undefined || this.session.destroyed || this.session.closed;
  }

  stop(reason: LinkEnd): void {
    if (this.#over || this.#reason !== undefined) return;
    this.#reason = reason;
    // The other end is told by GOAWAY; all streams end with it.
    this.session.destroy();
  }

  #ping(): void {
    if (this.over || this.session.destroyed) return;
    if (this.#unanswered) {
      this.stop('silent');
      return;
    }
    this.#unanswered = true;
    this.session.ping((problem) => {
      if (problem === null) this.#unanswered = false;
    });
    this.#cancel = this.#clock.after(this.#pingMs, () => this.#ping());
  }
  #finish(reason: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    if (!this.session.destroyed) this.session.destroy();
    this.#handleEnd(this.#reason ?? (reason === 'local' ? 'reset' : reason));
  }
}

import { type Clock, TokenBucket } from '#kernel';
import type { Log, Metrics } from '#platform/telemetry';
import type { Endpoint } from './endpoint.ts';

/** Why an accepted socket never became a connection; closed, for metrics. */
export const refusalReasons = [
  'draining',
  'too-many-connections',
  'too-many-handshakes',
  'too-many-from-source',
  /** The owner refuses its source for a while. */
  'source-refused',
  /** Its source held most of the handshakes under way, and another source needed a place. */
  'made-room',
  /** Not one byte before the handshake deadline. */
  'silent',
  /** The first byte does not begin a TLS handshake. */
  'not-tls',
  /** The first bytes begin nothing that is spoken on this port. */
  'first-bytes',
  'handshake-timeout',
  'handshake-failed',
  /** Only versions below TLS 1.2 were offered. */
  'tls-version',
  /** ALPN ids were offered, none of them ours (ALPACA). */
  'alpn',
  'no-certificate',
  'bad-certificate',
  /** The peer left before the handshake was complete. */
  'gone',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export function refusalMetrics(metrics: Metrics) {
  return metrics.counter(
    'sallyport_connections_refused_total',
    'Accepted sockets that became no connection.',
    {
      name: 'reason',
      values: refusalReasons,
    },
  );
}

const LINES_PER_SECOND = 5;
const LINES_AT_ONCE = 50;

/** One line for each refused or broken connection, but never a flood of them: the rest is counted. */
export class RefusalLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  #suppressed = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#bucket = new TokenBucket(LINES_PER_SECOND, LINES_AT_ONCE, clock.now());
  }
  write(event: string, reason: string, remote: Endpoint | undefined, detail?: string): void {
    if (!this.#bucket.take(this.#clock.now())) {
      this.#suppressed += 1;
      return;
    }
    const suppressed = this.#suppressed > 0 ? { suppressed: this.#suppressed } : {};
    this.#suppressed = 0;
    const more = detail === undefined ? {} : { detail };
    this.#log.info(event, { reason, remote: remote?.address, port: remote?.port, ...more, ...suppressed });
  }
}

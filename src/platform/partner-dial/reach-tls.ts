import type { Failure, Result } from '#kernel';
import type { LocateFailure, Target } from '#platform/dns';
import { type Connection, type DialOptions, dialTls } from '#platform/net';
import { type Reached, type ReachOptions, reach } from './reach.ts';

type Given = 'remote' | 'localAddress' | 'signal' | 'clock' | 'trace';

export interface ReachTlsOptions extends Omit<ReachOptions<Connection>, 'attempt' | 'discard'> {
  /** How a target is dialled: its name in SNI, which names its certificate must assert, and so on. */
  readonly tls: (target: Target) => Omit<DialOptions, Given>;
}

/** The same for a service that speaks TLS from its first byte. */
export function reachTls(
  options: ReachTlsOptions,
): Promise<Result<Reached<Connection>, Failure | LocateFailure>> {
  const { tls, clock, trace } = options;
  return reach<Connection>({
    ...options,
    attempt: ({ target, remote, localAddress }, signal) =>
      dialTls({
        ...tls(target),
        remote,
        localAddress,
        signal,
        clock,
        ...(trace === undefined ? {} : { trace }),
      }),
    discard: (connection) => connection.destroy('policy'),
  });
}

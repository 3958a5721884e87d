import type { Counter, Metrics } from '#platform/telemetry';
import { type RefusalReason, refusalReasons } from './policy/refusal.ts';

const directions = ['inward', 'outward'] as const;
export type Direction = (typeof directions)[number];
/** Every sign-in by Digest begins with a challenge, which says nothing about who asks; what is refused was tried. */
const signIns = ['accepted', 'challenged', 'refused', 'withdrawn'] as const;
export type SignInOutcome = (typeof signIns)[number];

/** Every number of this service, with its closed label values. */
export interface AccessMetrics {
  readonly requests: Counter<Direction>;
  readonly responses: Counter<Direction>;
  readonly refusals: Counter<RefusalReason>;
  readonly signIns: Counter<SignInOutcome>;
  /** Header fields and header values removed on their way out because they told something internal. */
  readonly scrubbed: Counter;
  /** Header fields of clients that are not theirs to send. */
  readonly stripped: Counter;
  readonly failovers: Counter;
}

export function accessMetrics(metrics: Metrics): AccessMetrics {
  const name = (rest: string) => `sallyport_access_${rest}`;
  return {
    requests: metrics.counter(name('requests_total'), 'Requests forwarded', {
      name: 'direction',
      values: directions,
    }),
    responses: metrics.counter(name('responses_total'), 'Responses forwarded', {
      name: 'direction',
      values: directions,
    }),
    refusals: metrics.counter(name('refusals_total'), 'Messages and connections refused, by reason', {
      name: 'reason',
      values: refusalReasons,
    }),
    signIns: metrics.counter(
      name('sign_ins_total'),
      'REGISTER requests by what the next hop said; challenged: it asked for credentials',
      {
        name: 'outcome',
        values: signIns,
      },
    ),
    scrubbed: metrics.counter(name('scrubbed_headers_total'), 'Header fields kept from leaving'),
    stripped: metrics.counter(
      name('stripped_headers_total'),
      'Header fields of clients removed at the boundary',
    ),
    failovers: metrics.counter(name('next_hop_failovers_total'), 'Requests tried again at another member'),
  };
}

/** Levels that are asked for when they are read. */
export function observeConnections(metrics: Metrics, count: { clients(): number; nextHop(): number }): void {
  metrics.observe('sallyport_access_client_connections', 'Open connections of clients', count.clients);
  metrics.observe(
    'sallyport_access_next_hop_connections',
    'Open connections to and from the next hop',
    count.nextHop,
  );
}

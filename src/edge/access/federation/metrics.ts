import type { Counter, Metrics } from '#platform/telemetry';

const directions = ['inward', 'outward'] as const;
const dialResults = ['ok', 'unresolvable', 'name', 'certificate', 'unreachable'] as const;
export type DialResult = (typeof dialResults)[number];

/** Every number of federation, with its closed label values. */
export interface FederationMetrics {
  readonly requests: Counter<(typeof directions)[number]>;
  readonly dials: Counter<DialResult>;
}

export function federationMetrics(metrics: Metrics): FederationMetrics {
  return {
    requests: metrics.counter(
      'sallyport_federation_requests_total',
      'Requests forwarded from and to partners',
      { name: 'direction', values: directions },
    ),
    dials: metrics.counter('sallyport_federation_dials_total', 'Connections to partners attempted', {
      name: 'result',
      values: dialResults,
    }),
  };
}

import { Metrics } from '#platform/telemetry';
import { serviceMetrics } from '../service-metrics.ts';

/** For meetings in which nothing is uploaded: no disk, and counters of their own. */
export function withoutFiles() {
  return {
    files: { begin: () => undefined, sweepNext: () => 0 },
    metrics: serviceMetrics(new Metrics()),
  };
}

import type { Metrics } from '#platform/telemetry';
import { refusals } from './policy/refusals.ts';

export type EdgeMetrics = ReturnType<typeof edgeMetrics>;

export function edgeMetrics(metrics: Metrics) {
  return {
    admitted: metrics.counter(
      'sallyport_webconf_participants_total',
      'Participants that came in, by what they showed.',
      {
        name: 'by',
        values: ['join', 'resume'],
      },
    ),
    refused: metrics.counter(
      'sallyport_webconf_refused_total',
      'Joins and requests for files that were refused, by reason.',
      { name: 'reason', values: refusals },
    ),
    bytes: metrics.counter('sallyport_webconf_bytes_total', 'Bytes of participants that were passed on.', {
      name: 'direction',
      values: ['inward', 'outward'],
    }),
    slow: metrics.counter(
      'sallyport_webconf_slow_participants_total',
      'Participants that were reset because too much waited for them.',
    ),
  };
}
